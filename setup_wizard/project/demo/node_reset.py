"""Reset the demo's nodes when all of them are in clusters.

The pages ask the launcher, `make demo`, by a file in its directory, so no request over the network can. The launcher
deletes the file when the new nodes accept connections.
"""

import time
from pathlib import Path
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User

from setup_wizard.attempts.cluster_members import set_up_addresses
from setup_wizard.attempts.models import OPEN_STATES, Attempt
from setup_wizard.nodes import trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.errors import NodeError
from setup_wizard.nodes.probe import probe
from setup_wizard.project.demo.directory import Directory
from setup_wizard.wizard.node_summary import summarize

TIMEOUT_SECONDS: Final = 20.0
POLL_SECONDS: Final = 0.1


def is_possible() -> bool:
    """Whether a launcher can be asked; in containers there is none."""
    return bool(settings.SETUP_WIZARD_DEMO_DIRECTORY)


def is_offered() -> bool:
    """Whether all listed nodes are in clusters, with no open attempt.

    The nodes are probed only after each of them was set up, so most pages do not wait for them.
    """
    if not is_possible() or Attempt.objects.filter(state__in=OPEN_STATES).exists():
        return False
    nodes = settings.SETUP_WIZARD_NODES
    return set_up_addresses(nodes).issuperset(nodes) and all(map(_is_member, nodes))


def reset_nodes(by: User) -> bool:
    """Replace the nodes by new ones and withdraw the trust in the old ones; False when the launcher does not react."""
    request = Directory(Path(settings.SETUP_WIZARD_DEMO_DIRECTORY)).reset_request
    request.touch(mode=0o600)
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while request.exists():
        if time.monotonic() > deadline:
            request.unlink(missing_ok=True)
            return False
        time.sleep(POLL_SECONDS)
    for address in settings.SETUP_WIZARD_NODES:
        trust.withdraw(address, by=by)
    return True


def _is_member(address: str) -> bool:
    try:
        return summarize(probe(Address.parse(address))).is_member
    except NodeError:
        return False
