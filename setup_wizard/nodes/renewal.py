"""Fresh reference nodes, at the same addresses, for a demo whose nodes are all used up.

The pages ask the runner of `make demo` by a file in its directory; no request over the network can. The runner takes
the file away when the fresh nodes answer, and writes down when the old ones ended. Outside the demo there is neither.
"""

import time
from datetime import datetime
from pathlib import Path
from typing import Final

from django.conf import settings

REQUEST: Final = "fresh-nodes"
RENEWED_AT: Final = "nodes-renewed-at"
PATIENCE: Final = 20.0
LOOK_EVERY: Final = 0.1


def is_possible() -> bool:
    """Tell whether there is a runner that could be asked."""
    return bool(settings.SETUP_WIZARD_DEMO and settings.SETUP_WIZARD_DEMO_DIRECTORY)


def renewed_at() -> datetime | None:
    """Say when the last nodes were replaced; None when these are the first."""
    if not is_possible():
        return None
    try:
        return datetime.fromisoformat((_directory() / RENEWED_AT).read_text().strip())
    except (OSError, ValueError):
        return None


def ask() -> bool:
    """Ask for fresh nodes and wait until they answer, `PATIENCE` seconds at most; False when nobody heard."""
    request = _directory() / REQUEST
    request.touch(mode=0o600)
    deadline = time.monotonic() + PATIENCE
    while request.exists():
        if time.monotonic() > deadline:
            request.unlink(missing_ok=True)
            return False
        time.sleep(LOOK_EVERY)
    return True


def _directory() -> Path:
    return Path(settings.SETUP_WIZARD_DEMO_DIRECTORY)
