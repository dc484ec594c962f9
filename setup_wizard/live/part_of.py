"""What an attempt is a part of: a run, a cluster. Apps that know more than this one register how they find it."""

from collections.abc import Callable
from dataclasses import dataclass

from setup_wizard.attempts.models import Attempt


@dataclass(frozen=True, slots=True)
class Whole:
    """The pages of an attempt's run and cluster, "" without one, and what is known of the cluster now."""

    run_url: str = ""
    cluster_url: str = ""
    nodes: int = 1
    is_rack_aware: bool = False

    @property
    def is_enough(self) -> bool:
        """Whether a production cluster may have so many nodes: at least three, and an odd number."""
        return self.nodes >= 3 and self.nodes % 2 == 1


Find = Callable[[Attempt], Whole]
_registered: list[Find] = []


def register(find: Find) -> None:
    """Let `find` say what an attempt is a part of."""
    _registered.append(find)


def find(attempt: Attempt) -> Whole:
    """Return what an attempt is a part of."""
    return next((whole for each in _registered if (whole := each(attempt))), Whole())
