"""The commands of docs/api.md, run against the demo as they are shown there."""

import json
import re
import stat
import subprocess
from pathlib import Path

import pytest

from tests.demos import CLONE
from tests.project.processes import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.slow]


def commands_of_the_page():
    page = (CLONE / "docs" / "api.md").read_text()
    shown = re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)  # an example with addresses of nowhere
    return "\n".join(re.findall(r"^ {4}(.*)$", shown, re.MULTILINE))


def run(demo, script):
    """Run it in a shell beside the demo's data, with the demo's own ports; give every JSON answer that was printed."""
    host, port = demo.nodes[0]["address"].split(":")
    ours = {"127.0.0.1:8000": f"127.0.0.1:{demo.port}", "127.0.0.2:9443": f"{host}:{port}", '"127.0.0.2"': f'"{host}"'}
    for shown, real in ours.items():
        assert shown in script
        script = script.replace(shown, real)
    shell = ["bash", "-euo", "pipefail", "-c", script]
    ended = subprocess.run(shell, cwd=demo.path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


def ask(demo, path):
    token = (demo.path / "var" / "demo" / "api-token").read_text().strip()
    url = f"http://127.0.0.1:{demo.port}/api/v1/{path}"
    command = ["curl", "-sS", "-H", f"Authorization: Bearer {token}", url]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_the_token_of_the_demo_is_private(demo):
    file = demo.path / "var" / "demo" / "api-token"

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().startswith("sw_")
    assert file.read_text().strip() not in demo.said
    assert not any(
        file.read_text().strip() in log.read_text() for log in (demo.path / "var" / "demo" / "logs").iterdir()
    )


def test_the_list_of_nodes_has_its_documented_format(demo):
    assert len(demo.nodes) == 3
    for node in demo.nodes:
        assert set(node) == {"address", "pid", "journal"}
        assert re.fullmatch(r"127\.0\.0\.\d:\d+", node["address"])
        assert isinstance(node["pid"], int)
        assert Path(node["journal"]).is_absolute()


def test_each_command_of_the_page_works(demo):
    probed, checked, attempt, events, listed = run(demo, commands_of_the_page())

    assert probed["state"] == "idle"
    assert checked["ready"] is True
    assert (attempt["action"], attempt["cluster"]) == ("create_cluster", "redis-prod.example.com")
    assert attempt["requested_by"] == "admin"
    assert all(event["seq"] > 1 for event in events["events"])
    assert listed["results"] == []  # it has only just begun
    wait_until(lambda: ask(demo, f"attempts/{attempt['id']}")["state"] == "succeeded", seconds=60)
    assert ask(demo, "attempts?state=succeeded&q=redis-prod")["count"] == 1


def test_the_token_still_works_after_a_restart(demo):
    token = (demo.path / "var" / "demo" / "api-token").read_text()

    demo.stop()
    demo.start()

    assert (demo.path / "var" / "demo" / "api-token").read_text() == token
    wait_until(demo.answers)
    assert isinstance(ask(demo, "attempts")["results"], list)
