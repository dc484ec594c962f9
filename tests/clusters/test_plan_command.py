"""`manage.py plan`: a cluster from a file, with real nodes; the test does the worker's part while the command waits."""

import io
import json
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from setup_wizard.access.roles import Role, assign
from setup_wizard.clusters.document import read_document
from setup_wizard.clusters.host_snippet import host_command
from setup_wizard.clusters.management.commands import plan as plan_command
from setup_wizard.clusters.models import Plan, Run
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.probe import probe
from setup_wizard.worker import schedule
from tests.clusters.conftest import PASSWORD, run_now, tick
from tests.clusters.test_host_facts import GOOD, PRINT

pytestmark = pytest.mark.django_db(transaction=True)


def shown_by(node):
    return probe(Address.parse(node.address)).certificate.fingerprint


def do_the_workers_part(_seconds):
    for attempt in schedule.due(timezone.now()):
        tick(attempt)
    run_now(Run.objects.get())


@pytest.fixture(autouse=True)
def _work_goes_on(monkeypatch):
    monkeypatch.setattr(plan_command, "time", SimpleNamespace(sleep=do_the_workers_part))


@pytest.fixture
def write(tmp_path):
    """Write the plan and its credentials; return the arguments of the command."""

    def write(nodes, *, name="plan.json", mode=0o600, fingerprints=True, **changes):
        planned = [
            {"address": node.address, "addr": "127.0.0.1"} | ({"fingerprint": shown_by(node)} if fingerprints else {})
            for node in nodes
        ]
        cluster = {"name": "redis-prod.example.com"}
        document = {"cluster": cluster, "accept_new_certificate": True, "nodes": planned} | changes
        dump = json.dumps if name.endswith("json") else yaml.safe_dump
        (tmp_path / name).write_text(dump(document))
        secret = tmp_path / "credentials.json"
        secret.write_text(json.dumps({"username": "admin@example.com", "password": PASSWORD}))
        secret.chmod(mode)
        return [str(tmp_path / name), f"--credentials-file={secret}"]

    return write


@pytest.fixture
def run(maria):
    """Run the command; return its exit code and all that it wrote."""

    def run(*arguments, user="maria"):
        out, err = io.StringIO(), io.StringIO()
        with pytest.raises(SystemExit) as ended:
            call_command("plan", *arguments, f"--user={user}", stdout=out, stderr=err)
        assert PASSWORD not in out.getvalue() + err.getvalue()
        return ended.value.code, out.getvalue() + err.getvalue()

    return run


@contextmanager
def terminal(monkeypatch, typed, password=PASSWORD):
    stdin = io.StringIO(typed)
    stdin.isatty = lambda: True
    monkeypatch.setattr("sys.stdin", stdin)
    monkeypatch.setattr(plan_command, "getpass", lambda _prompt: password)
    yield


@pytest.mark.parametrize("name", ["plan.json", "plan.yaml"])
def test_plan_from_a_file_brings_up_its_nodes(run, write, start_nodes, name):
    code, said = run(*write(start_nodes(2), name=name))

    assert code == 0, said
    assert "2 of 2 nodes are active" in said
    assert Run.objects.get().state == "succeeded"


def test_failed_node_ends_the_command_with_1(run, write, start_nodes):
    code, said = run(*write(start_nodes(1, faults=["answer=400:post:once"])))

    assert code == 1, said
    assert "Retry" in said
    assert Run.objects.get().state == "paused"


def test_run_that_needs_an_operator_ends_the_command_with_3(run, write, start_nodes):
    code, said = run(*write(start_nodes(1), accept_new_certificate=False))

    assert code == 3, said
    assert f"/plans/{Run.objects.get().pk}/" in said


def test_check_starts_nothing(run, write, start_nodes):
    nodes = start_nodes(2)
    arguments = write(nodes)

    ready, said = run(*arguments, "--check")
    nodes[1].stop()
    refused, why = run(*arguments, "--check")

    assert (ready, refused) == (0, 1), said
    assert f"{nodes[1].address}: not ready" in why
    assert not Plan.objects.exists()


def test_stop_by_the_keyboard_leaves_the_run_going(run, write, start_nodes, monkeypatch):
    def interrupt(_seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(plan_command, "time", SimpleNamespace(sleep=interrupt))
    code, said = run(*write(start_nodes(1)))

    assert code == 130
    assert "The run goes on without this command." in said
    assert Run.objects.get().state == "running"


def test_fingerprints_and_password_are_asked_for(run, write, start_nodes, monkeypatch):
    nodes = start_nodes(1)
    file = write(nodes, fingerprints=False)[0]
    with terminal(monkeypatch, "admin@example.com\ny\n"):
        code, said = run(file, "--check")

    assert code == 0, said
    assert shown_by(nodes[0]) in said


def test_address_with_colons_and_brackets_is_written_as_it_is(run, write, start_nodes):
    file, credentials = write(start_nodes(1))
    plan = json.loads(Path(file).read_text())
    plan["nodes"][0]["address"] = "[fd00:ab:1::5]"
    Path(file).write_text(json.dumps(plan))

    code, said = run(file, credentials, "--check")

    assert code == 1, said
    assert "[fd00:ab:1::5]:9443: not ready" in said


def test_certificate_that_does_not_match_ends_with_2(run, write, start_nodes, monkeypatch):
    with terminal(monkeypatch, "n\n"):
        code, said = run(*write(start_nodes(1), fingerprints=False))

    assert code == 2
    assert "was not approved" in said


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mode": 0o644}, "Others may read"),
        ({"fingerprints": False}, "no fingerprint"),
        ({"credentials": {"password": PASSWORD}}, "Keep credentials out of the plan"),
        ({"colour": "red"}, "colour: Unknown field."),
        ({"cluster": {}}, "cluster.name"),
    ],
    ids=["mode", "fingerprints", "credentials", "unknown", "name"],
)
def test_bad_input_ends_with_2(run, write, start_nodes, changes, message):
    code, said = run(*write(start_nodes(1), **changes))

    assert (code, message in said) == (2, True), said
    assert not Plan.objects.exists()


def test_file_that_cannot_be_read_ends_with_2(run, tmp_path):
    (tmp_path / "broken.yml").write_text("a: [")
    (tmp_path / "broken.json").write_text('{"a": 1, "a": 2}')

    assert [run(str(tmp_path / name))[0] for name in ("broken.yml", "broken.json", "missing.json")] == [2, 2, 2]


def test_user_without_the_permission_ends_with_2(run, write, start_nodes):
    assign(User.objects.create_user("ines"), Role.VIEWER)
    arguments = write(start_nodes(1))

    assert [run(*arguments, user=name)[0] for name in ("ines", "nobody")] == [2, 2]


def test_findings_of_the_hosts_are_shown_with_the_checks(run, write, start_nodes, tmp_path):
    nodes = start_nodes(2)
    printed = tmp_path / "hosts.txt"
    printed.write_text(GOOD.replace(PRINT, shown_by(nodes[1])).replace("swap off", "swap on"))

    code, said = run(*write(nodes), "--check", f"--host-facts={printed}")

    assert code == 0, said
    assert "warning  host_swap: Swap is on" in said.partition(nodes[1].address)[2]
    assert said.count("host_") == 1


def test_output_of_other_hosts_is_bad_input(run, write, start_nodes, tmp_path):
    printed = tmp_path / "hosts.txt"
    printed.write_text(GOOD)

    code, said = run(*write(start_nodes(1)), "--check", f"--host-facts={printed}")

    assert code == 2
    assert "host_facts: No node of this plan was found" in said


def test_command_for_the_hosts_is_printed_without_a_password(run, write, start_nodes, capsys):
    nodes = start_nodes(1)
    plan, _ = write(nodes)

    code, _ = run(plan, "--host-command")

    content = read_document(json.loads(Path(plan).read_text()))
    assert (code, capsys.readouterr().out) == (0, f"{host_command(content)}\n")
    assert not Plan.objects.exists()
