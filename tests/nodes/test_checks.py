import os
import subprocess
import sys

import pytest

from setup_wizard.nodes.checks import check_networks, check_ports


def test_the_default_networks_pass(settings):
    settings.SETUP_WIZARD_ALLOWED_NETWORKS = ["10.0.0.0/8", "fc00::/7"]

    assert check_networks() == []


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0"])
def test_network_that_allows_everything_gives_a_warning(settings, network):
    settings.SETUP_WIZARD_ALLOWED_NETWORKS = ["10.0.0.0/8", network]

    assert [message.id for message in check_networks()] == ["nodes.W001"]


@pytest.mark.parametrize("network", ["10.0.0.0/33", "10.0.0.5/8", "node-1.example.com"])
def test_settings_refuse_an_invalid_network(network):
    environment = os.environ | {"SETUP_WIZARD_ALLOWED_NETWORKS": f"{network}, 0.0.0.0/0"}
    command = [sys.executable, "-c", "import setup_wizard.project.settings"]

    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert result.returncode != 0
    [told] = [line for line in result.stderr.splitlines() if "SETUP_WIZARD_ALLOWED_NETWORKS" in line]
    assert network in told


def test_invalid_port_is_an_error(settings):
    settings.SETUP_WIZARD_ALLOWED_PORTS = [9443, 0, 65536]

    assert [message.id for message in check_ports()] == ["nodes.E002", "nodes.E002"]
