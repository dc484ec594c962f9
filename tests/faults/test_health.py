"""The demo, whole, logging all it can: what its logs say, fresh nodes, and a part that is frozen is named."""

import base64
import json
import os
import re
import signal
import time
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import expect

from setup_wizard.project.demo.directory import Directory
from tests.demos import Demo
from tests.faults.canary import Traffic
from tests.faults.conftest import PASSWORD, accepted
from tests.project.processes import wait_until
from tests.spellings import leaks

pytestmark = [pytest.mark.faults, pytest.mark.browser, pytest.mark.timeout(180)]

REPORTED_WITHIN, GREEN_WITHIN = 30, 40
NAMES = ["redis-prod.example.com", "redis-test.example.com", "redis-old.example.com"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Every library of it says everything; what was set before comes back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOG_LEVEL", "DEBUG")
        demo = Demo(tmp_path_factory.mktemp("clone")).start()
    yield demo
    demo.clean_up()


@pytest.fixture(scope="module")
def traffic(demo):
    """Every command that the demo's own queue gets, as it comes in."""
    traffic = Traffic(f"unix://{Directory(demo.path / 'var' / 'demo').socket()}?db=0")
    yield traffic.heard
    traffic.client.close()


@pytest.fixture(scope="module")
def attempts(demo, client, rows, traffic):
    """A cluster on each of the three nodes: all of them are used up."""
    begun = [client.create(node["address"], cluster=name) for node, name in zip(demo.nodes, NAMES, strict=True)]
    for attempt in begun:
        assert rows.outcome(attempt)["state"] == "succeeded"
    return begun


def log_of(demo, part):
    return (demo.path / "var" / "demo" / "logs" / f"{part}.log").read_text()


def lines_of(demo, part):
    return [json.loads(line) for line in log_of(demo, part).splitlines() if line.startswith("{")]


def ready(demo):
    answer = demo.get("/readyz")
    return {part: check["ok"] for part, check in json.loads(answer.text)["checks"].items()}


def test_the_demo_is_ready_when_the_link_is_printed(demo):
    assert ready(demo) == {"database": True, "broker": True, "supervisor": True, "worker": True, "broadcaster": True}


def test_no_log_has_the_password_of_an_attempt_at_level_debug(demo, attempts):
    logs = {path.name: path.read_text() for path in (demo.path / "var" / "demo" / "logs").iterdir()}

    assert '"level": "debug"' in logs["worker.log"]
    assert {name: found for name, text in logs.items() if (found := leaks(text.encode(), PASSWORD))} == {}
    assert [name for name, text in logs.items() if re.search(r"sessionid=\w|csrftoken=\w|Basic \w", text)] == []


def test_messages_carry_ids_or_nothing(traffic, attempts):
    """Not even the node's address, and never a credential."""
    sent = [json.loads(command[command.index("{") :]) for command in traffic if command.startswith("LPUSH")]
    arguments = [json.loads(base64.b64decode(message["body"]))[:2] for message in sent]

    assert [named for _, named in arguments if named] == []
    ids = [UUID(number) for args, _ in arguments for number in args]
    ticks = [
        args[0]
        for (args, _), message in zip(arguments, sent, strict=True)
        if message["headers"]["task"] == "setup_wizard.worker.tasks.tick"
    ]
    assert len(ids) > len(ticks) > 10
    assert set(ticks) == set(attempts)
    assert leaks("\n".join(traffic).encode(), PASSWORD) == []


def test_the_log_has_the_events_of_an_attempt_with_its_id(demo, rows, attempts):
    told = [line for line in lines_of(demo, "worker") if line.get("attempt") == attempts[0]]

    kinds = [line["kind"] for line in told if "kind" in line]
    asked = [line for line in told if line["logger"] == "setup_wizard.nodes.connection"]
    assert kinds == rows.kinds(attempts[0])[1:]  # Start itself is told by web
    assert "succeeded" in kinds
    assert {line["node"] for line in asked} == {demo.nodes[0]["address"]}
    assert len({line["lease"] for line in asked}) > 3


@pytest.mark.parametrize("part", ["web", "worker", "supervisor"])
def test_each_log_line_is_one_json_object(demo, attempts, part):
    lines = [line for line in log_of(demo, part).splitlines() if not line.startswith("System check identified no")]

    parsed = [json.loads(line) for line in lines]

    assert len(parsed) > 3
    assert all({"time", "level", "logger", "event"} <= line.keys() for line in parsed)


def test_reset_replaces_nodes_in_clusters_and_keeps_the_attempts(demo, client, rows, attempts):
    before = demo.nodes
    page = client.get("/setup/")
    assert "Reset demo nodes" in page

    answer = client.post("/demo/nodes/reset/")

    assert "The demo nodes were reset" in answer
    assert ">Reset demo nodes</button>" not in answer
    assert [node["address"] for node in demo.nodes] == [node["address"] for node in before]
    assert {node["pid"] for node in demo.nodes}.isdisjoint(node["pid"] for node in before)
    assert all(accepted(node) == [] for node in demo.nodes)
    assert {rows.row(attempt)["state"] for attempt in attempts} == {"succeeded"}

    card = client.post("/setup/available/", address=demo.nodes[0]["address"])
    assert "Ready to set up" in card
    assert "Set up this node alone" in card
    assert "/setup/join/" not in card
    assert "Join the next node" not in client.get(f"/attempts/{attempts[0]}/")


def test_a_reset_node_is_set_up_like_any_other(demo, client, rows, attempts):
    attempt = client.create(demo.nodes[0]["address"], cluster="redis-next.example.com")

    assert rows.outcome(attempt)["state"] == "succeeded"
    card = client.post("/setup/available/", address=demo.nodes[1]["address"])
    assert "/setup/join/" in card
    assert "redis-next.example.com" in card


def test_reset_is_refused_while_a_node_is_free(demo, client, attempts):
    before = [node["pid"] for node in demo.nodes]

    assert "Nothing was changed" in client.post("/demo/nodes/reset/")
    assert [node["pid"] for node in demo.nodes] == before
    assert not Path(demo.path / "var" / "demo" / "reset-nodes").exists()


@pytest.mark.slow
def test_a_frozen_part_is_not_ready_and_is_named_on_an_open_page(demo, client, page):
    page.context.add_cookies(
        [{"name": name, "value": value, "domain": "127.0.0.1", "path": "/"} for name, value in client.cookies.items()]
    )
    page.goto(f"http://127.0.0.1:{demo.port}/setup/")
    page.get_by_label("Node address").fill("10.0.0.5")
    pids = demo.pids
    for part in ("worker", "supervisor"):
        os.kill(pids[part], signal.SIGSTOP)
    try:
        frozen = time.monotonic()
        wait_until(lambda: not any(map(ready(demo).get, ("supervisor", "worker"))), seconds=REPORTED_WITHIN)
        assert demo.get("/readyz").status == 503
        assert ready(demo)["database"]
        left = REPORTED_WITHIN - (time.monotonic() - frozen)
        expect(page.get_by_text("The supervisor is not running")).to_be_visible(timeout=left * 1000)
    finally:
        for part in ("worker", "supervisor"):
            os.kill(pids[part], signal.SIGCONT)
    wait_until(lambda: all(ready(demo).values()), seconds=GREEN_WITHIN)
    expect(page.locator("#health")).to_be_empty(timeout=20_000)
    expect(page.get_by_label("Node address")).to_have_value("10.0.0.5")
