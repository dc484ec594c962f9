"""The rows of the nodes page: what each node of a plan answered, and whether it can take part."""

from dataclasses import dataclass

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.sizes import format_size
from setup_wizard.clusters.document import PlannedNode
from setup_wizard.clusters.models import NodeLook, Plan
from setup_wizard.wizard.node_summary import NodeSummary, summarize_all


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One node; `look` is None before it was asked, `summary` until it has answered."""

    position: int
    planned: PlannedNode
    action: Action
    look: NodeLook | None
    summary: NodeSummary | None
    is_approved: bool
    is_twin: bool  # an earlier row is the same machine

    @property
    def address(self) -> str:
        """The node as typed, with its port."""
        return self.planned.address

    @property
    def is_pending(self) -> bool:
        """Whether it is being asked."""
        return self.look is None or self.look.answered_at is None

    @property
    def role(self) -> str:
        """What it does in the run."""
        return {Action.CREATE: "creates the cluster", Action.RECOVER: "recovers the cluster"}.get(self.action, "joins")

    @property
    def problem(self) -> str:
        """Why it cannot take part; empty when it can, or while it is being asked."""
        if self.is_twin:
            return "This is the same machine as another row. Remove one of them."
        if self.summary:
            return self.summary.blocked_reason
        return self.look.message if self.look and not self.is_pending else ""

    @property
    def can_take_part(self) -> bool:
        """Whether nothing is missing."""
        return self.summary is not None and self.is_approved and not self.problem

    @property
    def figures(self) -> dict[str, str]:
        """What the node reports, for the columns of the table."""
        facts = self.summary.facts if self.summary else None
        return {
            "version": (facts.software_version or "") if facts else "",
            "cores": f"{facts.cores:g}" if facts and facts.cores else "",
            "memory": format_size(facts.total_memory) if facts else "",
            "disk": format_size(facts.persistent_storage_size) if facts else "",
        }


def rows_of(plan: Plan) -> list[NodeRow]:
    """List the nodes of a plan in its order."""
    content = plan.content
    looks = {look.address: look for look in plan.looks.all()}
    answers = {address: answer for address, look in looks.items() if (answer := look.answer)}
    summaries = dict(zip(answers, summarize_all(list(answers.values())), strict=True))
    seen: set[str] = set()
    rows = []
    for position, planned in enumerate(content.nodes):
        look = looks.get(planned.address)
        summary = summaries.get(planned.address)
        key = summary.probe.endpoint.key if summary else ""
        approved = bool(summary and summary.approval)
        row = NodeRow(
            position, planned, content.action_of(position), look, summary, approved, bool(key) and key in seen
        )
        seen.add(key)
        rows.append(row)
    return rows
