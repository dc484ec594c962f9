"""Newer code meets the rows of older code: filled into the tables of an earlier version, migrated, and taken over.

Row 49 of docs/failure-modes.md.
"""

from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.utils import timezone

from setup_wizard.access import tokens
from setup_wizard.attempts import vault
from setup_wizard.attempts.engine import schedule
from setup_wizard.attempts.models import Attempt, ClusterLock, Event
from setup_wizard.attempts.states import Choice, Reason, State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import BootstrapRequest, ClusterIdentity, Credentials, Identity, NodeIdentity
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.nodes import client as node_client
from setup_wizard.nodes import trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.probe import fetch_certificate, probe
from setup_wizard.nodes.signing import SignIn
from tests.attempts.conftest import PASSWORD, follow, kinds
from tests.nodes.servers import wait_until
from tests.reference_node.running import start_node

# not traced: twice as long otherwise, and what takes the rows over has its own tests
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300), pytest.mark.untraced]

VERSIONS = ["0001_initial", "0003_proof_and_doubt"]
CREDENTIALS = Credentials(username="admin@example.com", password=Secret(PASSWORD))
SIGN_IN = SignIn.of(CREDENTIALS)
MOVING = [state for state in State if state.is_moving]
AT_THE_NODE = {
    State.SUBMITTING,
    State.IN_PROGRESS,
    State.VERIFYING,
}  # their POST has arrived; the unknown one's has not
# what an attempt rested for at the time of the first version
RESTING = [
    Reason.FOREIGN_IN_PROGRESS,
    Reason.NOT_ACCEPTED,
    Reason.LOST_CONTACT,
    Reason.OVERDUE,
    Reason.CREDENTIALS_REFUSED,
    Reason.TRUST,
    Reason.SUPERSEDED,
]
ENDED = [(State.SUCCEEDED, Reason.NONE), (State.FAILED, Reason.UNREACHABLE), (State.CANCELLED, Reason.CANCELLED)]
FINGERPRINT = ":".join(["AB"] * 32)


def migrate(*targets):
    executor = MigrationExecutor(connection)
    executor.migrate(list(targets) or executor.loader.graph.leaf_nodes())
    return executor.loader.project_state(list(targets)).apps if targets else None


@pytest.fixture(params=VERSIONS)
def older(request):
    """The models of an earlier version, on its tables; `migrate()` brings the present ones."""
    yield migrate(("attempts", request.param))
    migrate()


def request_for(name, ip="10.0.0.5"):
    return BootstrapRequest(
        action=Action.CREATE,
        cluster=ClusterIdentity(name=name),
        node=NodeIdentity(identity=Identity(addr=ip)),
        credentials=CREDENTIALS,
    )


def add_row(older, by, state, address="10.0.0.5:9443", **fields):
    """One attempt with what the older version kept of it, its event, and its sealed sign-in while it moves."""
    now = timezone.now()
    name, place = f"redis-{state.value.replace('_', '-')}.example.com", Address.parse(address)
    row = older.get_model("attempts", "Attempt").objects.create(
        requested_by_id=by.pk,
        action=Action.CREATE,
        host=place.host,
        address=address,
        cluster_name=fields.pop("cluster_name", name),
        cluster_keys=[f"name:{name}", f"node:{address}"],
        request=request_for(name, place.host).redacted(),
        username=CREDENTIALS.username,
        state=state,
        accept_new_certificate=True,
        created_at=now - timedelta(minutes=1),
        started_at=None if state is State.QUEUED else now - timedelta(minutes=1),
        # another than what a start gives by itself, so that one that is set anew shows
        deadline_at=None if state is State.QUEUED else now + timedelta(minutes=17),
        last_seq=1,
        **{"fingerprint": FINGERPRINT} | fields,
    )
    older.get_model("attempts", "Event").objects.create(
        attempt=row, seq=1, kind="started", message=f"Started by {by}", by_id=by.pk
    )
    if state.is_moving:
        vault.seal(row.pk, CREDENTIALS, expires_at=now + timedelta(days=7))
        if state is not State.QUEUED:
            for key in row.cluster_keys:
                older.get_model("attempts", "ClusterLock").objects.create(key=key, attempt=row)
    return row


def add_moving(older, by, state, node):
    """The row of an attempt that moves, with its node as far as the attempt had come when the older worker stopped."""
    seen = probe(Address.parse(node.address))
    trust.approve(seen.endpoint, seen.certificate, by=by)
    pin, fields = seen.certificate.fingerprint, {"fingerprint": seen.certificate.fingerprint}
    if state not in {State.QUEUED, State.CHECKING}:
        fields |= {"submits": 1, "submit_intent_at": timezone.now() - timedelta(seconds=2), "baseline_state": "idle"}
    if state in AT_THE_NODE:
        with node_client.connect(seen.endpoint, {pin}) as there:
            there.bootstrap(request_for(f"redis-{state.value.replace('_', '-')}.example.com", seen.endpoint.ip))
    if state is State.SUBMITTING:
        # its worker has died in the middle, and nobody has taken it up
        fields |= {"lease_held": True, "lease_token": 4}
    if state is State.IN_PROGRESS:
        fields |= {"node_state": "initiated"}
    if state is State.VERIFYING:
        wait_until(lambda: is_member(seen.endpoint), seconds=20)
        fields |= {"node_state": "completed", "signs_in": True}
        fields |= {"new_fingerprint": fetch_certificate(seen.endpoint).fingerprint}
    return add_row(older, by, state, seen.endpoint.key, **fields)


def is_member(endpoint):
    shown = fetch_certificate(endpoint).fingerprint
    try:
        with node_client.connect(endpoint, {shown}) as there:
            return there.status(SIGN_IN).status.word == "completed"
    except node_client.NodeError:
        return False


@pytest.fixture
def browser(maria):
    browser = Client()
    browser.force_login(maria)
    return browser


@pytest.fixture
def shown(browser, maria):
    """How an attempt is drawn: as a page, and as the document that a program gets."""
    program = Client(headers={"Authorization": f"Bearer {tokens.issue(maria)}"})

    def read(attempt):
        pages = [browser.get(f"/attempts/{attempt.pk}/"), browser.get(f"/attempts/{attempt.pk}/panel/")]
        documents = [program.get(f"/api/v1/attempts/{attempt.pk}{part}") for part in ("", "/events")]
        assert [answer.status_code for answer in [*pages, *documents]] == [200] * 4
        return pages[0].text, documents[0].json()

    return read


def test_every_attempt_that_moved_is_taken_over_and_sent_once_in_all(older, maria, shown, tmp_path):
    with ExitStack() as stack:
        nodes = {state: stack.enter_context(start_node(tmp_path / state.value, pace=0.1)) for state in MOVING}
        rows = {state: add_moving(older, maria, state, nodes[state]) for state in MOVING}

        migrate()

        for state in MOVING:
            attempt = Attempt.objects.get(pk=rows[state].pk)
            page, document = shown(attempt)
            assert (document["state"], document["cluster"]) == (state, attempt.cluster_name)
            assert attempt.cluster_name in page
            hurry = state is State.UNKNOWN
            follow(attempt, until=lambda each, hurry=hurry: over(each, hurry=hurry))
            assert (state, attempt.status) == (state, State.SUCCEEDED)
            assert len(nodes[state].accepted()) == 1
            if state is not State.QUEUED:
                assert attempt.deadline_at == rows[state].deadline_at
            assert shown(attempt)[1]["state"] == "succeeded"
            assert not ClusterLock.objects.filter(attempt=attempt).exists()

    of = {state: kinds(Attempt.objects.get(pk=row.pk)) for state, row in rows.items()}
    assert "resumed" in of[State.SUBMITTING]
    assert "adopted" in of[State.SUBMITTING]
    assert "resubmitting" in of[State.UNKNOWN]
    assert [state for state in MOVING if "name_proved" not in of[state]] == []


def over(attempt, *, hurry):
    """Whether it moves no more; the quiet time of one that hurries is spent in steps of ten seconds, not of one."""
    if hurry and attempt.status is State.UNKNOWN and attempt.last_asked_at:
        Attempt.objects.filter(pk=attempt.pk).update(last_asked_at=attempt.last_asked_at - timedelta(seconds=10))
    return not attempt.status.is_moving


def test_the_deadline_of_one_that_moved_is_kept_though_its_looks_were_not_counted(older, maria, shown):
    past = timezone.now() - timedelta(seconds=1)
    rows = {
        state: add_row(older, maria, state, f"10.0.0.{number}:9443", submits=number > 1)
        for number, state in enumerate(MOVING)
        if state is not State.QUEUED
    }
    older.get_model("attempts", "Attempt").objects.update(deadline_at=past)

    migrate()
    schedule.sweep(timezone.now())

    for state, row in rows.items():
        attempt = Attempt.objects.get(pk=row.pk)
        expected = State.FAILED if state is State.CHECKING else State.NEEDS_OPERATOR
        assert (state, attempt.status) == (state, expected)
        assert attempt.deadline_at == past
        assert shown(attempt)[1]["state"] == expected


def test_one_that_rested_goes_on_resting_with_the_choices_of_today(older, maria, shown, browser):
    rows = {}
    for number, reason in enumerate(RESTING):
        fields = {"reason": reason, "rested_from": "in_progress", "rested_at": timezone.now(), "submits": 1}
        fields |= {"seen_certificate": {"fingerprint": FINGERPRINT, "subject": "CN=10.0.0.5", "sans": []}}
        rows[reason] = add_row(older, maria, State.NEEDS_OPERATOR, f"10.0.0.{number}:9443", **fields)

    migrate()

    for reason, row in rows.items():
        attempt = Attempt.objects.get(pk=row.pk)
        page, document = shown(attempt)
        assert (document["state"], document["reason"]) == ("needs_operator", reason)
        assert [choice["name"] for choice in document["choices"]] == list(reason.choices)
        for choice in reason.choices:
            assert f'action="/attempts/{attempt.pk}/{choice.value}/"' in page
        sent = {
            "confirmed": "yes",
            "seq": attempt.offered_seq,
            "fingerprint": FINGERPRINT,
            "username": CREDENTIALS.username,
            "password": PASSWORD,
        }
        browser.post(f"/attempts/{attempt.pk}/{reason.choices[0].value}/", sent)
        attempt.refresh_from_db()
        assert (reason, attempt.status.is_moving) == (reason, True)
        assert attempt.deadline_at > row.deadline_at
        assert Choice.STOP_WATCHING in attempt.choices


def test_one_that_waits_for_a_decision_is_given_up_after_its_seven_days(older, maria, shown):
    fields = {"reason": Reason.TRUST, "rested_from": "checking", "rested_at": timezone.now() - timedelta(days=7)}
    row = add_row(older, maria, State.NEEDS_OPERATOR, **fields)

    migrate()
    schedule.sweep(timezone.now())

    document = shown(Attempt.objects.get(pk=row.pk))[1]
    assert (document["state"], document["reason"]) == ("failed", "abandoned")


def test_what_had_ended_is_drawn_as_it_was_and_frees_its_node(older, maria, shown):
    ended = timezone.now()
    rows = [add_row(older, maria, state, reason=reason, ended_at=ended) for state, reason in ENDED]

    migrate()

    for row, (state, reason) in zip(rows, ENDED, strict=True):
        attempt = Attempt.objects.get(pk=row.pk)
        assert shown(attempt)[1]["state"] == state
        assert (attempt.status, attempt.why, attempt.ended_at) == (state, reason, ended)
        assert list(Event.objects.filter(attempt=attempt).values_list("message", flat=True)) == ["Started by maria"]
