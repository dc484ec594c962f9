"""What a node is said to be: each option of the command line, and what comes of it."""

import json
from email.utils import parsedate_to_datetime

import pytest

from .conftest import MARIA, Caller, create_body
from .test_commandline import run


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--memory-bytes", "8GB"], "'8GB' is not a number of bytes"),
        (["--flash-bytes", "0"], "'0' is not a number of bytes"),
        (["--memory-bytes", "9" * 40], "is not a number of bytes"),
        (["--clock-offset", "soon"], "'soon' is not a number of seconds"),
        (["--clock-offset", "nan"], "'nan' is not a number of seconds"),
        (["--clock-offset", "1e12"], "'1e12' is not a number of seconds"),
        (["--socket-directory", "sockets"], "'sockets' is not an absolute path"),
        (["--install-dir", ""], "'' is not an absolute path"),
        (["--config-dir", "etc"], "'etc' is not an absolute path"),
        (["--os-user", ""], "'' is not a name"),
        (["--mounts", "/absent"], "/absent cannot be read: No such file or directory"),
        (["--viewer", "leo@example.com"], "a name, a colon and a password are needed"),
        (["--dialect", "klingon"], "invalid choice: 'klingon'"),
    ],
)
def test_a_bad_option_is_named_before_anything_starts(arguments, words):
    ended = run(*arguments)

    assert ended.returncode == 2
    assert words in ended.stderr


def test_every_option_reaches_the_node(start, tmp_path):
    (tmp_path / "mountinfo").write_text(f"41 22 0:50 / {tmp_path} rw - nfs filer.example.com:/export rw\n")
    member = start("member")
    Caller(member.address).create()
    options = ["--memory-bytes=17179869184", "--flash-bytes=429496729600", "--clock-offset=3600"]
    options += ["--software-version=7.4.2-54", "--socket-directory=/tmp/s", "--install-dir=/srv/i"]
    options += ["--config-dir=/srv/c", "--os-user=redis", f"--mounts={tmp_path}/mountinfo", "--no-validate"]
    node = Caller(start("node", options=tuple(options)).address)
    Caller(member.address).wait_until("completed")

    facts = node.get().json()["local_node_info"]
    validation = node.post("validate/create_cluster", {})
    node.create()
    on_nfs = node.wait_until("error", "completed")

    assert (facts["total_memory"], facts["bigstore_size"]) == (17179869184, 429496729600.0)
    assert facts["software_version"] == "7.4.2-54"
    assert validation.status_code == 404
    assert on_nfs["error_details"]["file_system"] == "nfs"
    assert json.loads((tmp_path / "node" / "node.json").read_text())["progress"]["end_time"] > 0


def test_members_see_the_pretended_memory_of_a_node(member, serve):
    node = Caller(serve(memory=2**34).address)
    node.join(member)
    node.wait_until("completed")

    entry = member.get("/v1/nodes", auth=MARIA).json()[1]

    assert entry["total_memory"] == 2**34


def test_the_clock_offset_shows_in_the_times_of_a_bootstrap(serve):
    true, ahead = Caller(serve("true").address), Caller(serve("ahead", clock_offset=86400.0).address)
    for node in (true, ahead):
        node.create()

    times = [node.wait_until("completed")["start_time"] for node in (true, ahead)]

    assert times[0] < times[1]


def test_the_clock_offset_shows_in_the_date_of_every_answer(serve):
    true, behind = Caller(serve("true").address), Caller(serve("behind", clock_offset=-7200.0).address)

    dates = [
        parsedate_to_datetime(node.get(path).headers["Date"])
        for path in ("/v1/bootstrap", "/v1/absent", "/v1/nodes")
        for node in (true, behind)
    ]

    for here, there in zip(dates[::2], dates[1::2], strict=True):
        assert 7190 < (here - there).total_seconds() < 7210


@pytest.mark.parametrize(
    ("version", "has"), [("7.2.4-92", False), ("7.4.2-54", True), ("7.22.0-216", True), ("8.0.2", True)]
)
def test_older_nodes_have_neither_validation_nor_check(serve, version, has):
    node = Caller(serve(software_version=version).address)
    validation = node.post("validate/create_cluster", create_body())
    node.create()
    node.wait_until("completed")

    check = node.get("/v1/cluster/check", auth=MARIA)

    assert [validation.status_code, check.status_code] == ([200, 200] if has else [404, 404])


def test_a_bootstrap_continues_after_a_restart_with_another_clock(start):
    node = start(pace=0.5, options=("--clock-offset=86400",))
    Caller(node.address).create()
    node.kill()
    node.options = ()

    node.restart()

    assert Caller(node.address).wait_until("completed", "error")["state"] == "completed"
