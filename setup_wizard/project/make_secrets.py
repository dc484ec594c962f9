"""Make the secrets of a new set of containers, each where only those that need it can read it.

`python -m setup_wizard.project.make_secrets` runs once, as root and without a network, before anything else.
What is there already stays as it is: an installation keeps its keys for as long as its volumes live.
"""

import base64
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

from setup_wizard.access import private_file

ROOT = 0
WIZARD = 10001
PLACE = Path("/run/setup-wizard")


@dataclass(frozen=True, slots=True)
class Secret:
    """One file: the volume it lies in, its name, what is in it, and whose it is."""

    volume: str
    name: str
    text: str
    owner: int


def main() -> int:
    """Write every secret that is not there; returns the exit code."""
    make_all(PLACE)
    return 0


def make_all(place: Path) -> None:
    """Make the keys and passwords that are missing under `place`: `app/`, `db/` and `redis/`, a volume each.

    A password is written for its server before the address that holds it is written for us, so that a start which was
    cut short in between is mended by the next.
    """
    database = keep(place, Secret("db", "password", secrets.token_urlsafe(32), ROOT))
    queue = keep(place, Secret("redis", "password", secrets.token_urlsafe(32), WIZARD))
    for name, text in (
        ("secret-key", secrets.token_urlsafe(48)),
        ("credential-keys", base64.b64encode(secrets.token_bytes(32)).decode()),
        ("database-url", f"postgres://setup_wizard:{database}@db:5432/setup_wizard"),
        ("redis-url", f"redis://:{queue}@redis:6379/0"),
    ):
        keep(place, Secret("app", name, text, WIZARD))
    # its server runs without root from the start, and a new volume belongs to the user of the image
    os.chown(place / "redis-data", WIZARD, WIZARD)


def keep(place: Path, secret: Secret) -> str:
    """Write a secret, whole or not at all, if it is not there; returns what is there now."""
    file = place / secret.volume / secret.name
    if not file.exists():
        private_file.write(file, secret.text)
    os.chown(file, secret.owner, secret.owner)
    file.chmod(0o600)
    os.chown(file.parent, secret.owner, secret.owner)
    file.parent.chmod(0o700)
    return file.read_text()


if __name__ == "__main__":
    sys.exit(main())
