"""What a newcomer must agree with before a member takes it in."""

from collections.abc import Sequence

from setup_wizard.reference_node.membership import Cluster, Member


def check_newcomer(
    cluster: Cluster, members: Sequence[Member], newcomer: Member, *, replaces: int | None, now: float
) -> None:
    """Raise BootstrapFailed when the cluster cannot take this node in.

    `members` are the others, as they are now (`down` when they do not answer); `replaces` is the uid of the failed
    one whose place the newcomer takes, None for a place of its own; `now` is the member's time.
    """
