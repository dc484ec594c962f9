"""What the attempt page shows, for the first render and for every refresh."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from setup_wizard.attempts import locks, sign_ins, vault
from setup_wizard.attempts.choices import Choice
from setup_wizard.attempts.cluster_members import attempts_of_members, free_nodes
from setup_wizard.attempts.durations import Usual, took, usual
from setup_wizard.attempts.explanations import RACK_AWARENESS, Remark, explain, remarks, what_to_check
from setup_wizard.attempts.models import Attempt, Event
from setup_wizard.attempts.preflight import title_of
from setup_wizard.attempts.reducer.snapshot import HTTP
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.error_catalogue import START_AGAIN, Explanation, Remedy
from setup_wizard.bootstrap.renderings import Rendering, render_request, with_placeholders
from setup_wizard.bootstrap.request import InvalidRequest, parse_request
from setup_wizard.bootstrap.sizes import format_size
from setup_wizard.bootstrap.status import NodeFacts
from setup_wizard.live import part_of
from setup_wizard.live.part_of import Whole
from setup_wizard.live.stages import INITIATED, WORK, Stage, stages, waited
from setup_wizard.live.topics import ATTEMPT, Watch
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.models import TrustedCertificate

_DEADLINE_HIDDEN = timedelta(minutes=1)  # when no usual duration is known
_SUCCESS = {
    Action.CREATE: "Your cluster is up",
    Action.JOIN: "The node has joined the cluster",
    Action.RECOVER: "The cluster is back, on one node",
}


@dataclass(frozen=True, slots=True)
class Panel:
    """One attempt as the page shows it."""

    attempt: Attempt
    events: list[Event]
    stages: list[Stage]
    explanation: Explanation | None
    approval: TrustedCertificate | None
    usual: Usual | None
    blocker: Attempt | None = None

    @property
    def headline(self) -> str:
        """What is happening now, or the result."""
        attempt, state = self.attempt, self.attempt.status
        if state is State.SUCCEEDED:
            return _SUCCESS[Action(attempt.action)]
        if state is State.FAILED:
            return "Failed"
        if state is State.NEEDS_OPERATOR:
            return "Action needed"
        if state is State.CANCELLED:
            return "No longer watched" if attempt.may_have_sent else "Cancelled"
        if attempt.silent_since and attempt.silent_phase.startswith(HTTP):
            return f"The node answers {attempt.silent_phase.removeprefix(HTTP)}"
        if attempt.silent_since:
            return "The node is restarting" if attempt.may_have_sent else "Still waiting for the node"
        if state is State.QUEUED and attempt.blocked_by:
            return f"Waiting for {attempt.blocked_by}"
        if attempt.not_ours:
            return "Watching another bootstrap"
        if state is State.IN_PROGRESS:
            is_initiated = any(stage.title == INITIATED and stage.mark == "now" for stage in self.stages)
            return INITIATED if is_initiated else WORK[Action(attempt.action)]
        return state.label

    @property
    def watch(self) -> Watch:
        """What the page watches."""
        return Watch(f"{ATTEMPT.name}:{self.attempt.pk}", self.attempt.last_seq)

    @property
    def page_title(self) -> str:
        """The title of the browser tab."""
        return f"{self.headline} · {self.attempt.address}"

    @property
    def tone(self) -> str:
        """The colour of the headline."""
        return self.attempt.tone

    @property
    def node_message(self) -> str:
        """The message of a node that answers with an error status; empty otherwise."""
        attempt = self.attempt
        if not (attempt.status.is_moving and attempt.silent_phase.startswith(HTTP) and attempt.silent_error_text):
            return ""
        return attempt.silent_error_text

    @property
    def title(self) -> str:
        """The heading: action, node and cluster."""
        attempt = self.attempt
        if attempt.action == Action.CREATE:
            return f"Create {attempt.cluster_name} on {attempt.address}"
        if attempt.action == Action.RECOVER:
            return f"Recover {attempt.cluster_name or 'a cluster'} on {attempt.address}"
        place = f" in place of node {self.attempt.replaces}" if self.attempt.replaces else ""
        return f"{Action(attempt.action).verb} {attempt.address} to {attempt.target or 'its cluster'}{place}"

    @property
    def address_on_the_node(self) -> str:
        """The address of the API for a command that runs on the node itself."""
        return Address.parse(self.attempt.address).on_the_node

    @property
    def host(self) -> str:
        """The node without the port of its API."""
        return self.attempt.host if ":" not in self.attempt.host else f"[{self.attempt.host}]"

    @property
    def request(self) -> str:
        """The request as it is sent, with secrets masked."""
        return json.dumps(self.attempt.request, indent=2, ensure_ascii=False)

    @property
    def renderings(self) -> tuple[Rendering, ...]:
        """The request as text for scripts."""
        stored = self.attempt.request
        try:
            request = parse_request(stored, credentials_required=False)
        except InvalidRequest:
            return ()
        complete = with_placeholders(request, stored.get("credentials", {}))
        return render_request(complete, address=self.attempt.address, fingerprint=self.attempt.fingerprint)

    @property
    def since(self) -> datetime:
        """When the time in the headline starts, while the attempt runs."""
        start = self.attempt.started_at or self.attempt.created_at
        return self.attempt.silent_since or start + waited(reversed(self.events), start)

    @property
    def late_from(self) -> datetime | None:
        """From when on it takes longer than usual; None when nothing is usual."""
        return self.since + timedelta(seconds=self.usual.nine_of_ten) if self.usual else None

    @property
    def is_late(self) -> bool:
        """Whether it takes longer than usual now."""
        return self.late_from is not None and timezone.now() >= self.late_from

    @property
    def what_to_check(self) -> tuple[str, ...]:
        """What to look at while it takes longer than usual."""
        return what_to_check(self.attempt)

    @property
    def deadline(self) -> datetime | None:
        """When the operator is asked at the latest; None unless it runs."""
        return self.attempt.deadline_at if self.attempt.status.is_moving else None

    @property
    def deadline_from(self) -> datetime:
        """From when on the deadline is shown: earlier it would only worry people."""
        return self.late_from or self.since + _DEADLINE_HIDDEN

    @property
    def shows_deadline(self) -> bool:
        """Whether the deadline is shown now."""
        return timezone.now() >= self.deadline_from

    @property
    def duration(self) -> str:
        """The time from Start to the outcome, and how much of it was waiting for a decision; empty before."""
        created, ended = self.attempt.created_at, self.attempt.ended_at
        total, decisions = took(created, ended), waited(reversed(self.events), created)
        if not total or decisions < timedelta(seconds=1):
            return total
        return f"{total}, of which {took(created, created + decisions)} waiting for a decision"

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The choices that need no input."""
        return tuple(choice for choice in self.attempt.choices if choice.transition)

    @property
    def wants_certificate(self) -> bool:
        """Whether the attempt waits for the approval of a certificate."""
        return Choice.APPROVE_CERTIFICATE in self.attempt.choices

    @property
    def certificate_choice(self) -> Choice:
        """The choice that approves a certificate."""
        return Choice.APPROVE_CERTIFICATE

    @property
    def credentials_choice(self) -> Choice:
        """The choice that enters credentials again."""
        return Choice.CREDENTIALS

    @property
    def wants_credentials(self) -> bool:
        """Whether the attempt waits for credentials."""
        return Choice.CREDENTIALS in self.attempt.choices

    @property
    def refused_sign_ins(self) -> int:
        """How many refused sign-ins count for the account now, in all attempts."""
        return sign_ins.count_refused(sign_ins.Account.of(self.attempt, self.attempt.username)).count

    @property
    def approval_to_find_cluster(self) -> TrustedCertificate | None:
        """The approved certificate of a node that is already in a cluster, so that we can ask it which one."""
        was_member = self.attempt.status is State.FAILED and self.attempt.why is Reason.ALREADY_IN_CLUSTER
        return self.approval if was_member else None

    @property
    def may_join(self) -> bool:
        """Whether the page offers to join the next node."""
        return self.attempt.status is State.SUCCEEDED and attempts_of_members().filter(pk=self.attempt.pk).exists()

    @property
    def whole(self) -> Whole:
        """The run and the cluster of this attempt."""
        return part_of.find(self.attempt)

    @property
    def failed_nodes(self) -> list[int]:
        """The IDs of the nodes that the cluster listed as failed when this node joined: replace them."""
        data = next((event.data for event in self.events if event.kind == "succeeded"), None) or {}
        return [number for number in data.get("failed_nodes", ()) if isinstance(number, int)]

    @property
    def remedies(self) -> tuple[Remedy, ...]:
        """The buttons that make a draft of a setup that ended; a failed one can always be repeated unchanged."""
        found = self.explanation.remedies if self.explanation and not self.attempt.is_open else ()
        all_change_something = all(remedy.part for remedy in found)
        return (*found, START_AGAIN) if self.attempt.status is State.FAILED and all_change_something else found

    @property
    def credentials_kept_until(self) -> datetime | None:
        """Until when the credentials of a failed setup are kept for the person who started it."""
        return vault.expires_at(self.attempt.pk) if self.attempt.status is State.FAILED else None

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What is left to do after a success."""
        return tuple(
            remark
            for remark in remarks(self.attempt, reversed(self.events))
            if remark.name != RACK_AWARENESS or not self.whole.is_rack_aware  # it was turned on since
        )

    @property
    def accepted(self) -> list[tuple[str, str]]:
        """The checks that were accepted at Start, each with its reason."""
        return [(title_of(each["name"]), each["reason"]) for each in self.attempt.overrides]

    @property
    def recovers(self) -> bool:
        """Whether the action restores a lost cluster."""
        return self.attempt.action == Action.RECOVER

    @property
    def available_nodes(self) -> list[str]:
        """The configured nodes that are neither in a cluster nor being set up."""
        return free_nodes()

    @property
    def facts(self) -> list[tuple[str, str]]:
        """The details of the node, as pairs for a list."""
        node = NodeFacts.from_json(self.attempt.facts)
        approval = f"at Start: approved by {self.approval.approved_by.get_username()}" if self.approval else ""
        pairs = [
            ("Address", self.attempt.address),
            ("Software", node.software_version or ""),
            ("System", node.os_version or ""),
            ("Memory", format_size(node.total_memory)),
            ("Cores", str(node.cores or "")),
            ("Certificate", approval),
        ]
        return [(name, value) for name, value in pairs if value]


def panel(attempt: Attempt) -> Panel:
    """Collect what the page shows of `attempt`."""
    events = list(attempt.events.select_related("by"))
    # a usual duration says nothing about how long a person takes to decide, and a silent node says what it waits for
    has_waited = attempt.blocked_by or any(event.kind == "needs_operator" for event in events)
    is_comparable = attempt.status.is_moving and not has_waited and not attempt.silent_since
    return Panel(
        attempt=attempt,
        events=events[::-1],
        stages=stages(attempt, events),
        explanation=explain(attempt),
        approval=TrustedCertificate.objects.filter(
            address=attempt.address, fingerprint=attempt.current_fingerprint, withdrawn_at=None
        )
        .select_related("approved_by")
        .first(),
        usual=usual(Action(attempt.action), attempt.software_version) if is_comparable else None,
        blocker=locks.holder(attempt) if attempt.status is State.QUEUED and attempt.blocked_by else None,
    )
