"""Create the secrets of the containers, each in a volume for those services that need it.

`python -m setup_wizard.project.make_secrets` runs before every other container, as root and without a network. Existing
secrets stay as they are.
"""

import base64
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

from setup_wizard.access import private_file

ROOT_UID = 0
APP_UID = 10001
VOLUMES = Path("/run/setup-wizard")


@dataclass(frozen=True, slots=True)
class Secret:
    """One file: its volume, name, content and owner."""

    volume: str
    name: str
    text: str
    owner: int


def main() -> int:
    """Create every missing secret, and return the exit code."""
    make_all(VOLUMES)
    return 0


def make_all(volumes: Path) -> None:
    """Create missing keys and passwords in the volumes `app/`, `db/` and `redis/` of a directory.

    The file for a server comes before the URL that contains its password, so that an interrupted run can be repeated.
    """
    database = write_if_missing(volumes, Secret("db", "password", secrets.token_urlsafe(32), ROOT_UID))
    queue = write_if_missing(volumes, Secret("redis", "password", secrets.token_urlsafe(32), APP_UID))
    for name, text in (
        ("secret-key", secrets.token_urlsafe(48)),
        ("credential-keys", base64.b64encode(secrets.token_bytes(32)).decode()),
        ("database-url", f"postgres://setup_wizard:{database}@db:5432/setup_wizard"),
        ("redis-url", f"redis://:{queue}@redis:6379/0"),
    ):
        write_if_missing(volumes, Secret("app", name, text, APP_UID))
    # the server does not run as root, and a new volume belongs to the user of the image
    os.chown(volumes / "redis-data", APP_UID, APP_UID)


def write_if_missing(volumes: Path, secret: Secret) -> str:
    """Write a secret if its file is missing, and return the content of the file."""
    file = volumes / secret.volume / secret.name
    if not file.exists():
        private_file.write(file, secret.text)
    os.chown(file, secret.owner, secret.owner)
    file.chmod(0o600)
    os.chown(file.parent, secret.owner, secret.owner)
    file.parent.chmod(0o700)
    return file.read_text()


if __name__ == "__main__":
    sys.exit(main())
