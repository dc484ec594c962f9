"""The possible results of one exchange with a node.

`engine/exchange.py` makes them from an answer or a `NodeError`, without secrets.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from setup_wizard.bootstrap.status import BootstrapStatus

ADDRESS = "address"  # the phase of a poll whose address is no longer allowed


@dataclass(frozen=True, slots=True)
class ClusterFree:
    """No other bootstrap of this cluster is running: the attempt may leave the queue."""


@dataclass(frozen=True, slots=True)
class ClusterBusy:
    """Another bootstrap of this cluster holds its lock.

    `holder` is its node; `needs_operator` tells whether it waits for the operator.
    """

    holder: str
    needs_operator: bool = False


@dataclass(frozen=True, slots=True)
class TickFailed:
    """The tick failed by a bug of ours; `what` is the name of the exception, never its message."""

    what: str


@dataclass(frozen=True, slots=True)
class Seen:
    """The node answered; `fingerprint` is its certificate, `uid` its ID in the cluster, if it has one."""

    status: BootstrapStatus
    fingerprint: str
    signed_in: bool = False
    uid: str = ""


@dataclass(frozen=True, slots=True)
class SignInWanted:
    """401 or 403; `signed_in` tells whether we had sent credentials."""

    signed_in: bool = False
    fingerprint: str = ""
    status: int = 401
    error_text: str = ""


@dataclass(frozen=True, slots=True)
class Silent:
    """No usable answer; `phase` is where it failed: dns, connect, tls, request, answer, or an HTTP status.

    `detail` is our description of the failure, `error_text` the text that came with the status.
    """

    phase: str
    detail: str = ""
    error_text: str = ""


@dataclass(frozen=True, slots=True)
class UnapprovedCertificate:
    """The node showed a certificate that is not approved. Nothing was sent, and its answers are ignored."""

    certificate: Mapping[str, object]

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the certificate."""
        return str(self.certificate.get("fingerprint", ""))


@dataclass(frozen=True, slots=True)
class Misbehaved:
    """An answer that no Redis Enterprise node gives; `status` is 0 unless the status is the problem."""

    detail: str
    status: int = 0
    error_text: str = ""


@dataclass(frozen=True, slots=True)
class Redirected:
    """A redirect, which is never followed; `location` is text to show."""

    status: int
    location: str


@dataclass(frozen=True, slots=True)
class Forbidden:
    """The address is not allowed."""

    message: str


@dataclass(frozen=True, slots=True)
class CredentialsMissing:
    """The stored credentials are missing or cannot be decrypted."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """The intent became too old before the POST could be sent, so it was not sent."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The node answered our POST with 2xx."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """409: a bootstrap is running, so this POST was not accepted."""

    error_text: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """400, 406, 413, 415 or 422: the node rejects the request.

    Also 401 and 403, which a node outside a cluster does not send; and 3xx, with its `location`.
    """

    status: int
    error_text: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True)
class Unsupported:
    """404 or 405: this node does not support the action."""

    status: int
    error_text: str = ""


@dataclass(frozen=True, slots=True)
class AnswerLost:
    """The POST was sent, and the answer does not show whether the node accepted it.

    `status` is 0 where there was no answer.
    """

    detail: str = ""
    status: int = 0
    error_text: str = ""


@dataclass(frozen=True, slots=True)
class MemberNamed:
    """The approved member of the cluster, asked with credentials, gave the cluster's name.

    `stated` is the name that the request states, where it states one.
    """

    name: str
    stated: str = ""


@dataclass(frozen=True, slots=True)
class MemberUnavailable:
    """The member could not be asked, or not safely; `detail` says why."""

    detail: str


@dataclass(frozen=True, slots=True)
class MemberRefused:
    """The member refused the credentials; `status` and `error_text` are its answer."""

    status: int = 401
    error_text: str = ""


@dataclass(frozen=True, slots=True)
class SignInHeld:
    """The sign-in was not sent because it could lock the account; `message` is for people.

    `is_busy` says that it may be sent in a moment.
    """

    message: str = ""
    is_busy: bool = False


@dataclass(frozen=True, slots=True)
class ClusterShown:
    """The node, asked with credentials, gave the name of its cluster.

    `rack_aware` is None when the cluster does not say; `wants_rack_awareness` says that the request asked for it.
    """

    name: str
    fingerprint: str = ""
    rack_aware: bool | None = None
    wants_rack_awareness: bool = False


@dataclass(frozen=True, slots=True)
class NodeListed:
    """The cluster's list of nodes; `status` is this node's, empty when it is not on the list.

    `uid` is its ID there, `down` has the IDs of failed nodes.
    """

    status: str
    fingerprint: str = ""
    down: tuple[int, ...] = ()
    uid: str = ""


@dataclass(frozen=True, slots=True)
class Valid:
    """The node validated the request and found no errors."""


@dataclass(frozen=True, slots=True)
class Invalid:
    """The node validated the request and found an error; nothing was changed."""

    status: BootstrapStatus


@dataclass(frozen=True, slots=True)
class NotValidated:
    """The node did not validate the request, or its answer does not tell; `why` is for people.

    `is_lost` says that it may have validated it, but the answer did not arrive.
    """

    why: str
    is_lost: bool = False


Observation = (
    ClusterFree
    | ClusterBusy
    | TickFailed
    | Valid
    | Invalid
    | NotValidated
    | Seen
    | SignInWanted
    | Silent
    | UnapprovedCertificate
    | Misbehaved
    | Redirected
    | Forbidden
    | CredentialsMissing
    | NotSent
    | Accepted
    | Conflict
    | Rejected
    | Unsupported
    | AnswerLost
    | MemberNamed
    | MemberUnavailable
    | MemberRefused
    | SignInHeld
    | ClusterShown
    | NodeListed
)


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to write: `kind` for programs, `message` for people, `data` for both."""

    kind: str
    message: str
    data: Mapping[str, object] = field(default_factory=dict)


_PHASES = {
    "dns": "its name does not resolve",
    "connect": "nothing answers on its port",
    "tls": "it does not complete a TLS handshake",
    "request": "it closes the connection on a request",
    "answer": "its answer does not arrive",
    "member": "the member that knows the cluster's name cannot be reached",
    ADDRESS: "this server may not connect to its address",
}


def phase_words(phase: str) -> str:
    """Say what failed in a phase, as part of a sentence about the node."""
    return _PHASES.get(phase, "it does not answer")


def answered(status: int, error_text: str) -> str:
    """Format an answer for a sentence: `503: “upgrade in progress”`, or the status alone without text."""
    return f"{status}: “{error_text}”" if error_text else str(status)
