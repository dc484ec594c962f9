"""The commands of docs/reference-node.md, run in a shell as they are shown there."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from setup_wizard.reference_node.control import read_description
from tests.project.processes import free_port

from .running import REPOSITORY


def commands_of_the_page():
    page = (REPOSITORY / "docs" / "reference-node.md").read_text()
    return "\n".join(re.findall(r"^ {4}(.*)$", page, re.MULTILINE))


def documents(text):
    """Every JSON document that was printed, one after the other."""
    found, rest = [], text.strip()
    while rest:
        document, end = json.JSONDecoder().raw_decode(rest)
        found.append(document)
        rest = rest[end:].strip()
    return found


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """What the lines print, run in a directory of their own and on a port that is free."""
    place = tmp_path_factory.mktemp("page")
    script = commands_of_the_page()
    for shown, real in {".venv/bin/python": sys.executable, "9443": str(free_port()), "9790": str(free_port())}.items():
        assert shown in script
        script = script.replace(shown, real)
    shell = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", f"trap 'kill $(jobs -p) 2> /dev/null || :' EXIT\n{script}\nwait"],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a line that fails must not leave the nodes running
    )
    try:
        said, complaints = shell.communicate(timeout=100)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGKILL)
    assert shell.returncode == 0, complaints
    listening, control, rest = said.split("\n", 2)
    assert listening.startswith("2 reference nodes listening on https://127.0.0.2:")
    assert control.startswith("faults and journal at http://127.0.0.1:")
    return documents(rest), place


def test_each_command_does_what_the_page_says(printed):
    idle, created, refused, cluster, nodes, invalid, failed, joined, license_ = printed[0][:9]

    assert idle["bootstrap_status"] == {"state": "idle"}
    assert created["bootstrap_status"]["state"] == "completed"
    assert refused["error_code"] == "unauthorized"
    assert cluster["name"] == "redis-prod.example.com"
    assert [(node["uid"], node["addr"], node["status"]) for node in nodes] == [(1, "127.0.0.2", "active")]
    assert (invalid["state"], invalid["error_code"]) == ("error", "access_denied")
    assert failed["bootstrap_status"]["error_code"] == "connect_error"
    assert "127.0.0.9" in failed["bootstrap_status"]["error_details"]["message"]
    assert [(node["uid"], node["addr"], node["status"]) for node in joined] == [
        (1, "127.0.0.2", "active"),
        (2, "127.0.0.3", "active"),
    ]
    assert (license_["cluster_name"], license_["shards_limit"]) == ("redis-prod.example.com", 8)


def test_the_commands_about_faults_add_and_remove_them(printed):
    put, provoked, noted, taken_away = printed[0][9:13]

    assert (put, taken_away) == (["answer=503:get:once", "echo"], [])
    assert provoked["error_code"] == "provoked"
    assert (noted["path"], noted["status"], noted["fault"]) == ("/v1/bootstrap", 503, "answer=503")
    assert (printed[1] / "var" / "practice" / "openapi.yaml").read_bytes() == read_description()


def test_the_overlays_change_what_a_member_says(printed):
    put, nodes, taken_away = printed[0][13:]

    assert (len(put), taken_away) == (5, [])
    assert [(node["uid"], node["status"]) for node in nodes] == [
        (1, "active"),
        (2, "decommissioning"),
        (3, "provisioning"),
    ]


def test_the_last_command_stops_the_nodes(printed):
    place = printed[1]

    assert not (place / "var" / "practice" / "nodes.json").exists()
    assert (place / "var" / "practice" / "node-2" / "journal.jsonl").exists()
