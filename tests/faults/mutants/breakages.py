"""Each way in which the promise is broken on purpose: small edits of the source, and the tests that must notice."""

import shlex
from dataclasses import dataclass
from pathlib import Path


class Moved(Exception):
    """The code that a breakage breaks is not there any more, or there twice: bring the breakage up to date."""


@dataclass(frozen=True)
class Edit:
    """One piece of a file that is replaced; it must stand there exactly once."""

    file: str
    old: str
    new: str

    def apply(self, clone: Path):
        path = clone / "setup_wizard" / self.file
        text = path.read_text() if path.exists() else ""
        if text.count(self.old) != 1:
            raise Moved(f"{self.file} has {text.count(self.old)} times: {self.old}")
        path.write_text(text.replace(self.old, self.new))


@dataclass(frozen=True)
class Breakage:
    """One broken promise; `tests` are pytest's arguments, and all of them are green without it."""

    name: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]


def broken(name: str, tests: str, *edits: tuple[str, str, str]) -> Breakage:
    """A promise broken by these edits: for each the file, what is there, and what takes its place."""
    return Breakage(name, tuple(Edit(*edit) for edit in edits), tuple(shlex.split(tests)))


POINTS = "tests/faults/test_points.py"
FROZEN = f"{POINTS}::test_a_worker_frozen_around_the_post_sends_nothing_when_it_resumes"
ENQUEUES = f"{POINTS}::test_a_supervisor_killed_while_it_enqueues_is_replaced_by_any_other"
JOINS = "tests/faults/test_joins.py::test_nodes_join_one_cluster_in_turn_and_the_cluster_confirms_each"
RUN_CHOICES = "tests/clusters/test_run_choices.py"
LATE = "tests/faults/test_doubt.py::test_a_request_with_an_unknown_outcome_is_sent_once_more_at_most"
NOT_SCRUBBED = (
    "nodes/client.py",
    "parse(self.redaction.document(parse_json(read_body(response))))",
    "parse(parse_json(read_body(response)))",
)

BREAKAGES = (
    broken(
        "no intent is committed before the POST",
        FROZEN,
        (
            "attempts/engine/lease.py",
            "write(lease.attempt, intended.snapshot, intended.events, lease_expires_at=now + timing.LEASE, **_mark())",
            "pass",
        ),
    ),
    # a late write that is also an event stumbles over its number; one without must be held up by this alone
    broken(
        "writes without compare-and-set",
        "tests/attempts/engine -k 'worker_that_was_replaced or takes_its_lease_away'",
        ("attempts/engine/lease.py", "filter(pk=attempt.pk, **as_read)", "filter(pk=attempt.pk)"),
    ),
    broken(
        "no lease: every notified worker works",
        "tests/attempts/engine -k only_one_of_two_workers",
        ("attempts/engine/lease.py", "clock.is_due(now) & clock.is_free(now)", "clock.is_due(now)"),
        ("attempts/engine/lease.py", "lease_expires_at=now + timing.LEASE,\n            lease_held", "lease_held"),
    ),
    broken(
        "no quiet time before a request is sent again",
        LATE,
        ("attempts/reducer/unknown_outcome.py", "    if not snapshot.is_settled:\n", "    if False:\n"),
    ),
    broken(
        "a supervisor that rings only once",
        ENQUEUES,
        ("worker/schedule.py", "waiting |= Q(enqueued_at__lte=now - timing.ENQUEUE_AGAIN)", "pass"),
    ),
    broken(
        "redirects are followed",
        "tests/nodes/test_transport.py -k redirect",
        ("nodes/connection.py", "allow_redirects=False", "allow_redirects=True"),
        ("nodes/transport.py", "    def get_redirect_target(", "    def unused("),
    ),
    broken(
        "any certificate will do",
        "tests/nodes/test_client.py tests/nodes/test_handshake.py -k certificate",
        ("nodes/transport.py", "            raise NodeUntrusted(self.certificate)\n", "            pass\n"),
    ),
    broken(
        "a new certificate is believed at any time",
        "tests/attempts/engine tests/attempts/reducer -k certificate",
        (
            "attempts/reducer/watching.py",
            "        snapshot.watches\n        and snapshot.action is not Action.JOIN\n",
            "        snapshot.action is not Action.JOIN\n",
        ),
    ),
    broken(
        "a new certificate is believed after a 409",
        "tests/attempts/reducer -k new_certificate",
        ("attempts/reducer/watching.py", "        and not snapshot.is_refused\n", ""),
    ),
    broken(
        "nodes join one cluster at the same time",
        JOINS,
        (
            "attempts/locks.py",
            "ClusterLock.objects.bulk_create(ClusterLock(key=key, attempt=attempt) for key in wanted)",
            "pass",
        ),
    ),
    broken(
        "what the node says is success, and its cluster is not asked",
        JOINS,
        (
            "attempts/reducer/watching.py",
            "    return poll_again(verifying, now, *map(_warning, seen.status.warnings), event, at_once=True)\n",
            (
                "    succeeded = replace(verifying, state=State.SUCCEEDED, ended_at=now)\n"
                "    return Decision(succeeded, (replace(event, kind=State.SUCCEEDED),))\n"
            ),
        ),
    ),
    broken(
        "SQLite's transactions begin deferred",
        "tests/project/test_databases.py",
        ("project/databases.py", '"transaction_mode": "IMMEDIATE"', '"transaction_mode": "DEFERRED"'),
    ),
    # as it is without any care: the stream asks, in the thread that Django keeps for it until its end
    broken(
        "each stream asks the database",
        "tests/live/test_stream.py -k hold_neither_threads_nor_database_connections",
        (
            "live/stream/threads.py",
            'if scope["type"] != "http" or not STREAM.search(scope["path"]):',
            'if scope["type"] != "http" or STREAM:',
        ),
        (
            "live/stream/views.py",
            "            await stream.wake.wait()",
            (
                "            await sync_to_async(queries.topics.read)(stream.subscription.names)\n"
                "            await stream.wake.wait()"
            ),
        ),
    ),
    broken(
        "credentials are kept in clear",
        "tests/attempts/test_vault.py",
        ("attempts/vault.py", "key.encrypt(nonce, document, _bound_to(owner, purpose))", "document"),
        ("attempts/vault.py", "{base64.b64encode(nonce + ciphertext).decode()}", "{ciphertext.decode()}"),
        (
            "attempts/vault.py",
            "        blob = base64.b64decode(text, validate=True)\n",
            "        blob = text.encode()\n",
        ),
        ("attempts/vault.py", "key.decrypt(blob[:NONCE_BYTES], blob[NONCE_BYTES:], _bound_to(owner, purpose))", "blob"),
    ),
    broken(
        "what a node says is not scrubbed",
        "tests/attempts/engine -k 'echo or secret'",
        NOT_SCRUBBED,
    ),
    broken(
        "no deadline",
        "tests/attempts/reducer tests/worker/test_supervisor.py -k deadline",
        (
            "attempts/reducer/__init__.py",
            "    if not snapshot.state.is_moving or snapshot.deadline_at is None:\n",
            "    if snapshot.state.is_moving or snapshot.deadline_at is None:\n",
        ),
    ),
    broken(
        "a run begins an attempt whose id it has not stored",
        "tests/clusters/test_crashes.py",
        ("clusters/engine/advance.py", "attempt_id=node.step.attempt_id,", "attempt_id=uuid4(),"),
        ("clusters/engine/advance.py", "from uuid import UUID\n", "from uuid import UUID, uuid4\n"),
    ),
    broken(
        "a run is changed without compare-and-set",
        f"{RUN_CHOICES} tests/clusters/test_run.py -k 'two_workers or between_the_id or looked_before'",
        (
            "clusters/engine/lease.py",
            "Run.objects.filter(pk=run.pk, lease_token=run.lease_token, last_seq=run.last_seq)",
            "Run.objects.filter(pk=run.pk)",
        ),
    ),
    broken(
        "a run begins the next node while one is being set up",
        "tests/clusters/test_decision_machine.py",
        (
            "clusters/decisions.py",
            "return self in {NodeProgress.DONE, NodeProgress.SKIPPED}",
            "return self in {NodeProgress.MOVING, NodeProgress.DONE, NodeProgress.SKIPPED}",
        ),
    ),
    broken(
        "a run does not wait until its cluster is fit",
        "tests/clusters/test_decisions.py tests/clusters/test_run_pauses.py -k 'goes_on or unfit'",
        ("clusters/decisions.py", "    if not run.is_fit:\n", "    if False:\n"),
    ),
    broken(
        "a paused run begins nodes",
        "tests/clusters/test_decisions.py",
        (
            "clusters/decisions.py",
            "    if run.state is RunState.PAUSED:\n        return _resume_after_attempt(run)\n",
            "",
        ),
    ),
    broken(
        "a run goes on for somebody who may not set up nodes",
        "tests/clusters/test_run_pauses.py -k starter_may_not",
        ("clusters/decisions.py", "    if not run.is_permitted:\n", "    if False:\n"),
    ),
    broken(
        "a run skips a node that may still come into the cluster",
        f"{RUN_CHOICES} -k skip",
        (
            "clusters/engine/advance.py",
            "if node.sent and not _is_active_or_free(run, progress, node.sent[-1]):",
            "if False:",
        ),
    ),
    broken(
        "a choice about a run is applied in parts",
        "tests/faults/test_run_choices.py -k 'choice_about and not committed'",
        (
            "clusters/engine/choices.py",
            "            with transaction.atomic():\n                _apply(",
            "            if True:\n                _apply(",
        ),
    ),
    broken(
        "the credentials of a run outlive it",
        "tests/clusters/test_crashes.py -k begun",
        (
            "clusters/engine/advance.py",
            "        vault.discard(run.pk)\n        reach(Point.RUN_COMMIT)",
            "        reach(Point.RUN_COMMIT)",
        ),
    ),
    broken(
        "what the cluster of a run says is not scrubbed",
        "tests/faults/test_canary_plans.py",
        NOT_SCRUBBED,
    ),
    broken(
        "a message is claimed without compare-and-set",
        "tests/notifications/test_deliveries.py -k another_worker_has_just_tried",
        (
            "notifications/deliveries.py",
            "filter(pk=found.pk, tries=found.tries, state=DeliveryState.WAITING)",
            "filter(pk=found.pk)",
        ),
    ),
    broken(
        "a message is sent while another worker sends it",
        "tests/notifications/test_deliveries.py -k another_worker_is_sending",
        ("notifications/deliveries.py", "    return free & Q(", "    return Q("),
    ),
    broken(
        "URL and key of a webhook are kept in clear",
        "tests/notifications/test_secrets.py -k row_holds",
        (
            "notifications/secrets.py",
            "webhook.sealed = vault.encrypt(webhook.owner, PURPOSE, document)",
            "webhook.sealed = document.decode()",
        ),
    ),
    broken(
        "any certificate of a receiver will do",
        "tests/notifications/test_sending.py -k certificate",
        (
            "notifications/sending.py",
            "    context = ssl.create_default_context()\n",
            (
                "    context = ssl.create_default_context()\n"
                "    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE\n"
            ),
        ),
    ),
    broken(
        "what a receiver says is not scrubbed",
        "tests/notifications/test_sending.py tests/notifications/test_deliveries.py -k 'quotes or no_secret'",
        (
            "notifications/sending.py",
            "clean(Redaction(secrets=tuple(hidden)).text(text), MAX_ANSWER)",
            "clean(text, MAX_ANSWER)",
        ),
    ),
    broken(
        "people get e-mail about setups that they may not see",
        "tests/notifications/test_email.py -k may_not_see",
        ("notifications/people.py", "preferences.all_setups and visibility.sees_all(user)", "preferences.all_setups"),
    ),
    broken(
        "the list shows attempts that one may not see",
        "tests/history -k 'others or may_see or only_their_own'",
        (
            "history/search.py",
            "found = visibility.visible_to(reader).order_by()\n        if self.state",
            "found = Attempt.objects.order_by()\n        if self.state",
        ),
    ),
    broken(
        "everybody may read the metrics",
        "tests/monitoring/test_metrics.py -k 'refuse or open'",
        (
            "monitoring/views.py",
            "    if not _knows_token(request) and not _is_in_network(request):\n",
            "    if False:\n",
        ),
    ),
    broken(
        "a certificate is approved that the operator has not seen",
        "tests/clusters/test_nodes_page.py -k still_shows",
        ("clusters/node_editing.py", "    if shown != look.fingerprint:\n", "    if False:\n"),
    ),
    broken(
        "the password goes to a cluster whose certificate is not approved",
        "tests/clusters/test_rack_awareness.py -k not_approved",
        (
            "clusters/cluster_check.py",
            "pins = {approval.fingerprint for approval in trust.approved(endpoint.key)}",
            "pins = {cluster}",
        ),
    ),
)
