"""What can go wrong.

NodeError
├── Busy                a bootstrap is running or completed: 409
├── Malformed           a body that cannot be used: 400
├── BootstrapFailed     a bootstrap cannot be done: it ends in `error`
├── LicenseUnreadable   a text that is not a license
├── PeerUnreachable     another node gives no usable answer: ask the next one
├── Replaced            another node has this one's uid: 410
├── ClusterUnavailable  the node cannot act for its cluster now: 503
├── RecordUnreadable    the data directory is not of this version: do not start
└── CannotStart         an address, a port, a directory or enough open files are not available: do not start
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


class NodeError(Exception):
    """The base of all; the message is for people."""


class Busy(NodeError):
    """A bootstrap is running or completed: the node accepts no other."""


class Malformed(NodeError):
    """A document that cannot be used; the message begins with the path of the field, when there is one."""


@dataclass(frozen=True)
class Failure:
    """Why a bootstrap ended in `error`: one of the documented codes, and its details."""

    code: str
    details: Mapping[str, object] = field(default_factory=dict)


class BootstrapFailed(NodeError):
    """A bootstrap cannot be done; the node shows `failure`."""

    def __init__(self, code: str, message: str, **details: object) -> None:
        super().__init__(message)
        self.failure = Failure(code, {"message": message, **details})


class LicenseUnreadable(NodeError):
    """A text that is not a license; the message says what is wrong with it."""


class PeerUnreachable(NodeError):
    """Another node gives no usable answer; the message says why."""


class Replaced(NodeError):
    """Another node has this one's uid: it had failed and was replaced."""


class ClusterUnavailable(NodeError):
    """The node is not a member, was replaced, or cannot write what it knows of its cluster."""


class RecordUnreadable(NodeError):
    """The record on the disk was not written by this version."""


class CannotStart(NodeError):
    """An address, a port, a directory or enough open files are not available; the message says which and what to do."""
