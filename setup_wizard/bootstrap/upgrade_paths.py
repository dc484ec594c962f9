"""To which versions a cluster can be upgraded in one step, as the vendor documents it.

Reference: https://redis.io/docs/latest/operate/rs/references/upgrade-paths/ (read in 2026, up to 8.2)
"""

from typing import Final

_NEWEST: Final = (8, 2)
# from this version up to the next one in the table: the newest release, or the newest version of it, that can follow
_REACH: Final[tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]] = (
    ((6, 0), (7, 2)),
    ((6, 2), (7, 4)),
    ((6, 2, 10), (7, 8)),
    ((6, 4), (8, 0, 10)),
    ((7, 2), _NEWEST),
)


def can_upgrade(current: tuple[int, ...], target: tuple[int, ...]) -> bool | None:
    """Tell whether a cluster can go from one version to a newer one in one step; None when that is not documented here.

    Versions are as `versions.read_version` gives them.
    """
    if len(current) < 2 or len(target) < 2 or current < _REACH[0][0] or target[:2] > _NEWEST:
        return None
    if target[:2] == current[:2]:
        return True
    reach = [newest for since, newest in _REACH if current >= since][-1]
    return target[: len(reach)] <= reach
