"""Versions of the nodes' software, which compare as tuples of numbers."""

import re


def read_version(text: str | None) -> tuple[int, ...]:
    """Read a `software_version`: "7.22.2-170" gives (7, 22, 2, 170); () when it does not begin with a version.

    Without its build a version is before all of its builds: (8, 0, 20) < (8, 0, 20, 12).
    """
    found = re.match(r"\s*\d{1,6}(?:[.-]\d{1,6}){1,5}(?!\d)", text or "")
    return tuple(map(int, re.findall(r"\d+", found[0]))) if found else ()
