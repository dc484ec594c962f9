"""A setup that waits for another setup of its cluster names it, and says what that one waits for."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts.models import Attempt, ClusterLock
from setup_wizard.attempts.states import Reason, State
from tests.attempts.attempt_rows import add_attempt
from tests.attempts.conftest import tick

pytestmark = pytest.mark.django_db

KEYS = ["name:redis-prod.example.com"]


@pytest.fixture
def first(maria):
    """A join that needs a decision and holds the cluster."""
    holder = add_attempt(maria, "10.0.0.6:9443", state=State.NEEDS_OPERATOR, reason=Reason.OVERDUE, cluster_keys=KEYS)
    ClusterLock.objects.create(key=KEYS[0], attempt=holder)
    return holder


@pytest.fixture
def second(maria):
    """A join of the same cluster that was started after it."""
    for number in range(5):  # so that there is a usual time
        add_attempt(maria, f"10.0.1.{number}:9443", took=2, action="join_cluster")
    return add_attempt(
        maria, "10.0.0.7:9443", action="join_cluster", state=State.QUEUED, cluster_keys=KEYS, enqueued_at=None
    )


@pytest.fixture
def shown(client, maria):
    def read(attempt, by=maria):
        client.force_login(by)
        text = client.get(reverse("live:detail", args=[attempt.pk])).content.decode()
        return re.sub(r"\s+", " ", unescape(text))

    return read


def test_a_join_links_to_a_blocker_that_needs_a_decision(first, second, shown):
    tick(second)

    text = shown(second)
    panel = text[text.index('id="panel"') : text.index("<aside>")]
    assert f'<a href="{reverse("live:detail", args=[first.pk])}">10.0.0.6:9443</a> needs a decision first' in panel
    assert "usually" not in panel
    assert 'class="turning"' not in panel
    assert "Waiting for 10.0.0.6:9443, which waits for the operator" in text


def test_a_join_behind_a_running_setup_starts_by_itself(first, second, shown):
    Attempt.objects.filter(pk=first.pk).update(state=State.IN_PROGRESS, reason="")
    tick(second)

    text = shown(second)

    assert f'<a href="{reverse("live:detail", args=[first.pk])}">10.0.0.6:9443</a> has ended' in text
    assert "usually" not in text


def test_the_panel_changes_when_the_blocker_needs_a_decision(first, second):
    Attempt.objects.filter(pk=first.pk).update(state=State.IN_PROGRESS, reason="")
    tick(second)
    before = second.last_seq
    Attempt.objects.filter(pk=first.pk).update(state=State.NEEDS_OPERATOR, reason=Reason.OVERDUE)

    tick(second)
    tick(second)

    assert second.last_seq == before + 1


def test_the_blocker_is_no_link_for_a_user_who_may_not_see_it(first, second, shown, settings):
    settings.SETUP_WIZARD_ATTEMPTS = "own"
    jonas = assign(User.objects.create_user("jonas"), Role.OPERATOR)
    Attempt.objects.filter(pk=second.pk).update(requested_by=jonas)
    tick(second)

    text = shown(second, by=jonas)

    assert "10.0.0.6:9443 needs a decision first" in text
    assert str(first.pk) not in text


def test_the_blocker_is_cleared_when_the_cluster_is_free(first, second):
    tick(second)
    assert second.blocker_needs_operator
    ClusterLock.objects.all().delete()
    Attempt.objects.filter(pk=first.pk).update(state=State.CANCELLED, ended_at=timezone.now())

    tick(second)

    assert (second.status, second.blocked_by, second.blocker_needs_operator) == (State.CHECKING, "", False)
