"""The demo's way out when every node is in a cluster: fresh ones, by one button."""

from django.conf import settings

from setup_wizard.attempts.models import OPEN_STATES, Attempt
from setup_wizard.attempts.present import present
from setup_wizard.nodes import renewal
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.errors import NodeError
from setup_wizard.nodes.probe import probe
from setup_wizard.wizard import cards


def is_offered() -> bool:
    """Tell whether this is a demo whose listed nodes are all used up, and nothing of it runs any more.

    The nodes themselves are asked, but only once each of them was tried: most pages need not wait for them.
    """
    if not renewal.is_possible() or Attempt.objects.filter(state__in=OPEN_STATES).exists():
        return False
    tried = set(present().values_list("address", flat=True))
    return tried.issuperset(settings.SETUP_WIZARD_NODES) and all(map(_is_used_up, settings.SETUP_WIZARD_NODES))


def _is_used_up(address: str) -> bool:
    try:
        return cards.show(probe(Address.parse(address))).is_member
    except NodeError:
        return False
