"""The directory in which a store keeps its file: made when it is missing, with an older file kept beside it."""

import itertools
import os
from pathlib import Path

from setup_wizard.reference_node.errors import BootstrapFailed


def make_directory(directory: Path) -> None:
    """Make it, for its owner alone; raises BootstrapFailed."""
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise unusable(directory, error) from None


def unusable(directory: Path, error: OSError) -> BootstrapFailed:
    """What is to be said when the system refuses a directory."""
    message = f"{directory} cannot be used: {os.strerror(error.errno or 0)}"
    return BootstrapFailed("path_error", message, path=str(directory))


def set_aside(file: Path) -> Path | None:
    """Keep the file of an earlier cluster: it may be the only one to recover it from; says where it lies now."""
    if not file.exists():
        return None
    numbers = itertools.count(1)
    aside = next(path for number in numbers if not (path := Path(f"{file}.{number}")).exists())
    return file.rename(aside)
