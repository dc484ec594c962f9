"""What a node keeps on its disk: read at its start, written before it shows a change."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

from setup_wizard.reference_node.documents import read_document, write_document
from setup_wizard.reference_node.errors import RecordUnreadable
from setup_wizard.reference_node.files import write_private
from setup_wizard.reference_node.lifecycle import Progress
from setup_wizard.reference_node.lockout import Refusals
from setup_wizard.reference_node.membership import Membership
from setup_wizard.reference_node.storage import Storage

VERSION = 3


@dataclass(frozen=True)
class Record:
    """Everything that survives a restart; `pending` is the sealed request of a running bootstrap."""

    storage: Storage
    version: int = VERSION
    install: str = field(default_factory=lambda: str(uuid4()))
    progress: Progress = field(default_factory=Progress)
    pending: str | None = None
    membership: Membership | None = None
    refusals: Refusals = field(default_factory=Refusals)

    def save(self, path: Path) -> None:
        """Write it in one step; raises OSError."""
        write_private(path, json.dumps(write_document(self), indent=2).encode())

    @classmethod
    def load(cls, path: Path) -> "Record":
        """Read it; raises RecordUnreadable."""
        try:
            document = json.loads(path.read_bytes())
            if document["version"] != VERSION:
                raise RecordUnreadable(
                    f"{path} is of version {document['version']}, not {VERSION}. "
                    f"Remove {path.parent}, or choose another directory with --data"
                )
            record = read_document(cls, document)
        except (ValueError, KeyError, TypeError) as error:
            raise RecordUnreadable(f"{path} cannot be read: {error}") from None
        return replace(record, storage=replace(record.storage, tree=path.parent))
