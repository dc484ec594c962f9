"""Snapshots in every state, and observations of their nodes."""

from datetime import UTC, datetime, timedelta

from setup_wizard.attempts import timing
from setup_wizard.attempts.observations import Seen
from setup_wizard.attempts.reducer import Snapshot, decide
from setup_wizard.attempts.states import State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.status import BootstrapStatus, NodeState

NOW = datetime(2026, 11, 23, 14, 2, tzinfo=UTC)
BEFORE, OURS, LATER = "2026-11-23T14:00:00Z", "2026-11-23T14:02:04Z", "2026-11-23T14:05:00Z"
NODE, CLUSTER, STRANGE = "AA:01", "BB:02", "CC:03"
NAME = "redis-prod.example.com"
SETTLE_TIME = timing.SETTLE_TIME.total_seconds()


def seen(word, start_time=None, *, signed_in=False, fingerprint=NODE, code=None, **details):
    status = BootstrapStatus(NodeState(word), word, start_time, None, code, details)
    return Seen(status, fingerprint, signed_in=signed_in)


def snapshot(state, action=Action.CREATE, **known):
    known = {"started_at": NOW, "deadline_at": NOW + timedelta(minutes=30)} | known
    return Snapshot(state=state, action=action, fingerprint=NODE, **known)


def checking(**known):
    return snapshot(State.CHECKING, **known)


def sent(state=State.IN_PROGRESS, **known):
    known = {"submits": 1, "submit_intent_at": NOW, "baseline_state": "idle"} | known
    return snapshot(state, **known)


def through(attempt, *observations, every=timedelta(seconds=1)):
    """Apply one observation after another; return the last snapshot and the kinds of all events."""
    events, now = [], NOW
    for observation in observations:
        outcome = decide(attempt, observation, now)
        attempt, now = outcome.snapshot, now + every
        events += outcome.events
    return attempt, [event.kind for event in events]
