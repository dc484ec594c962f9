"""What a node is, as it lies on its disk: read at its start, written before anything is shown to have changed."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from setup_wizard.reference_node.errors import Failure, RecordUnreadable
from setup_wizard.reference_node.files import write_private
from setup_wizard.reference_node.lifecycle import Action, Phase, Progress
from setup_wizard.reference_node.lockout import Refusals
from setup_wizard.reference_node.membership import Membership
from setup_wizard.reference_node.storage import Storage

VERSION = 3


@dataclass(frozen=True)
class Record:
    """Everything that survives a restart.

    `pending` is the request of a bootstrap that still needs it, sealed.
    """

    storage: Storage
    install: str = field(default_factory=lambda: str(uuid4()))
    progress: Progress = field(default_factory=Progress)
    pending: Mapping[str, Any] | None = None
    membership: Membership | None = None
    refusals: Refusals = field(default_factory=Refusals)

    def save(self, path: Path) -> None:
        """Write it in one step; raises OSError."""
        document = {
            "version": VERSION,
            "install": self.install,
            "progress": asdict(self.progress),
            "pending": self.pending,
            "storage": self.storage.document(),
            "membership": None if self.membership is None else self.membership.document(),
            "refusals": self.refusals.document(),
        }
        write_private(path, json.dumps(document, indent=2).encode())

    @classmethod
    def load(cls, path: Path) -> "Record":
        """Read it back; raises RecordUnreadable."""
        try:
            document = json.loads(path.read_bytes())
            if document["version"] != VERSION:
                raise RecordUnreadable(
                    f"{path} is of version {document['version']}, not {VERSION}. "
                    f"Remove {path.parent}, or choose another directory with --data"
                )
            return cls(
                install=document["install"],
                progress=_read_progress(document["progress"]),
                pending=document["pending"],
                storage=Storage.from_document(document["storage"], path.parent),
                membership=Membership.parse(document["membership"]) if document["membership"] else None,
                refusals=Refusals.parse(document["refusals"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise RecordUnreadable(f"{path} cannot be read: {error}") from None


def _read_progress(document: dict[str, Any]) -> Progress:
    failure = document["failure"]
    return Progress(
        phase=Phase(document["phase"]),
        action=Action(document["action"]) if document["action"] else None,
        start_time=document["start_time"],
        end_time=document["end_time"],
        failure=Failure(**failure) if failure else None,
        due=document["due"],
    )
