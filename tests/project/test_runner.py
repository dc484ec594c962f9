"""The runner, on small programs of its own."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from setup_wizard.project.demo import leftovers
from setup_wizard.project.demo.directory import Directory
from setup_wizard.project.demo.errors import CannotStartError
from setup_wizard.project.demo.runner import RESTART_DELAYS, Program, Runner
from tests.project.processes import end, is_running, wait_until

SLEEPER = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
# a program with a child process, whose ID it prints
PARENT = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid, flush=True)
time.sleep(60)
"""
RUNNER = f"""
import asyncio, sys
from pathlib import Path
from setup_wizard.project.demo.directory import Directory
from setup_wizard.project.demo.runner import Program, Runner

async def keep():
    runner = Runner(Directory(Path(sys.argv[1])), print, lambda: None)
    await runner.start(Program("worker", (sys.executable, "-c", {SLEEPER!r}), {{}}))
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


def program(code, name="worker"):
    return Program(name, (sys.executable, "-c", code), {})


async def until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s"
        await asyncio.sleep(0.02)
    return found


def test_a_killed_program_is_restarted_at_once_with_a_message(runner, said):
    async def kill_it_once():
        await runner.start(program(SLEEPER))
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


def test_a_program_that_keeps_failing_is_restarted_ever_later(runner, said, monkeypatch):
    monkeypatch.setattr("setup_wizard.project.demo.runner.RESTART_DELAYS", (0, 0.1, 0.2))

    async def watch():
        began = time.monotonic()
        await runner.start(program("raise SystemExit(3)"))
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


def test_restart_delays_grow_to_ten_seconds():
    assert RESTART_DELAYS == (0, 1, 2, 4, 8, 10)


def test_stop_kills_a_program_that_ignores_sigterm(runner, directory, monkeypatch):
    monkeypatch.setattr("setup_wizard.project.demo.runner.STOP_SECONDS", 0.2)

    async def start_and_stop():
        await runner.start(program(STUBBORN))
        await until(lambda: directory.log("worker").read_text() == "up\n")
        pid = runner.pids["worker"]
        await runner.stop()
        return pid

    assert not is_running(asyncio.run(start_and_stop()))


def test_one_program_can_be_stopped_while_the_others_run(runner, directory, said):
    async def end_one():
        await runner.start(program(SLEEPER, name="node-1"))
        await runner.start(program(SLEEPER, name="node-2"))
        await until(lambda: len(directory.pid_files()) == 2)
        pids = runner.pids
        await runner.stop_one("node-1")
        alive = {name: is_running(pid) for name, pid in pids.items()}
        left = set(runner.pids), set(directory.pid_files())
        await runner.stop()
        return alive, left

    alive, left = asyncio.run(end_one())

    assert alive == {"node-1": False, "node-2": True}
    assert left == ({"node-2"}, {directory.pid_file("node-2")})
    assert said == []


def test_a_program_can_be_stopped_while_it_waits_for_its_restart(runner, said, monkeypatch):
    monkeypatch.setattr("setup_wizard.project.demo.runner.RESTART_DELAYS", (60,))

    async def end_it():
        await runner.start(program("raise SystemExit(3)"))
        await until(lambda: said)
        began = time.monotonic()
        await runner.stop_one("worker")
        return time.monotonic() - began

    assert asyncio.run(end_it()) < 2
    assert runner.pids == {}


def test_stop_one_kills_a_program_that_ignores_sigterm(runner, directory, monkeypatch):
    monkeypatch.setattr("setup_wizard.project.demo.runner.STOP_SECONDS", 0.2)

    async def end_it():
        await runner.start(program(STUBBORN))
        await until(lambda: directory.log("worker").read_text() == "up\n")
        pid = runner.pids["worker"]
        await runner.stop_one("worker")
        return pid

    assert not is_running(asyncio.run(end_it()))


def test_a_second_ctrl_c_kills_programs_at_once(runner, directory):
    async def start_and_hurry():
        await runner.start(program(STUBBORN))
        await until(lambda: directory.log("worker").read_text() == "up\n")
        stopping = asyncio.create_task(runner.stop())
        await asyncio.sleep(0)
        runner.kill_all()
        began = time.monotonic()
        await stopping
        return time.monotonic() - began

    assert asyncio.run(start_and_hurry()) < 2


def test_child_processes_of_a_program_end_with_it(runner, directory):
    async def start_and_stop():
        await runner.start(program(PARENT))
        helper = int(await until(lambda: directory.log("worker").read_text().strip()))
        assert is_running(helper)
        await runner.stop()
        return helper

    helper = asyncio.run(start_and_stop())

    wait_until(lambda: not is_running(helper), seconds=3)


def test_a_stopped_runner_leaves_no_pid_file(runner, directory):
    async def start_and_stop():
        await runner.start(program(SLEEPER))
        await until(directory.pid_files)
        await runner.stop()

    asyncio.run(start_and_stop())

    assert directory.pid_files() == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start stops what is left")
def test_programs_of_a_killed_launcher_end_with_it(directory):
    with subprocess.Popen([sys.executable, "-c", RUNNER, directory.path], stdout=subprocess.PIPE, text=True) as runner:
        pid = int(runner.stdout.readline())
        wait_until(lambda: directory.log("worker").read_text() == "up\n")
        assert is_running(pid)

        runner.kill()

        wait_until(lambda: not is_running(pid), seconds=3)


def test_a_command_that_fails_shows_the_end_of_its_log(runner):
    with pytest.raises(CannotStartError) as failure:
        asyncio.run(runner.run(program("import sys; sys.exit('no such table')", name="migrate")))

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
def test_a_leftover_process_is_stopped(directory):
    with subprocess.Popen([sys.executable, "-c", SLEEPER], start_new_session=True) as left:
        directory.pid_file("web").write_text(asyncio.run(leftovers.describe(left.pid)))

        asyncio.run(leftovers.stop_leftovers(directory.pid_files()))

        assert left.wait(1) == -signal.SIGTERM
    assert directory.pid_files() == []


@pytest.mark.usefixtures("system")
def test_another_process_with_a_reused_id_keeps_running(directory):
    stranger = subprocess.Popen([sys.executable, "-c", SLEEPER], start_new_session=True)
    directory.pid_file("web").write_text(f"{stranger.pid}\nborn another day\n")

    asyncio.run(leftovers.stop_leftovers(directory.pid_files()))

    alive = stranger.poll() is None
    end(stranger.pid)
    stranger.wait()
    assert alive
    assert directory.pid_files() == []
