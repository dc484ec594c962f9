"""One node wants credentials in the middle and shows a new certificate, another refuses all credentials."""

import pytest

from setup_wizard.attempts.choices import Choice, choices_of
from setup_wizard.attempts.states import Reason
from tests.faults.journal_checks import check_journals, describe
from tests.faults.system import PASSWORD
from tests.faults.test_points import begin
from tests.project.processes import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.chaos, pytest.mark.timeout(400)]

AT_WORK = "creating_cluster"


def test_credentials_are_sent_when_a_node_asks_and_requested_when_refused(system, note):
    """Even when a worker is killed meanwhile."""
    system.supervisor()
    first = system.worker()
    operator = system.operator()
    wanting = begin(system, operator, faults=[f"unauthorized={AT_WORK},unsigned"], pace=4)
    refusing = begin(system, operator, faults=[f"unauthorized={AT_WORK}"], pace=4)
    wait_until(lambda: "sign_in_refused" in system.kinds(refusing), seconds=60)
    first.kill()
    system.worker()
    signed, refused = system.settled(wanting, refusing)
    assert signed["state"] == "succeeded"
    assert (refused["state"], refused["reason"]) == ("needs_operator", Reason.CREDENTIALS_REFUSED)
    assert Choice.CREDENTIALS in choices_of(Reason(refused["reason"]))
    assert not system.database.has_secret(refusing)

    assert len(refused_sign_ins(system.journal(system.attempts[refusing]))) == 2

    system.remove_faults(system.attempts[refusing])
    operator.ask("choose", attempt=refusing, choice="credentials", password=PASSWORD, send_anyway=True)
    [row] = system.settled(refusing)

    assert row["state"] == "succeeded"
    for attempt in (wanting, refusing):
        check_no_sign_in_came_before_it_was_wanted(system.journal(system.attempts[attempt]))
    # in which order it was told depends on when somebody looked again
    assert {"sign_in_wanted", "certificate_replaced"} <= set(system.kinds(wanting))
    note("401 in the middle, and a new certificate; 401 that stays", describe(check_journals(system)))


def refused_sign_ins(journal):
    return [line for line in journal if line.get("authorization") and line.get("status") == 401]


def check_no_sign_in_came_before_it_was_wanted(journal):
    asked = next(number for number, line in enumerate(journal) if line.get("status") == 401)
    assert not any(line.get("authorization") for line in journal[:asked])
    assert any(line.get("authorization") for line in journal[asked:])
