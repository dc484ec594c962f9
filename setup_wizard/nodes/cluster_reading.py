"""Read what a cluster says about itself, with one sign-in over the approved certificate of a member.

The first request decides whether the cluster accepts the credentials; after a refusal nothing more is sent.
"""

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeVar

from django.views.decorators.debug import sensitive_variables

from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.status import (
    ClusterFacts,
    LicenseFacts,
    ListedNode,
    Lockout,
    MemberState,
    Module,
    RunningAction,
)
from setup_wizard.nodes.authentication import NodeSignIn
from setup_wizard.nodes.client import NodeConnection
from setup_wizard.nodes.clock_offset import ClockOffset
from setup_wizard.nodes.errors import (
    NO_ANSWER_IN_TIME,
    NO_TIME_LEFT,
    NodeError,
    NodeMisbehaved,
    NodeRefused,
    NodeUnavailable,
    NodeUnreachable,
)


class Part(StrEnum):
    """One part of a reading, besides `GET /v1/cluster`; the values are fields of `ClusterReading`."""

    NODES = "nodes"
    IS_ADMINISTRATOR = "is_administrator"
    MEMBER_STATES = "member_states"
    ACTIONS = "actions"
    LICENSE = "license"
    LOCKOUT = "lockout"
    MODULES = "modules"


NO_TIME: Final = frozenset({NO_TIME_LEFT, NO_ANSWER_IN_TIME})
"""Why a part is missing when the time was over, before the cluster was asked for it or after."""
EVERY_PART: Final = tuple(Part)
_NOT_TOLD: Final = frozenset({403, 404, 405})

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterReading:
    """What the cluster of `member` ("10.0.0.5:9443") answered; a part without an answer is None.

    `missing` says why, in words for people, except for a call that the cluster does not have or that the account may
    not use. `actions` are those that run.
    """

    member: str
    cluster: ClusterFacts
    nodes: tuple[ListedNode, ...] | None = None
    is_administrator: bool | None = None
    member_states: tuple[MemberState, ...] | None = None
    actions: tuple[RunningAction, ...] | None = None
    license: LicenseFacts | None = None
    lockout: Lockout | None = None
    modules: tuple[Module, ...] | None = None
    clock: ClockOffset | None = None
    missing: Mapping[Part, str]


@sensitive_variables()
def read_cluster(
    member: NodeConnection,
    credentials: Credentials,
    *,
    reserved: AbstractContextManager[object],
    parts: Collection[Part] = EVERY_PART,
) -> ClusterReading:
    """Read the cluster of a member, until the deadline of the connection.

    The credentials are sent inside `reserved`, which may refuse them and sees the exception.

    Raises:
        NodeRefused: the cluster does not accept the sign-in.
        NodeError: as `NodeConnection.cluster`; a later request without an answer only leaves its part None.
    """
    sign_in = NodeSignIn.of(credentials)
    with reserved:
        if sign_in.has_certificate:
            member.present_certificate(sign_in)
        cluster = member.cluster(sign_in)
        reader = _PartReader(member, sign_in, parts)
        return ClusterReading(
            member=member.endpoint.key,
            cluster=cluster,
            nodes=reader.read(Part.NODES, member.nodes),
            is_administrator=reader.read(Part.IS_ADMINISTRATOR, member.is_administrator),
            actions=reader.read(Part.ACTIONS, member.running_actions),
            license=reader.read(Part.LICENSE, member.license),
            lockout=reader.read(Part.LOCKOUT, member.lockout),
            modules=reader.read(Part.MODULES, member.modules),
            # last: a member may wait for a node that hangs before it answers this
            member_states=reader.read(Part.MEMBER_STATES, member.member_states),
            clock=member.clock,
            missing=reader.missing,
        )


@dataclass
class _PartReader:
    member: NodeConnection
    sign_in: NodeSignIn
    parts: Collection[Part]
    missing: dict[Part, str] = field(default_factory=dict)
    is_out_of_step: bool = False  # the rest of a broken answer would be read as the next one

    @sensitive_variables()
    def read(self, part: Part, ask: Callable[[NodeSignIn], Answer]) -> Answer | None:
        """Read one part; None when it is not wanted or there is no answer."""
        if part not in self.parts:
            return None
        if self.member.is_late:
            self.missing[part] = NO_TIME_LEFT
            return None
        try:
            if self.is_out_of_step or not self.member.is_open:
                self.member.reopen()
            self.is_out_of_step = False
            return ask(self.sign_in)
        except NodeRefused as refusal:
            if refusal.status not in _NOT_TOLD:
                raise  # the account was locked or its password changed meanwhile
        except NodeError as error:
            if not (isinstance(error, NodeMisbehaved) and error.status in _NOT_TOLD):
                self.missing[part] = _describe(error)
                self.is_out_of_step = True
        return None


def _describe(error: NodeError) -> str:
    match error:
        case NodeUnreachable():
            return error.detail or "no answer"
        case NodeUnavailable():
            return f"status code {error.status}"
        case NodeMisbehaved():
            return error.detail
    return str(error)
