"""The report of a run for a ticket: its plan, every attempt, every pause and who decided what, without secrets."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from functools import cached_property
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpResponse

from setup_wizard.attempts.durations import took
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.preflight import title_of
from setup_wizard.attempts.visibility import visible_to
from setup_wizard.bootstrap.secret import MASK
from setup_wizard.clusters.decisions import PauseReason
from setup_wizard.clusters.document import OLD_MACHINES_OFF
from setup_wizard.clusters.engine import RunChoice
from setup_wizard.clusters.models import CLUSTER_CHECK, Run, RunEvent
from setup_wizard.clusters.run_page import NodeOnTrack, RunPage
from setup_wizard.history.reports import AttemptReport, html_file, iso, json_file

_ENDS_PAUSE = frozenset({"resumed", "skipped", "succeeded", *RunChoice}) - {RunChoice.PAUSE}


@dataclass(frozen=True, slots=True)
class Accepted:
    """A failed check that was accepted: at the node with this address, or of the cluster when it is empty."""

    check: str
    reason: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause from its event to the event that ended it, None while it lasts."""

    event: RunEvent
    end: RunEvent | None

    @property
    def reason(self) -> PauseReason:
        """Why the run was paused."""
        return PauseReason(self.event.data.get("reason", ""))

    @property
    def duration(self) -> str:
        """How long it lasted, in words; empty while it lasts."""
        return took(self.event.at, self.end.at if self.end else None)


@dataclass(frozen=True, slots=True)
class TryReport:
    """One try with one node; without `report` the reader may not see its attempt, or it was not begun."""

    node: NodeOnTrack
    number: int
    attempt: Attempt | None
    report: AttemptReport | None


class RunReport:
    """One run as its report has it for `reader`, who sees no more of its attempts than elsewhere."""

    def __init__(self, run: Run, reader: User) -> None:
        self.run = run
        self.page = RunPage(run)
        self._reader = reader

    @property
    def name(self) -> str:
        """The name of the file, without extension."""
        return f"run-{self.run.created_at.astimezone(UTC):%Y-%m-%d}-{self.run.pk}"

    @cached_property
    def plan(self) -> dict[str, Any]:
        """The plan as JSON; the license is masked, and credentials are never in it."""
        document = self.page.progress.content.as_json()
        return document | {"license": MASK} if "license" in document else document

    @property
    def plan_text(self) -> str:
        """The plan for people."""
        return json.dumps(self.plan, indent=2, ensure_ascii=False)

    @cached_property
    def events(self) -> list[RunEvent]:
        """Every event of the run, the oldest first."""
        return list(self.run.events.select_related("by"))

    @property
    def pauses(self) -> list[Pause]:
        """Every pause, the oldest first."""
        found: list[Pause] = []
        for event in self.events:
            if event.kind == "paused":
                found.append(Pause(event, None))
            elif found and found[-1].end is None and event.kind in _ENDS_PAUSE:
                found[-1] = Pause(found[-1].event, event)
        return found

    @property
    def decisions(self) -> list[tuple[RunEvent, list[str]]]:
        """What operators chose, each with what they changed and accepted."""
        return [(event, list(_details(event))) for event in self.events if event.by and event.kind != "started"]

    @property
    def accepted(self) -> list[Accepted]:
        """Every failed check that was accepted, with the reason."""
        of_nodes = [
            Accepted(title_of(each["name"]), each["reason"], address)
            for address, accepted in self.run.plan.overrides.items()
            for each in accepted
        ]
        given = [event.data.get("accepted", {}).get(CLUSTER_CHECK, "") for event in self.events]
        return [*of_nodes, *(Accepted(_title_of(CLUSTER_CHECK), reason) for reason in given if reason)]

    @property
    def confirmed(self) -> list[str]:
        """What was confirmed at Start."""
        permanent = "What cannot be undone later was accepted" if self.run.accepted_permanent else ""
        return [text for text in (permanent, OLD_MACHINES_OFF if self.run.old_machines_off else "") if text]

    @cached_property
    def tries(self) -> list[TryReport]:
        """Every try with every node, in the order of the nodes."""
        steps = list(self.run.steps.all())
        begun = Attempt.objects.select_related("requested_by", "review_mark__by").in_bulk(
            [step.attempt_id for step in steps]
        )
        visible = set(visible_to(self._reader, Attempt.objects.filter(pk__in=begun)).values_list("pk", flat=True))
        return [
            TryReport(
                self.page.track[step.position],
                step.number,
                attempt := begun.get(step.attempt_id),
                AttemptReport.of(attempt) if attempt and attempt.pk in visible else None,
            )
            for step in steps
        ]

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON; times are ISO 8601 in UTC."""
        run = self.run
        return {
            "id": str(run.pk),
            "title": self.page.title,
            "headline": self.page.headline,
            "state": run.state,
            "reason": run.reason,
            "message": run.why_paused,
            "cluster": run.plan.target,
            "started_by": run.started_by.get_username(),
            "continued_by": run.continued_by.get_username() if run.continued_by else None,
            "started_at": iso(run.created_at),
            "ended_at": iso(run.ended_at),
            "duration": self.page.duration,
            "confirmed": self.confirmed,
            "accepted": [
                {"node": each.address or None, "check": each.check, "reason": each.reason} for each in self.accepted
            ],
            "nodes": [
                {"address": node.node.planned.address, "action": node.action.value, "state": node.progress.value}
                for node in self.page.track
            ],
            "pauses": [
                {
                    "since": iso(pause.event.at),
                    "until": iso(pause.end.at) if pause.end else None,
                    "reason": pause.reason.value,
                    "message": pause.event.message,
                    "ended_by": pause.end.by.get_username() if pause.end and pause.end.by else None,
                }
                for pause in self.pauses
            ],
            "events": [
                {
                    "seq": event.seq,
                    "at": iso(event.at),
                    "kind": event.kind,
                    "message": event.message,
                    "by": event.by.get_username() if event.by else None,
                    "data": event.data,
                }
                for event in self.events
            ],
            "attempts": [
                {"position": each.node.node.position, "try": each.number, **_attempt(each)} for each in self.tries
            ],
            "plan": self.plan,
        }


def report_html(run: Run, reader: User) -> HttpResponse:
    """Respond with the report as a self-contained HTML file to download."""
    report = RunReport(run, reader)
    return html_file("clusters/report.html", {"run_report": report}, report.name)


def report_json(run: Run, reader: User) -> HttpResponse:
    """Respond with the report as a JSON object to download."""
    report = RunReport(run, reader)
    return json_file(report.as_json(), report.name)


def _attempt(each: TryReport) -> dict[str, Any]:
    if each.report:
        return each.report.as_json()
    if each.attempt:
        return {"id": str(each.attempt.pk), "node": each.attempt.address, "state": each.attempt.state}
    return {"id": None, "node": each.node.node.planned.address, "state": None}


def _details(event: RunEvent) -> Iterator[str]:
    for name, reason in event.data.get("accepted", {}).items():
        yield f"Accepted {_title_of(name)}: {reason}"
    for address, values in event.data.get("changed", {}).items():
        changes = ", ".join(f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items())
        also = " and all nodes that were left" if event.data.get("all_left") else ""
        yield f"Changed {address}{also}: {changes}"


def _title_of(check: str) -> str:
    return "The cluster’s own check" if check == CLUSTER_CHECK else title_of(check)
