"""The nodes that an administrator listed: what each says of itself, and the one thing to do with it."""

from dataclasses import dataclass

from django.contrib.auth.models import User

from setup_wizard.attempts import visibility
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.present import present
from setup_wizard.attempts.states import State
from setup_wizard.nodes import probing
from setup_wizard.wizard import cards
from setup_wizard.wizard.cards import Card


@dataclass(frozen=True, slots=True)
class Waiting:
    """One listed node; `card` is None until it was asked, `failure` says why it could not be."""

    address: str
    cluster: Attempt | None
    card: Card | None = None
    failure: str = ""
    latest: Attempt | None = None

    @property
    def was_asked(self) -> bool:
        """Whether there is an answer, or the reason why there is none."""
        return bool(self.card or self.failure)


def known_cluster(by: User) -> Attempt | None:
    """Give the latest attempt that succeeded: its node is a member that others can join through."""
    return visibility.seen_by(by, present()).filter(state=State.SUCCEEDED).first()


def ask(address: str, *, by: User) -> Waiting:
    """Ask one node."""
    try:
        card = cards.show(probing.probe_node(address, by=by))
    except probing.ProbeFailed as error:
        return Waiting(address, known_cluster(by), failure=error.message)
    latest = visibility.seen_by(by, present()).filter(address=card.probe.endpoint.key).first()
    return Waiting(address, known_cluster(by), card, latest=latest)
