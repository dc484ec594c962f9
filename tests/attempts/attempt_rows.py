"""Rows of attempts, for tests of pages."""

from datetime import timedelta

from django.utils import timezone

from setup_wizard.attempts import search_text
from setup_wizard.attempts.models import Attempt, Event, ReducerState
from setup_wizard.attempts.states import Reason, State

REQUEST = {
    "action": "create_cluster",
    "cluster": {"name": "redis-prod.example.com"},
    "node": {"identity": {"addr": "10.0.0.5"}},
    "credentials": {"username": "admin@example.com", "password": "********"},
}


def create_attempt(**fields):
    """Create the two rows of an attempt."""
    attempt = Attempt(**fields)
    attempt.search_text = search_text.text_of(attempt)
    attempt.save(force_insert=True)
    ReducerState.objects.create(attempt=attempt)
    return attempt


def add_attempt(by, address="10.0.0.5:9443", *, cluster="redis-prod.example.com", minutes_ago=10, took=16, **fields):
    """Create an attempt that started `minutes_ago` and took `took` seconds; by default it succeeded."""
    created = timezone.now() - timedelta(minutes=minutes_ago)
    state = fields.pop("state", State.SUCCEEDED)
    attempt = create_attempt(
        requested_by=by,
        action=fields.pop("action", "create_cluster"),
        host=fields.pop("host", address.rpartition(":")[0]),
        address=address,
        cluster_name=cluster,
        username="admin@example.com",
        request=fields.pop("request", REQUEST),
        fingerprint=fields.pop("fingerprint", ":".join(["AB"] * 32)),
        state=state,
        created_at=created,
        started_at=created,
        ended_at=created + timedelta(seconds=took) if state.is_final else None,
        duration=took if state.is_final else None,
        submits=1,
        last_seq=1,
        **fields,
    )
    Event.objects.create(attempt=attempt, seq=1, kind="started", message=f"Started by {by}", by=by, at=created)
    return attempt


def add_refused(by, address="10.0.0.7:9443", **fields):
    """Create a join whose credentials the cluster refused."""
    return add_attempt(
        by,
        address,
        action="join_cluster",
        request=REQUEST | {"action": "join_cluster", "cluster": {"nodes": ["10.0.0.5"]}},
        cluster=fields.pop("cluster", "redis-test.example.com"),
        state=State.FAILED,
        reason=Reason.NODE_ERROR,
        error_code="access_denied",
        error_details={"message": "wrong user name or password"},
        **fields,
    )
