"""The runner, on small programs of its own."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from setup_wizard.project.demo import runner as keeping
from setup_wizard.project.demo import stale
from setup_wizard.project.demo.directory import Directory
from setup_wizard.project.demo.errors import CannotStartError
from setup_wizard.project.demo.runner import Part, Runner
from tests.project.processes import end, is_running, wait_until

SLEEPER = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
# a part that has a helper of its own, whose process id it prints
PARENT = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid, flush=True)
time.sleep(60)
"""
KEEPER = f"""
import asyncio, sys
from pathlib import Path
from setup_wizard.project.demo.directory import Directory
from setup_wizard.project.demo.runner import Runner, Part

async def keep():
    runner = Runner(Directory(Path(sys.argv[1])), print, lambda: None)
    await runner.start(Part("worker", (sys.executable, "-c", {SLEEPER!r}), {{}}))
    print(runner.pids["worker"], flush=True)
    await asyncio.sleep(60)

asyncio.run(keep())
"""


@pytest.fixture
def directory(tmp_path):
    directory = Directory(tmp_path / "demo")
    directory.prepare()
    return directory


@pytest.fixture
def said():
    return []


@pytest.fixture
def runner(directory, said):
    return Runner(directory, said.append, lambda: None)


def part(code, name="worker"):
    return Part(name, (sys.executable, "-c", code), {})


async def until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s"
        await asyncio.sleep(0.02)
    return found


def test_a_part_that_is_killed_is_started_again_at_once_and_that_is_said(runner, said):
    async def kill_it_once():
        await runner.start(part(SLEEPER))
        first = runner.pids["worker"]
        os.kill(first, signal.SIGKILL)
        second = await until(lambda: runner.pids["worker"] != first and runner.pids["worker"], seconds=1)
        alive = is_running(second)
        await runner.stop()
        return alive

    alive = asyncio.run(kill_it_once())

    assert alive
    assert len(said) == 1
    assert said[0].startswith("worker was killed by signal 9; starting it again now (")


def test_a_part_that_keeps_dying_is_started_again_after_longer_and_longer_pauses(runner, said, monkeypatch):
    monkeypatch.setattr(keeping, "PAUSES", (0, 0.1, 0.2))

    async def watch():
        began = time.monotonic()
        await runner.start(part("raise SystemExit(3)"))
        await until(lambda: len(said) == 4)
        await runner.stop()
        return time.monotonic() - began

    seconds = asyncio.run(watch())

    assert [line.partition(" (")[0] for line in said] == [
        "worker ended with exit code 3; starting it again now",
        "worker ended with exit code 3; starting it again in 0.1 s",
        "worker ended with exit code 3; starting it again in 0.2 s",
        "worker ended with exit code 3; starting it again in 0.2 s",
    ]
    assert seconds > 0.3


def test_the_pauses_grow_to_ten_seconds():
    assert keeping.PAUSES == (0, 1, 2, 4, 8, 10)


def test_a_part_that_ignores_the_polite_signal_is_stopped_all_the_same(runner, directory, monkeypatch):
    monkeypatch.setattr(keeping, "PATIENCE_SECONDS", 0.2)

    async def start_and_stop():
        await runner.start(part(STUBBORN))
        await until(lambda: directory.log("worker").read_text() == "up\n")
        pid = runner.pids["worker"]
        await runner.stop()
        return pid

    assert not is_running(asyncio.run(start_and_stop()))


def test_one_part_can_be_ended_for_good_while_the_others_run_on(runner, directory, said):
    async def end_one():
        await runner.start(part(SLEEPER, name="node-1"))
        await runner.start(part(SLEEPER, name="node-2"))
        await until(lambda: len(directory.notes()) == 2)
        pids = runner.pids
        await runner.end("node-1")
        alive = {name: is_running(pid) for name, pid in pids.items()}
        left = set(runner.pids), set(directory.notes())
        await runner.stop()
        return alive, left

    alive, left = asyncio.run(end_one())

    assert alive == {"node-1": False, "node-2": True}
    assert left == ({"node-2"}, {directory.note("node-2")})
    assert said == []


def test_a_part_that_waits_to_be_started_again_can_be_ended_too(runner, said, monkeypatch):
    monkeypatch.setattr(keeping, "PAUSES", (60,))

    async def end_it():
        await runner.start(part("raise SystemExit(3)"))
        await until(lambda: said)
        began = time.monotonic()
        await runner.end("worker")
        return time.monotonic() - began

    assert asyncio.run(end_it()) < 2
    assert runner.pids == {}


def test_a_stubborn_part_is_ended_all_the_same(runner, directory, monkeypatch):
    monkeypatch.setattr(keeping, "PATIENCE_SECONDS", 0.2)

    async def end_it():
        await runner.start(part(STUBBORN))
        await until(lambda: directory.log("worker").read_text() == "up\n")
        pid = runner.pids["worker"]
        await runner.end("worker")
        return pid

    assert not is_running(asyncio.run(end_it()))


def test_a_second_ctrl_c_does_not_wait(runner, directory):
    async def start_and_hurry():
        await runner.start(part(STUBBORN))
        await until(lambda: directory.log("worker").read_text() == "up\n")
        stopping = asyncio.create_task(runner.stop())
        await asyncio.sleep(0)
        runner.hurry()
        began = time.monotonic()
        await stopping
        return time.monotonic() - began

    assert asyncio.run(start_and_hurry()) < 2


def test_what_a_part_started_itself_ends_with_it(runner, directory):
    async def start_and_stop():
        await runner.start(part(PARENT))
        helper = int(await until(lambda: directory.log("worker").read_text().strip()))
        assert is_running(helper)
        await runner.stop()
        return helper

    helper = asyncio.run(start_and_stop())

    wait_until(lambda: not is_running(helper), seconds=3)


def test_a_stopped_runner_leaves_no_note_of_a_process(runner, directory):
    async def start_and_stop():
        await runner.start(part(SLEEPER))
        await until(directory.notes)
        await runner.stop()

    asyncio.run(start_and_stop())

    assert directory.notes() == {}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start stops what is left")
def test_the_parts_of_a_killed_runner_end_with_it(directory):
    with subprocess.Popen([sys.executable, "-c", KEEPER, directory.path], stdout=subprocess.PIPE, text=True) as runner:
        pid = int(runner.stdout.readline())
        wait_until(lambda: directory.log("worker").read_text() == "up\n")
        assert is_running(pid)

        runner.kill()

        wait_until(lambda: not is_running(pid), seconds=3)


def test_a_command_that_fails_shows_the_end_of_its_log(runner):
    with pytest.raises(CannotStartError) as failure:
        asyncio.run(runner.run(part("import sys; sys.exit('no such table')", name="migrate")))

    assert "migrate ended with exit code 1." in str(failure.value)
    assert "no such table" in str(failure.value)
    assert "migrate.log" in str(failure.value)


@pytest.fixture(params=["Linux", "Darwin"])
def system(request, monkeypatch):
    """Where a process's birth is asked of: the system's files, or ps."""
    if request.param == "Darwin" and shutil.which("ps") is None:
        pytest.skip("there is no ps here")
    monkeypatch.setattr("platform.system", lambda: request.param)


@pytest.mark.usefixtures("system")
def test_a_process_that_an_earlier_runner_left_is_stopped(directory):
    with subprocess.Popen([sys.executable, "-c", SLEEPER], start_new_session=True) as left:
        directory.note("web").write_text(asyncio.run(stale.describe(left.pid)))

        asyncio.run(stale.stop_stale(directory.notes()))

        assert left.wait(1) == -signal.SIGTERM
    assert directory.notes() == {}


@pytest.mark.usefixtures("system")
def test_a_process_that_has_the_number_of_one_of_ours_by_chance_is_left_alone(directory):
    stranger = subprocess.Popen([sys.executable, "-c", SLEEPER], start_new_session=True)
    directory.note("web").write_text(f"{stranger.pid}\nborn another day\n")

    asyncio.run(stale.stop_stale(directory.notes()))

    alive = stranger.poll() is None
    end(stranger.pid)
    stranger.wait()
    assert alive
    assert directory.notes() == {}
