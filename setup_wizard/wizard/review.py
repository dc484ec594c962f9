"""Everything on one page, every check anew, and Start."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth.models import User

from setup_wizard.attempts import engine, preflight, vault
from setup_wizard.attempts.models import OPEN_STATES, Attempt
from setup_wizard.attempts.preflight import Check, Level, Plan
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import InvalidRequest, Request
from setup_wizard.bootstrap.secret import MASK
from setup_wizard.nodes import asking
from setup_wizard.nodes.probe import Probe
from setup_wizard.wizard import cards, document, drafts, steps
from setup_wizard.wizard.models import Draft

KEPT = "kept, not shown"


@dataclass(frozen=True, slots=True)
class Row:
    """One answer: its label, its value, and where it is changed."""

    label: str
    value: str
    url: str
    is_code: bool = False
    is_fingerprint: bool = False

    @property
    def pairs(self) -> list[str]:
        """A fingerprint, parted where a line may break."""
        return cards.in_pairs(self.value)


@dataclass(frozen=True, slots=True)
class Group:
    """The answers of one step."""

    title: str
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Finding:
    """One check with the way to what it is about."""

    check: Check
    url: str


@dataclass(frozen=True, slots=True)
class Review:
    """What the review page shows; `plan` is None when Start cannot even be tried."""

    groups: list[Group]
    findings: list[Finding]
    sent: str
    plan: Plan | None
    busy: Attempt | None = None
    recovers: bool = False

    @property
    def is_blocked(self) -> bool:
        """Whether Start is refused."""
        return self.plan is None or any(finding.check.blocks for finding in self.findings)


class Refused(Exception):
    """Start was refused; `review` says why."""

    def __init__(self, review: Review) -> None:
        super().__init__("start refused")
        self.review = review


def look(draft: Draft, *, by: User) -> Review:
    """Ask the node, and a join's member, anew, and run every check.

    The draft must be complete: `steps.first_unfinished` is None.
    """
    try:
        request = document.compose(draft)
    except InvalidRequest as error:
        wrong = [
            Check("request", Level.BAD, message, path) for path, texts in error.fields.items() for message in texts
        ]
        return _put_together(draft, wrong, None, None)
    checks: list[Check] = []
    node = _ask(draft.address, "address", checks, by)
    member = None
    if draft.wanted is Action.JOIN and draft.member:
        member = _ask(str(draft.member.address), "cluster.nodes", checks, by)
    if checks or node is None:
        return _put_together(draft, checks, request, None)
    plan = Plan(
        action=draft.wanted,
        probe=node,
        request=request,
        fingerprint=draft.fingerprint,
        member=member,
        member_fingerprint=draft.member_fingerprint or None,
        accept_new_certificate=draft.accept_new_certificate,
    )
    return _put_together(draft, preflight.check(plan), request, plan)


def start(draft: Draft, *, by: User) -> Attempt:
    """Turn the draft into an attempt; pressed twice it is still one.

    Raises:
        Refused: a check forbids it, or the node is taken by another attempt.
        SecretUnavailable: the password is not kept any more.
        TooOften: `by` has started too much within this minute.
    """
    engine.admit(by)
    seen = look(draft, by=by)
    if seen.plan is None:
        raise Refused(seen)
    try:
        attempt = engine.begin(seen.plan, owner=draft.pk, by=by)
    except (engine.NodeBusy, engine.PreflightFailed, vault.SecretUnavailable) as error:
        earlier = _begun_already(draft, seen.plan, by)
        if earlier is None:
            raise _refusal(error, draft, seen) from error
        attempt = earlier
    drafts.mark_started(draft, attempt.pk)
    return attempt


def _refusal(error: Exception, draft: Draft, seen: Review) -> Exception:
    if isinstance(error, engine.NodeBusy):
        return Refused(replace(seen, busy=error.attempt))
    if isinstance(error, engine.PreflightFailed):
        return Refused(replace(seen, findings=_findings(draft, error.checks)))
    return error


def _begun_already(draft: Draft, plan: Plan, by: User) -> Attempt | None:
    """Find the attempt that a first press of the same Start has begun: the same person, node and request."""
    draft.refresh_from_db()
    if draft.attempt_id:
        return Attempt.objects.filter(pk=draft.attempt_id).first()
    opened = Attempt.objects.filter(address=plan.probe.endpoint.key, state__in=OPEN_STATES, requested_by=by).first()
    if opened is None or Draft.objects.filter(attempt_id=opened.pk).exists():
        return None
    wanted = plan.request.redacted()
    same = {key: value for key, value in opened.request.items() if key != "credentials"} == wanted
    return opened if same and opened.username == document.username(draft) else None


def _ask(address: str, part: str, checks: list[Check], by: User) -> Probe | None:
    try:
        return asking.ask(address, by=by)
    except asking.NoAnswer as error:
        checks.append(Check("reachable", Level.BAD, error.message, part))
        return None


def _put_together(draft: Draft, checks: list[Check], request: Request | None, plan: Plan | None) -> Review:
    recovers = draft.wanted is Action.RECOVER
    return Review(list(_groups(draft)), _findings(draft, checks), _sent(draft, request), plan, recovers=recovers)


def _findings(draft: Draft, checks: list[Check]) -> list[Finding]:
    return [Finding(check, _url(draft, check.part)) for check in checks]


def _url(draft: Draft, part: str) -> str:
    found = steps.locate(draft, part)
    return found[0].url(draft, found[1]) if found else ""


def _sent(draft: Draft, request: Request | None) -> str:
    if request is None:
        return ""
    shown: dict[str, Any] = request.redacted()
    shown["credentials"] = {"username": document.username(draft), "password": MASK}
    return json.dumps(shown, indent=2, ensure_ascii=False)


def _groups(draft: Draft) -> Iterator[Group]:
    for step in steps.of(draft):
        form = step.form(draft, draft.owner)
        rows = []
        for section in form.sections:
            for field in section.fields:
                name = field.name
                value = KEPT if name in form.secret_fields else form.in_words(name, form.saved.get(name))
                if value and name in {*form.compared(), *form.secret_fields}:
                    rows.append(
                        Row(str(field.label), value, step.url(draft, name), getattr(field.field, "is_code", False))
                    )
        yield Group(form.title, [*rows, *_certificates(draft, step)])


def _certificates(draft: Draft, step: steps.Step) -> Iterator[Row]:
    if step is steps.ACTION:
        yield Row("Its certificate, SHA-256", draft.fingerprint, step.url(draft, "address"), is_fingerprint=True)
        if draft.wanted.makes_certificate:
            answer = (
                "Accepted: one, made during the bootstrap"
                if draft.accept_new_certificate
                else "The setup stops and asks"
            )
            yield Row("If it makes a new certificate", answer, step.url(draft, "accept_new_certificate"))
    elif step.name == "cluster" and draft.wanted is Action.JOIN:
        yield Row(
            "The cluster's certificate, SHA-256",
            draft.member_fingerprint,
            step.url(draft, "members"),
            is_fingerprint=True,
        )
