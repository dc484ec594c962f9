"""The table at the end of each benchmark: what was measured, its limit, and the alternative."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure, in `unit`; `limit` and `peer` are None where there is none."""

    name: str
    ours: float
    limit: float | None
    unit: str
    peer: float | None
    what: str

    @property
    def is_missed(self):
        return self.limit is not None and self.ours > self.limit


def print_table(rows, *remarks, load=None):
    """Print the rows, and the machine's load before they were measured; gives the exit code, 1 for a missed limit."""
    print(f"\n{'measured':34}{'ours':>11}{'limit':>11}{'peer':>13}  the peer is")
    for row in rows:
        held = "  MISSED" if row.is_missed else ""
        figures = f"{_shown(row.ours, row.unit):>11}{_shown(row.limit, row.unit):>11}{_shown(row.peer, row.unit):>13}"
        print(f"{row.name:34}{figures}  {row.what}{held}")
    print()
    for remark in remarks:
        print(remark)
    if load is not None:
        print(f"The load of this machine was {load:.1f} on {os.cpu_count()} cores before, and counts in every figure.")
    return int(any(row.is_missed for row in rows))


def _shown(figure, unit):
    return "" if figure is None else f"{figure:.4g} {unit:2}"
