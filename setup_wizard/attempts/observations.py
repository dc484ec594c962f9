"""What one exchange with a node can show: everything that the reducer may have to judge.

Each observation is made by `engine/exchange.py` from an answer or from a `NodeError`, already scrubbed of secrets.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from setup_wizard.bootstrap.status import BootstrapStatus


@dataclass(frozen=True, slots=True)
class ClusterFree:
    """No other bootstrap of this cluster runs: the attempt may leave the queue."""


@dataclass(frozen=True, slots=True)
class ClusterBusy:
    """Another bootstrap of this cluster holds its lock.

    `holder` names its node; `is_waiting` tells whether it needs a decision before it can go on.
    """

    holder: str
    is_waiting: bool = False


@dataclass(frozen=True, slots=True)
class TickFailed:
    """The tick itself broke, on a fault of ours; `what` is the name of its exception, never its words."""

    what: str


@dataclass(frozen=True, slots=True)
class Seen:
    """The node answered; `fingerprint` is the certificate it showed, `uid` its number in its cluster, if it has one."""

    status: BootstrapStatus
    fingerprint: str
    signed_in: bool = False
    uid: str = ""


@dataclass(frozen=True, slots=True)
class SignInWanted:
    """401 or 403; `signed_in` tells whether we had offered the credentials."""

    signed_in: bool = False
    fingerprint: str = ""
    status: int = 401
    words: str = ""


@dataclass(frozen=True, slots=True)
class Silent:
    """Nothing usable came back; `phase` is where it stopped: dns, connect, tls, request, answer, or an HTTP status.

    `detail` says in our words what failed, `words` is what came with the status.
    """

    phase: str
    detail: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class StrangeCertificate:
    """The node showed a certificate that nobody approved. Nothing was sent, nothing it says is believed."""

    certificate: Mapping[str, object]

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of what it showed."""
        return str(self.certificate.get("fingerprint", ""))


@dataclass(frozen=True, slots=True)
class Misbehaved:
    """An answer that no Redis Enterprise node gives; `status` is 0 unless it was the status that no node sends."""

    detail: str
    status: int = 0
    words: str = ""


@dataclass(frozen=True, slots=True)
class Redirected:
    """A redirect, which is never followed; `location` is text to show."""

    status: int
    location: str


@dataclass(frozen=True, slots=True)
class Forbidden:
    """The address is, or has become, one that the guard refuses."""

    message: str


@dataclass(frozen=True, slots=True)
class CredentialsMissing:
    """The sealed credentials are not there or cannot be opened."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """The intent grew too old before the POST could leave, so it did not."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The node answered our POST with 2xx."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """409: the node says that a bootstrap runs, so this POST was not accepted."""

    words: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """400, 406, 413, 415 or 422: the node will not take the request as it is.

    Also 401 and 403, where it wants a sign-in that no free node wants; and 3xx, where `message` is the location.
    """

    status: int
    message: str


@dataclass(frozen=True, slots=True)
class Unsupported:
    """404 or 405: this node does not know the action."""

    status: int
    words: str = ""


@dataclass(frozen=True, slots=True)
class AnswerLost:
    """The POST left, and what the node made of it cannot be told from what came back.

    `status` is 0 where there was no answer.
    """

    detail: str = ""
    status: int = 0
    words: str = ""


@dataclass(frozen=True, slots=True)
class MemberNamed:
    """The approved member of the cluster that is joined, asked with the sign-in, has given the cluster's name.

    `stated` is the name that the request states, where it states one.
    """

    name: str
    stated: str = ""


@dataclass(frozen=True, slots=True)
class MemberUnavailable:
    """The member could not be asked, or not safely; `detail` says why, in our words."""

    detail: str


@dataclass(frozen=True, slots=True)
class MemberRefused:
    """The member does not accept the sign-in; `status` and `words` are its answer."""

    status: int = 401
    words: str = ""


@dataclass(frozen=True, slots=True)
class SignInHeld:
    """The sign-in was not sent: another refused one could lock the account. `message` is for people.

    `is_busy` says that this is over in a moment.
    """

    message: str = ""
    is_busy: bool = False


@dataclass(frozen=True, slots=True)
class ClusterShown:
    """The node, asked with the sign-in, has given the name of the cluster that it is in."""

    name: str
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class NodeListed:
    """The cluster's list of nodes; `status` is its word for this node, empty when it is not on the list.

    `down` has the numbers of those that have failed.
    """

    status: str
    fingerprint: str = ""
    down: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Valid:
    """The node has checked the request and finds nothing wrong with it."""


@dataclass(frozen=True, slots=True)
class Invalid:
    """The node has checked the request and says what is wrong with it; nothing was begun."""

    status: BootstrapStatus


@dataclass(frozen=True, slots=True)
class NotValidated:
    """The node did not check the request: it has no such call, or gave no verdict. `why` is for people.

    `is_lost` says that it may have checked it all the same: no answer came back, or one that says nothing of that.
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
    | StrangeCertificate
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
    """One event to be: `kind` for programs, `message` for people, `data` for both."""

    kind: str
    message: str
    data: Mapping[str, object] = field(default_factory=dict)


def answered(status: int, words: str) -> str:
    """Write an answer into a sentence: `503: “upgrade in progress”`, or the status alone where it had no words."""
    return f"{status}: “{words}”" if words else str(status)
