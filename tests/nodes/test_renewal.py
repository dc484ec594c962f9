"""Fresh nodes are asked of the demo's runner, by a file; outside the demo nobody can be asked."""

from datetime import UTC, datetime
from threading import Thread

import pytest

from setup_wizard.nodes import renewal
from tests.project.processes import wait_until


@pytest.fixture
def directory(settings, tmp_path):
    settings.SETUP_WIZARD_DEMO = True
    settings.SETUP_WIZARD_DEMO_DIRECTORY = str(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("demo", "place"), [(False, "/srv/demo"), (True, ""), (False, "")])
def test_outside_the_demo_nobody_can_be_asked(settings, demo, place):
    settings.SETUP_WIZARD_DEMO, settings.SETUP_WIZARD_DEMO_DIRECTORY = demo, place

    assert not renewal.is_possible()
    assert renewal.renewed_at() is None


def test_the_first_nodes_were_never_replaced(directory):
    assert renewal.is_possible()
    assert renewal.renewed_at() is None


def test_the_runner_writes_down_when_the_old_ones_ended(directory):
    ended = datetime(2026, 11, 23, 14, 2, 4, tzinfo=UTC)
    (directory / renewal.RENEWED_AT).write_text(ended.isoformat())

    assert renewal.renewed_at() == ended


def test_a_note_that_was_spoilt_is_no_note(directory):
    (directory / renewal.RENEWED_AT).write_text("yesterday")

    assert renewal.renewed_at() is None


def test_asking_waits_until_the_runner_has_done_it(directory):
    request = directory / renewal.REQUEST

    def keep():
        wait_until(request.exists)
        request.unlink()

    runner = Thread(target=keep)
    runner.start()

    assert renewal.ask()
    runner.join()


def test_a_runner_that_is_gone_is_not_waited_for_for_ever(directory, monkeypatch):
    monkeypatch.setattr(renewal, "PATIENCE", 0.2)

    assert not renewal.ask()
    assert not (directory / renewal.REQUEST).exists()
