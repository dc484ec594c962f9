import os
import subprocess
import sys

import pytest

from setup_wizard.nodes.checks import check_networks


def test_the_default_networks_pass(settings):
    settings.SETUP_WIZARD_ALLOWED_NETWORKS = ["10.0.0.0/8", "fc00::/7"]

    assert check_networks() == []


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0"])
def test_network_that_allows_everything_gives_a_warning(settings, network):
    settings.SETUP_WIZARD_ALLOWED_NETWORKS = ["10.0.0.0/8", network]

    assert [message.id for message in check_networks()] == ["nodes.W001"]


@pytest.mark.parametrize("network", ["10.0.0.0/33", "10.0.0.5/8", "node-1.example.com"])
def test_settings_refuse_an_invalid_network(network):
    assert network in read_refusal("SETUP_WIZARD_ALLOWED_NETWORKS", f"{network}, 0.0.0.0/0")


@pytest.mark.parametrize("port", ["0", "65536", "9445-9443", "https"])
def test_settings_refuse_an_invalid_port(port):
    assert port in read_refusal("SETUP_WIZARD_ALLOWED_PORTS", f"9443, {port}")


def read_refusal(name, value):
    """Return what the settings say about this value of a variable, which they must refuse."""
    command = [sys.executable, "-c", "import setup_wizard.project.settings"]
    environment = os.environ | {name: value}

    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert result.returncode != 0
    [told] = [line for line in result.stderr.splitlines() if name in line]
    return told
