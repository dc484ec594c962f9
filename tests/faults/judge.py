"""Whether the promise was kept: what arrived at the nodes is compared with what the rows claim."""

import base64
import json
from collections import Counter
from urllib.parse import quote

from setup_wizard.attempts.states import Reason, State
from tests.faults.world import FINAL, PASSWORD

SPELLINGS = [
    word.encode()
    for word in (
        PASSWORD,
        quote(PASSWORD, safe=""),
        base64.b64encode(PASSWORD.encode()).decode(),
        base64.b64encode(f"admin@example.com:{PASSWORD}".encode()).decode(),
        PASSWORD.encode().hex(),
    )
]
STRANGER = "127.0.0.99"
"""Where the tests' own second client sends from, which the nodes' journals tell."""


def judge(world):
    """Hold every attempt of a world against the journals; gives how they ended."""
    found = Counter()
    for attempt, address in world.attempts.items():
        row = world.row(attempt)
        told = f"{attempt} at {address}: {row['state']} ({row['reason']}), {world.kinds(attempt)}"
        check_the_node_got_what_the_row_claims(world, attempt, address, told)
        check_it_has_ended_or_rests_with_choices(row, told)
        check_its_history_has_no_gap(world, attempt, told)
        check_the_secret_went_with_the_verdict(world, attempt, row, told)
        found[row["reason"] or row["state"]] += 1
    check_nobody_kept_the_password(world)
    return found


def check_the_node_got_what_the_row_claims(world, attempt, address, told):
    others = [each for each, node in world.attempts.items() if node == address and each != attempt]
    ours = [line for line in world.accepted(address) if not line["peer"].startswith(STRANGER)]
    sent = [line for line in world.posts(address) if not line["peer"].startswith(STRANGER)]
    row = world.row(attempt)
    assert len(ours) <= 1 + len(others), f"{len(ours)} accepted: {told}"
    if others:
        return  # which of them had it, only their order in time could tell
    assert len(sent) <= row["submits"], f"{len(sent)} POSTs arrived, {row['submits']} intents: {told}"
    if row["state"] == State.SUCCEEDED or row["reason"] == Reason.NODE_ERROR:
        assert len(ours) == 1, f"claims one, {len(ours)} accepted: {told}"
    if row["state"] == State.FAILED and row["reason"] != Reason.NODE_ERROR:
        assert len(ours) == 0, f"claims none, {len(ours)} accepted: {told}"
    if row["reason"] == Reason.NOT_ACCEPTED:
        assert len(ours) == 0, f"claims none, {len(ours)} accepted: {told}"


def check_it_has_ended_or_rests_with_choices(row, told):
    assert row["state"] in FINAL or (row["state"] == State.NEEDS_OPERATOR and Reason(row["reason"]).choices), told
    assert (row["ended_at"] is not None) == (row["state"] in FINAL), told


def check_its_history_has_no_gap(world, attempt, told):
    events = world.database.events(attempt)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1)), told
    assert events[0]["kind"] == "started", told
    kinds = Counter(event["kind"] for event in events)
    assert kinds["submitting"] <= 2 + kinds["not_sent"] + kinds["send_again"], told
    ends = [number for number, event in enumerate(events) if event["kind"] in {"succeeded", "failed", "cancelled"}]
    assert ends in ([], [len(events) - 1]), told


def check_the_secret_went_with_the_verdict(world, attempt, row, told):
    if row["state"] in FINAL or not Reason(row["reason"]).keeps_secret:
        assert not world.database.has_secret(attempt), told


def check_nobody_kept_the_password(world):
    """Not the database's bytes, nor a log, the queue's file, or a node's journal."""
    assert [word for word in SPELLINGS if word in world.database.bytes()] == []
    for path in world.place.rglob("*"):
        if path.is_file() and "nodes" not in path.relative_to(world.place).parts:
            content = path.read_bytes()
            assert [word for word in SPELLINGS if word in content] == [], path
    for journal in world.nodes.values():
        content = journal.read_bytes()
        assert [word for word in SPELLINGS if word in content] == [], journal


def describe(found):
    return ", ".join(f"{count} {how}" for how, count in sorted(found.items())) or json.dumps(None)
