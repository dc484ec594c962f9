"""The API does what its description says, whatever is sent: schemathesis over every call, with all its checks.

No node can be reached from here: the allowed networks are empty, so that every start ends at its address.
"""

from itertools import cycle

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck
from hypothesis import settings as drawing

from setup_wizard.access import tokens
from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import Reason, State
from setup_wizard.clusters import checking, inventory, plans
from setup_wizard.clusters.document import read_document
from setup_wizard.clusters.models import Cluster, Run
from tests.attempts.attempt_rows import add_attempt

FINGERPRINT = ":".join(["AB"] * 32)
ROW = {"state": State.NEEDS_OPERATOR, "resume_state": State.IN_PROGRESS, "submits": 1}
# what an attempt waits for in turn, so that every choice is offered to some of the requests
WAITING = cycle([Reason.TRUST, Reason.CREDENTIALS_REFUSED, Reason.NOT_ACCEPTED, Reason.LOST_CONTACT])
# what a run waits for in turn, for the same reason
PAUSED = cycle(["requested", "check_failed", "credentials_expired", "skip_uncertain"])

# no transaction around it: a WSGI server ends the connection with each request
pytestmark = pytest.mark.django_db(transaction=True)

api = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
# A schema can say how an address or a cluster's name is spelt, not where it leads: what is well formed may be refused.
api.config.checks.positive_data_acceptance.expected_statuses += ["422"]


@pytest.fixture(autouse=True)
def _nothing_is_in_reach(settings):
    settings.SETUP_WIZARD_ALLOWED_NETWORKS = []
    settings.SETUP_WIZARD_ALLOW_LOOPBACK = False
    settings.SETUP_WIZARD_PLAN_PROBES_PER_MINUTE = 100_000
    settings.SETUP_WIZARD_PROBES_PER_MINUTE = settings.SETUP_WIZARD_STARTS_PER_MINUTE = 100_000


@pytest.fixture(autouse=True)
def _nodes_in_turn(monkeypatch):
    """Nodes are asked one after the other in this thread: SQLite's database of the tests is in memory."""
    monkeypatch.setattr(checking, "side_by_side", lambda work, positions: [work(each) for each in positions])


@pytest.fixture
def maria(db):
    return assign(User.objects.create_user("maria"), Role.OPERATOR)


@pytest.fixture
def token(maria):
    return tokens.issue(maria)


@pytest.fixture
def attempt(maria):
    return add_attempt(maria, state=State.NEEDS_OPERATOR, seen_certificate={"fingerprint": FINGERPRINT})


@pytest.fixture
def run(maria):
    plan = plans.add(read_document({"nodes": [{"address": "10.0.0.5:9443"}]}), by=maria)
    return Run.objects.create(plan=plan, started_by=maria)


@pytest.fixture
def cluster(maria):
    add_attempt(maria, "10.0.0.6:9443", node_uid="1")
    inventory.add_attempts()
    return Cluster.objects.get()


@api.parametrize()
# the fixtures are the same for every request of one call on purpose: the attempt rests again before each
@drawing(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_call_does_what_its_description_says(case, token, attempt, run, cluster):
    if case.path_parameters and case.meta.generation.mode.is_positive:
        known = {"attempt_id": str(attempt.pk), "plan_id": str(run.pk), "cluster_id": str(cluster.pk)}
        case.path_parameters.update({name: known[name] for name in case.path_parameters})
    Attempt.objects.filter(pk=attempt.pk).update(reason=next(WAITING), **ROW)
    Run.objects.filter(pk=run.pk).update(state="paused", reason=next(PAUSED), ended_at=None)

    case.call_and_validate(headers={"Authorization": f"Bearer {token}"})
