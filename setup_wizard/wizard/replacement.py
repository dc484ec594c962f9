"""The failed node that a setup replaces, as each of its pages names it."""

from dataclasses import dataclass

from django.contrib.auth.models import User

from setup_wizard.attempts import visibility
from setup_wizard.attempts.cluster_members import attempts_of_members
from setup_wizard.live import part_of
from setup_wizard.nodes.address import DEFAULT_PORT, Address
from setup_wizard.wizard.models import Draft


@dataclass(frozen=True, slots=True)
class Replacement:
    """The ID of the failed node; its address, its cluster and the page of that are "" when they are not known here."""

    uid: object
    address: str = ""
    cluster: str = ""
    cluster_url: str = ""


def find_replacement(draft: Draft, *, by: User) -> Replacement | None:
    """Name the node that this draft replaces; None when it replaces none."""
    uid = draft.replaces
    if uid is None:
        return None
    known = visibility.visible_to(by, attempts_of_members())
    through = known.filter(address=_member_of(draft)).first()
    if through is None or not through.cluster_name:
        return Replacement(uid)
    with_its_id = known.filter(cluster_name=through.cluster_name, node_uid=str(uid))
    failed = next((each for each in with_its_id if each.current_fingerprint == through.current_fingerprint), None)
    url = part_of.find(through).cluster_url
    return Replacement(uid, failed.address if failed else "", through.cluster_name, url)


def _member_of(draft: Draft) -> str:
    """Return the address of the member to join through, which was perhaps typed and did not answer."""
    if draft.member:
        return draft.member.endpoint.key
    typed = draft.values("join")
    try:
        return str(typed.get("member_address") or Address(typed["members"][0], typed.get("port") or DEFAULT_PORT))
    except (KeyError, IndexError):
        return ""
