"""The nodes of a plan that extends a cluster are checked by one sign-in at the cluster."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from setup_wizard.attempts.models import SentSignIn, SignInOutcome
from setup_wizard.attempts.preflight import Level, SharedAnswers, Source
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.clusters import checking, plans
from setup_wizard.clusters.document import read_document
from tests.clusters.conftest import CREDENTIALS, approve, has_ended, work

pytestmark = pytest.mark.django_db(transaction=True)
WRONG = Credentials(username="admin@example.com", password=Secret("Mistyped-horse-8"))


@pytest.fixture
def extending(begin, start_nodes, maria):
    """A plan that adds three nodes to a cluster of one; no sign-in is counted yet."""
    [member] = start_nodes(1)
    work(begin([member]), until=has_ended)
    SentSignIn.objects.all().delete()
    seen = approve(member, maria)
    nodes = [
        {"address": node.address, "fingerprint": approve(node, maria).certificate.fingerprint}
        for node in start_nodes(3, options=("--no-validate",))
    ]
    through = {
        "members": [seen.endpoint.ip],
        "member_fingerprint": seen.certificate.fingerprint,
        "cnm_https_port": seen.endpoint.port,
    }
    return plans.add(read_document({**through, "nodes": nodes, "username": "admin@example.com"}), by=maria)


def sign_in_results(nodes):
    return [next(each.result.level for each in node.outcomes if each.name == "sign_in") for node in nodes]


@pytest.mark.parametrize("at_start", [False, True])
@pytest.mark.parametrize(
    ("credentials", "expected"),
    [(CREDENTIALS, (Level.PASSED, SignInOutcome.ACCEPTED)), (WRONG, (Level.FAILED, SignInOutcome.REFUSED))],
    ids=["right", "wrong"],
)
def test_checks_of_all_nodes_sign_in_once(extending, maria, at_start, credentials, expected):
    plans.store_credentials(extending, credentials, by=maria)

    if at_start:
        nodes = checking.complete(extending, by=maria)
    else:
        checking.start(extending, by=maria)
        nodes = checking.read(extending)

    level, outcome = expected
    assert sign_in_results(nodes) == [level] * 3
    assert [row.result for row in SentSignIn.objects.all()] == [outcome]


def test_one_of_several_runs_asks_and_all_get_its_answer():
    shared = SharedAnswers()
    with ThreadPoolExecutor(8) as pool:
        claimed = list(pool.map(shared.claim, [Source.CLUSTER] * 8))
    shared.put(Source.CLUSTER, "the first answer")
    shared.put(Source.CLUSTER, "a late one")

    assert claimed.count(None) == 1
    assert {each.result(timeout=5) for each in claimed if each} == {"the first answer"}
    assert shared.claim(Source.NODE) is None
    assert shared.claim(Source.NODE) is None
