"""Whether the demo offers to reset its nodes: when all of them are in clusters."""

from django.conf import settings

from setup_wizard.attempts.models import OPEN_STATES, Attempt
from setup_wizard.attempts.present import present
from setup_wizard.nodes import renewal
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.errors import NodeError
from setup_wizard.nodes.probe import probe
from setup_wizard.wizard.node_summary import summarize


def is_offered() -> bool:
    """Whether this is a demo whose listed nodes are all in clusters, with no open attempt.

    The nodes are probed only after each of them was tried, so most pages do not wait for them.
    """
    if not renewal.is_possible() or Attempt.objects.filter(state__in=OPEN_STATES).exists():
        return False
    tried = set(present().values_list("address", flat=True))
    return tried.issuperset(settings.SETUP_WIZARD_NODES) and all(map(_is_member, settings.SETUP_WIZARD_NODES))


def _is_member(address: str) -> bool:
    try:
        return summarize(probe(Address.parse(address))).is_member
    except NodeError:
        return False
