"""System checks for the settings of the address guard."""

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004 - Django's name for it


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
