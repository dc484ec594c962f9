"""The second command: run for real, its output read and judged, and shown on the pages."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setup_wizard.attempts.preflight import Level
from setup_wizard.clusters import checking, host_checks
from setup_wizard.clusters.document import PlanDocument, PlannedNode
from setup_wizard.clusters.host_facts import HostFacts, HostFactsInvalid, read_host_facts
from setup_wizard.clusters.host_snippet import SCRIPT, host_command
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.probe import probe
from tests.clusters.conftest import post

PRINT = "AB:" * 31 + "AB"
GOOD = f"""host-facts 1
fingerprint sha256 Fingerprint={PRINT}
port53 free
swap off
huge_pages never
port_range 30000 65535
clock 0.000012 yes
localhost yes
path there redislabs ext2/ext3 /data /data/persist
peer open 10.0.0.12 9443
peer refused 10.0.0.12 3333
end
"""


def run_on(node, content):
    """What the shell prints for the lines between the two HOST_FACTS that belong to this node."""
    local = Address.parse(node.address).on_the_node
    (script,) = [each for each in host_command(content).split("<<'HOST_FACTS'\n")[1:] if f"api={local}\n" in each]
    done = subprocess.run(
        ["sh", "-s"], input=script.split("\nHOST_FACTS")[0], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0
    assert done.stderr == ""
    return done.stdout


def outcome(text, name):
    (facts,) = read_host_facts(text)
    return next(each.result for each in host_checks.judge(facts) if each.name == f"host_{name}")


def test_every_check_of_a_good_host_passes():
    (facts,) = read_host_facts(GOOD)

    assert {each.result.level for each in host_checks.judge(facts)} == {Level.PASSED}
    assert HostFacts.from_json(facts.as_json()) == facts


@pytest.mark.parametrize(
    ("line", "instead", "check", "level", "words"),
    [
        ("port53 free", "port53 used systemd-resolve", "port53", Level.WARNING, "DNSStubListener=no"),
        ("port53 free", "port53 used dnsmasq", "port53", Level.WARNING, "Stop that program"),
        ("port53 free", "port53 used pdns_server", "port53", Level.PASSED, "own name server"),
        ("port53 free", "port53 unknown", "port53", Level.NOT_CHECKED, "could not read"),
        ("swap off", "swap on", "swap", Level.WARNING, "sudo swapoff -a"),
        ("swap off", "", "swap", Level.NOT_CHECKED, "could not read"),
        ("huge_pages never", "huge_pages always", "huge_pages", Level.WARNING, "echo never"),
        ("huge_pages never", "huge_pages madvise", "huge_pages", Level.PASSED, "not forced"),
        ("30000 65535", "32768 60999", "port_range", Level.PASSED, "32768 to 60999"),
        ("30000 65535", "1024 65535", "port_range", Level.WARNING, "sysctl -w"),
        ("30000 65535", "many ²", "port_range", Level.NOT_CHECKED, "could not read"),
        ("clock 0.000012 yes", "clock -7.3 yes", "clock", Level.WARNING, "7 s off"),
        ("clock 0.000012 yes", "clock 0.0 not", "clock", Level.WARNING, "chronyc sources"),
        ("clock 0.000012 yes", "clock nan yes", "clock", Level.NOT_CHECKED, "no answer"),
        ("clock 0.000012 yes", "clock unknown", "clock", Level.NOT_CHECKED, "no answer"),
        ("localhost yes", "localhost no", "localhost", Level.WARNING, "::1 localhost"),
        ("localhost yes", "localhost no_ipv6", "localhost", Level.PASSED, "resolves"),
        ("there redislabs", "there root", "paths", Level.WARNING, "sudo chown redislabs:redislabs /data/persist"),
        ("there redislabs", "missing root", "paths", Level.WARNING, "sudo mkdir -p /data/persist"),
        ("ext2/ext3", "nfs", "paths", Level.WARNING, "network file system"),
        ("there redislabs", "there unknown", "paths", Level.NOT_CHECKED, "could not read"),
        ("open 10.0.0.12 9443", "closed 10.0.0.12 9443", "peers", Level.WARNING, "`10.0.0.12:9443` cannot be reached"),
        ("open 10.0.0.12 9443", "unknown 10.0.0.12 9443", "peers", Level.NOT_CHECKED, "neither"),
    ],
)
def test_finding_has_its_level_and_its_remedy(line, instead, check, level, words):
    assert line in GOOD

    found = outcome(GOOD.replace(line, instead), check)

    assert found.level is level
    assert words in found.message
    assert not found.blocks
    assert not found.needs_consent


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "No output"),
        ("hello\nend\n", "No output"),
        (GOOD.replace("host-facts 1", "host-facts 2"), "another version"),
        (GOOD.replace("\nend\n", "\n"), "cut off"),
        (GOOD.replace("\nend\n", "\n") + GOOD, "cut off"),
        (GOOD * 101, "more than 100"),
        ("x" * 600_000, "too long"),
        ("host-facts 1\n" + "peer open a 1\n" * 1001 + "end\n", "too many lines"),
    ],
)
def test_text_that_cannot_be_used_says_what_to_do(text, words):
    with pytest.raises(HostFactsInvalid, match=words):
        read_host_facts(text)


def test_command_of_a_stranger_never_becomes_a_remedy():
    evil = GOOD.replace("/data/persist", "/data;rm${IFS}-rf").replace("swap off", "swap `reboot`\x1b[2J")

    (facts,) = read_host_facts(evil)

    assert facts.paths == ()
    assert not any("rm" in each.result.message.split() for each in host_checks.judge(facts))
    assert "`" not in facts.value("swap")
    assert "\x1b" not in facts.value("swap")


def test_windows_lines_and_banners_between_nodes_are_read():
    text = ("Welcome!\n" + GOOD + "Connection closed.\n" + GOOD).replace("\n", "\r\n")

    assert len(read_host_facts(text)) == 2


@given(st.text() | st.text().map(lambda text: f"host-facts 1\n{text}\nend") | st.text().map(lambda text: GOOD + text))
def test_any_text_is_judged_or_refused(text):
    try:
        found = read_host_facts(text)
    except HostFactsInvalid:
        return
    for facts in found:
        assert len(host_checks.judge(facts)) == 8


def test_command_quotes_what_the_plan_says():
    node = PlannedNode(address="10.0.0.11")
    command = host_command(PlanDocument(nodes=(node, PlannedNode(address="node-2.lab:9555"))))

    assert command.count("<<'HOST_FACTS'") == 2  # the API has another port on the second
    assert "for node in 10.0.0.11; do ssh" in command
    assert "api=localhost:9555" in command
    assert "10.0.0.11/8443" in command
    assert "sudo" not in SCRIPT


def test_script_is_posix_shell():
    for shell in ("sh", "dash"):
        assert subprocess.run([shell, "-n"], input=SCRIPT, text=True, check=False).returncode == 0


@pytest.mark.django_db(transaction=True)
def test_output_of_the_real_command_is_read_and_shown(pages, plan, three_nodes):
    plan.refresh_from_db()
    printed = "".join(run_on(node, plan.content) for node in three_nodes)

    page = post(pages, plan, do="facts", host_facts=printed).content.decode()

    assert "Host details of 3 of 3 nodes were read" in page
    for node in three_nodes:
        shown = probe(Address.parse(node.address)).certificate.fingerprint
        facts = HostFacts.from_json(plan.looks.get(address=node.address).host_facts)
        assert facts.fingerprint == shown
        assert facts.value("port_range") != "unknown"
        assert {each.port for each in facts.peers if each.state == "open"} >= {str(Address.parse(node.address).port)}
    for checks in checking.read(plan):
        assert {each.name for each in checks.outcomes} >= {"host_port53", "host_swap", "host_peers"}


@pytest.mark.django_db(transaction=True)
def test_refused_text_stays_in_its_box(pages, plan):
    page = post(pages, plan, do="next", host_facts="host-facts 7 & more")

    assert page.status_code == 422
    assert "No output of the command was found" in page.content.decode()
    assert "host-facts 7 &amp; more</textarea>" in page.content.decode()


@pytest.mark.django_db(transaction=True)
def test_output_of_other_machines_is_refused(pages, plan):
    page = post(pages, plan, do="facts", host_facts=GOOD).content.decode()

    assert "No node of this plan was found in the text" in page
    assert not plan.looks.exclude(host_facts=None).exists()
