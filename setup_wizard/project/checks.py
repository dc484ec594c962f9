"""What `manage.py check --deploy` refuses: settings that are fine for the demo and unsafe anywhere else."""

import os
import stat
from base64 import b64decode
from binascii import Error as NotBase64
from ipaddress import ip_network
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from setup_wizard.project.static_files import BundledStaticFilesStorage

# another check looks at the file of the credential keys at every start
SECRETS: Final = (
    "SECRET_KEY",
    "DATABASE_URL",
    "REDIS_URL",
    "SETUP_WIZARD_METRICS_TOKEN",
    "EMAIL_HOST_PASSWORD",
)
# 32 random bytes have about 30 distinct values, and never fewer than 20
DISTINCT_BYTES: Final = 16
DISTINCT_CHARACTERS: Final = 10
WIDEST: Final = {4: 8, 6: 7}  # the shortest prefix of a network of proxies, by IP version: 10.0.0.0/8, fc00::/7


@register(Tags.security, deploy=True)
def hosts_are_named(**_: Any) -> list[CheckMessage]:
    """Refuse patterns that match any host, or all hosts of a top-level domain."""
    hint = "List the names under which the pages are opened: ALLOWED_HOSTS=setup.example.com"
    which = {host: "any" if host == "*" else "almost any" for host in settings.ALLOWED_HOSTS}
    return [
        Error(f"ALLOWED_HOSTS has {host}: it accepts requests for {hosts} host.", hint=hint, id="project.E001")
        for host, hosts in which.items()
        if host == "*" or host.rfind(".") == 0
    ]


@register(Tags.security, deploy=True)
def demo_is_off(**_: Any) -> list[CheckMessage]:
    """Refuse settings for the demo and tests."""
    return [
        Error(f"{name} is on: {meaning}.", hint=f"Set {name}=false.", id="project.E002")
        for name, meaning in (
            ("SETUP_WIZARD_DEMO", "a link signs in without a password"),
            ("SETUP_WIZARD_ALLOW_LOOPBACK", "operators can reach services on this machine"),
            ("DEBUG", "error pages show settings and code"),
        )
        if getattr(settings, name)
    ]


@register(Tags.security, deploy=True)
def keys_are_random(**_: Any) -> list[CheckMessage]:
    """Refuse keys that are easy to guess."""
    weak = ["SETUP_WIZARD_CREDENTIAL_KEYS"] if any(map(_is_weak, settings.SETUP_WIZARD_CREDENTIAL_KEYS)) else []
    texts = {name: getattr(settings, name) for name in ("SECRET_KEY", "SETUP_WIZARD_METRICS_TOKEN")}
    weak += [name for name, text in texts.items() if text and len(set(text)) < DISTINCT_CHARACTERS]
    return [
        Error(f"{name} is easy to guess.", hint="Make a random one: openssl rand -base64 32", id="project.E003")
        for name in weak
    ]


@register(Tags.security, deploy=True)
def proxies_are_few(**_: Any) -> list[CheckMessage]:
    """Refuse to trust X-Forwarded-For from large networks."""
    networks = [ip_network(text) for text in settings.SETUP_WIZARD_TRUSTED_PROXIES]
    return [
        Error(
            f"SETUP_WIZARD_TRUSTED_PROXIES has {network}: X-Forwarded-For is trusted from almost any sender.",
            hint="List the addresses of your proxies.",
            id="project.E004",
        )
        for network in networks
        if network.prefixlen < WIDEST[network.version]
    ]


@register(Tags.security, deploy=True)
def secret_files_are_private(**_: Any) -> list[CheckMessage]:
    """Refuse files with secrets that other accounts can read."""
    files = [Path(path) for name in SECRETS if (path := os.environ.get(f"{name}_FILE"))]
    return [
        Error(f"Other users can read {file}, which holds a secret.", hint=f"chmod 600 {file}", id="project.E005")
        for file in files
        if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    ]


@register(Tags.security, deploy=True)
def static_files_are_collected(**_: Any) -> list[CheckMessage]:
    """Refuse to start without the files that pages name by their hash."""
    if "app.css" in BundledStaticFilesStorage(location=settings.STATIC_ROOT).hashed_files:
        return []
    return [Error("The static files are not collected.", hint="Run `manage.py collectstatic`.", id="project.E006")]


def _is_weak(key: str) -> bool:
    try:
        known = b64decode(key, validate=True)
    except (NotBase64, ValueError):
        return False  # another check refuses this key
    steps = {(second - first) % 256 for first, second in pairwise(known)}
    return len(set(known)) < DISTINCT_BYTES or len(steps) == 1
