"""Whether the promise was kept: what arrived at the nodes is compared with what the rows claim."""

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

from setup_wizard.attempts.choices import choices_of
from setup_wizard.attempts.reducer.snapshot import ACCESS_DENIED
from setup_wizard.attempts.states import Reason, State
from setup_wizard.attempts.timing import RETRY_SECRET_LIFE
from tests.faults import gateway, other_client
from tests.faults.databases import FINAL
from tests.faults.system import PASSWORD
from tests.spellings import leaks

NOT_OURS = (other_client.ADDRESS, gateway.ADDRESS)
"""Where others send from, which the nodes' journals tell."""
BEGAN = {Reason.NODE_ERROR, Reason.NODE_RESET}
"""The failures that claim that a bootstrap of ours had begun."""


def check_journals(system):
    """Hold every attempt of a system against the journals; gives how they ended."""
    found = Counter()
    for attempt, address in system.attempts.items():
        row = system.row(attempt)
        told = f"{attempt} at {address}: {row['state']} ({row['reason']}), {system.kinds(attempt)}"
        check_the_node_got_what_the_row_claims(system, attempt, address, told)
        check_it_has_ended_or_rests_with_choices(row, told)
        check_success_was_proved(system, address, row, told)
        check_its_history_has_no_gap(system, attempt, told)
        check_the_secret_went_with_the_outcome(system, attempt, row, told)
        found[row["reason"] or row["state"]] += 1
    for member in set(system.joins.values()):
        joins = [attempt for attempt, through in system.joins.items() if through == member]
        check_the_cluster_lists_what_the_rows_claim(system, member, joins)
        check_they_joined_one_after_the_other(system, joins)
    check_nobody_kept_the_password(system)
    return found


def sent_by_us(lines):
    return [line for line in lines if not line["peer"].startswith(NOT_OURS)]


def check_the_node_got_what_the_row_claims(system, attempt, address, told):
    others = [each for each, node in system.attempts.items() if node == address and each != attempt]
    ours, sent = sent_by_us(system.accepted(address)), sent_by_us(system.posts(address))
    row = system.row(attempt)
    assert len(ours) <= 1 + len(others), f"{len(ours)} accepted: {told}"
    if others:
        return  # which of them had it, only their order in time could tell
    assert len(sent) <= row["submits"], f"{len(sent)} POSTs arrived, {row['submits']} intents: {told}"
    if row["state"] == State.SUCCEEDED or row["reason"] in BEGAN:
        assert len(ours) == 1, f"claims one, {len(ours)} accepted: {told}"
    in_doubt = "unconfirmed" in system.kinds(attempt)  # then a failure is claimed for nobody
    if row["state"] == State.FAILED and row["reason"] not in BEGAN and not in_doubt:
        assert len(ours) == 0, f"claims none, {len(ours)} accepted: {told}"
    if row["reason"] == Reason.NOT_ACCEPTED:
        assert len(ours) == 0, f"claims none, {len(ours)} accepted: {told}"


def check_success_was_proved(system, address, row, told):
    """The node was asked, with a sign-in that it accepted, which cluster it is in and how that lists it."""
    if row["state"] == State.SUCCEEDED:
        answered = [line for line in system.journal(address) if line.get("signed_in") and line["status"] == 200]
        assert {"/v1/cluster", "/v1/nodes"} <= {line["path"] for line in sent_by_us(answered)}, told


def check_the_cluster_lists_what_the_rows_claim(system, member, joins):
    ended = [(host(system.attempts[attempt]), system.row(attempt)["state"]) for attempt in joins]
    succeeded = {node for node, state in ended if state == State.SUCCEEDED}
    waiting = {node for node, state in ended if state == State.NEEDS_OPERATOR}
    active = {node for node, status in other_client.nodes(member).items() if status == "active"} - {host(member)}
    assert succeeded <= active <= succeeded | waiting, f"{member} lists {active}, the rows claim {succeeded}"


def check_they_joined_one_after_the_other(system, joins):
    nodes = {system.attempts[attempt] for attempt in joins}
    turns = sorted(filter(None, (turn_of(system.journal(node)) for node in nodes)))
    assert all(ended <= began for (_, ended), (began, _) in pairwise(turns)), turns


def turn_of(journal):
    """When a node began, and when it first showed its end; None when it never began."""
    began = next((line["at"] for line in journal if line.get("accepted")), None)
    ends = [line["at"] for line in journal if line.get("state") in {"completed", "error"}]
    return began and (began, min(ends, default="never"))


def host(address):
    return address.rpartition(":")[0]


def check_it_has_ended_or_rests_with_choices(row, told):
    assert row["state"] in FINAL or (row["state"] == State.NEEDS_OPERATOR and choices_of(Reason(row["reason"]))), told
    assert (row["ended_at"] is not None) == (row["state"] in FINAL), told


def check_its_history_has_no_gap(system, attempt, told):
    events = system.database.events(attempt)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1)), told
    assert events[0]["kind"] == "started", told
    kinds = Counter(event["kind"] for event in events)
    assert kinds["submitting"] <= 2 + kinds["not_sent"] + kinds["send_again"], told
    ends = [number for number, event in enumerate(events) if event["kind"] in {"succeeded", "failed", "cancelled"}]
    assert ends in ([], [len(events) - 1]), told


def check_the_secret_went_with_the_outcome(system, attempt, row, told):
    """Only a failure keeps it, for a retry soon, unless it was refused itself."""
    if row["state"] == State.FAILED and not were_refused(row):
        assert not system.database.has_secret(attempt, beyond=RETRY_SECRET_LIFE), told
    elif row["state"] in FINAL or not Reason(row["reason"]).keeps_credentials:
        assert not system.database.has_secret(attempt), told


def were_refused(row):
    """Whether the node or the cluster refused the credentials of an attempt."""
    is_refused = row["error_code"] == ACCESS_DENIED or row["answer_status"] in {401, 403}
    return is_refused or row["refused_since"] is not None or row["refused_sign_ins"] > 0


def check_nobody_kept_the_password(system):
    """Not the database's bytes, nor a log, the queue's file, or a node's journal."""
    assert leaks(system.database.bytes(), PASSWORD) == []
    files = [path for path in system.place.rglob("*") if "nodes" not in path.relative_to(system.place).parts]
    for path in [*filter(Path.is_file, files), *system.nodes.values()]:
        assert leaks(path.read_bytes(), PASSWORD) == [], path


def describe(found):
    return ", ".join(f"{count} {how}" for how, count in sorted(found.items())) or json.dumps(None)
