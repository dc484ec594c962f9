"""The command that prints fingerprints: what it prints for a node is what the node shows to us."""

import shlex
import subprocess

from setup_wizard.clusters.fingerprints import command_for, read_fingerprints
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.probe import probe


def test_quoted_part_of_the_command_prints_the_fingerprint_of_its_node(start_nodes):
    [node] = start_nodes(1)
    words = shlex.split(command_for([node.address]), comments=False)
    on_the_node = next(word for word in words if word.startswith("openssl s_client"))

    printed = subprocess.run(["sh", "-c", on_the_node], check=True, capture_output=True, text=True, timeout=60).stdout

    shown = probe(Address.parse(node.address)).certificate.fingerprint
    assert read_fingerprints(printed) == {shown}


def test_command_asks_each_node_once_by_ssh():
    command = command_for(["10.0.0.11:9443", "10.0.0.12:9443", "10.0.0.13:9444"])

    assert [line.partition(";")[0] for line in command.splitlines()] == [
        "for node in 10.0.0.11 10.0.0.12",
        "for node in 10.0.0.13",
    ]
