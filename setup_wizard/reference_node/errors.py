"""What can go wrong for good reasons.

NodeError
├── Busy                a bootstrap runs, or has been completed: 409
├── Malformed           a body that cannot be used: 400
├── BootstrapFailed     a bootstrap that was begun cannot be done: it ends in `error`
├── LicenseUnreadable   text that is not a license
├── PeerUnreachable     another node gave no answer that can be read: ask the next one
├── Replaced            another node has taken this one's place: stop being a member
├── ClusterUnavailable  the node cannot speak for its cluster now: 503
├── RecordUnreadable    the data directory holds no node of this version: do not start
└── CannotListen        the address, the port or the directory is not to be had: do not start
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


class NodeError(Exception):
    """The root of all; the message is for people."""


class Busy(NodeError):
    """A bootstrap runs already, or has been completed: the node takes no other."""


class Malformed(NodeError):
    """A document that cannot be used; the message begins with the path of the field, when there is one."""


@dataclass(frozen=True)
class Failure:
    """Why a bootstrap ended in `error`: one of the documented codes and what is to be said about it."""

    code: str
    details: Mapping[str, object] = field(default_factory=dict)


class BootstrapFailed(NodeError):
    """A bootstrap that was begun cannot be done; `failure` is what the node shows for it."""

    def __init__(self, code: str, message: str, **details: object) -> None:
        super().__init__(message)
        self.failure = Failure(code, {"message": message, **details})


class LicenseUnreadable(NodeError):
    """A text that is not a license; the message says what is wrong with it."""


class PeerUnreachable(NodeError):
    """No answer came, or none that can be read; the message says at which step."""


class Replaced(NodeError):
    """Another node has this one's uid now: it was given up as failed."""


class ClusterUnavailable(NodeError):
    """The node is not a member, was replaced, or cannot write what it knows of its cluster."""


class RecordUnreadable(NodeError):
    """The record on the disk is not one that this version wrote."""


class CannotListen(NodeError):
    """The address, the port or the directory is not to be had; the message says which and what to do."""
