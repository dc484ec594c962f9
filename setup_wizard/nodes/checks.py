"""System checks for the settings of the address guard."""

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's name for it


@register(Tags.security)
def check_networks(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:  # noqa: ARG001 - Django passes it
    """Report networks that allow every address; invalid ones are refused when the settings are read."""
    found: list[CheckMessage] = []
    for text in settings.SETUP_WIZARD_ALLOWED_NETWORKS:
        network = ip_network(text)
        if network.prefixlen == 0:
            found.append(
                Warning(
                    f"SETUP_WIZARD_ALLOWED_NETWORKS has {network}: every address is allowed.",
                    hint="List only the networks of your nodes.",
                    id="nodes.W001",
                )
            )
    return found


@register(Tags.security)
def check_ports(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:  # noqa: ARG001 - Django passes it
    """Report invalid ports."""
    wrong = [port for port in settings.SETUP_WIZARD_ALLOWED_PORTS if not 1 <= port <= 65535]
    return [Error(f"SETUP_WIZARD_ALLOWED_PORTS: {port} is not a port.", id="nodes.E002") for port in wrong]
