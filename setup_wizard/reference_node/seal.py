"""The request of a bootstrap that is still running, kept so that a restarted node can go on.

Nothing else needs it: once the bootstrap has used it, or failed, it is forgotten.
"""

from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from setup_wizard.reference_node.files import write_private


class Seal:
    """Closes and opens short texts with a key of this node's own (`seal.key`, made on first use)."""

    def __init__(self, directory: Path) -> None:
        path = directory / "seal.key"
        if not path.exists():
            write_private(path, Fernet.generate_key())
        self._fernet = Fernet(path.read_bytes())

    def close(self, text: str) -> str:
        """Seal a text."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Open what was sealed; raises ValueError when it was sealed with another key."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise ValueError("sealed with another key") from None
