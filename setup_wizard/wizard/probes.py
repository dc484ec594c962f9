"""Ask a node who it is on behalf of one person, so often and no more.

A probe is a TLS handshake and one GET without sign-in. Nodes whose certificate is approved already may be asked freely;
anything else counts, so that these pages are no port scanner. Reference: docs/failure-modes.md, N9 and N11.
"""

import time

from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache

from setup_wizard.nodes import guard, trust
from setup_wizard.nodes.address import Address, AddressInvalid
from setup_wizard.nodes.errors import NodeError
from setup_wizard.nodes.failures import explain_failure
from setup_wizard.nodes.guard import AddressForbidden
from setup_wizard.nodes.probe import Probe, probe


class NoAnswer(Exception):
    """The node could not be asked; `message` says why in plain words."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def ask(typed: Address | str, *, by: User) -> Probe:
    """Ask the node at this address who it is, within 10 s.

    Raises:
        NoAnswer: the address is none or not allowed, nothing there speaks for a node, or `by` has asked too often.
    """
    try:
        address = Address.parse(typed) if isinstance(typed, str) else typed
        if not trust.approved(guard.resolve(address).key):
            _count(by)
        return probe(address)
    except AddressInvalid as error:
        raise NoAnswer(explain_failure(error, str(typed))) from error
    except (NodeError, AddressForbidden) as error:
        raise NoAnswer(explain_failure(error, address)) from error


def _count(by: User) -> None:
    most = settings.SETUP_WIZARD_PROBES_PER_MINUTE
    key = f"probes:{by.pk}:{int(time.time() // 60)}"
    cache.add(key, 0, timeout=120)
    if cache.incr(key) > most:
        raise NoAnswer(f"You have asked {most} times within a minute. Wait a minute, then ask again.")
