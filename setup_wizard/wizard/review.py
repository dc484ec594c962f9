"""Everything on one page, every check anew, and Start."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access import throttle
from setup_wizard.attempts import engine, preflight, sign_ins, vault
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.preflight import Check, Level, Plan
from setup_wizard.bootstrap import rules
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import BootstrapRequest, InvalidRequest
from setup_wizard.bootstrap.secret import MASK
from setup_wizard.nodes import probing
from setup_wizard.nodes.address import DEFAULT_PORT, Address
from setup_wizard.nodes.probe import Probe
from setup_wizard.wizard import cards, document, drafts, reviewed, steps
from setup_wizard.wizard.models import Draft

KEPT = "kept, not shown"


@dataclass(frozen=True, slots=True)
class Row:
    """One answer: its label, its value, and where it is changed, if there is such a place."""

    label: str
    value: str
    url: str
    is_code: bool = False
    is_fingerprint: bool = False
    entered: str = ""  # when a value that is not shown was entered

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
    changes: list[reviewed.Change] | None = None

    @property
    def answers(self) -> list[tuple[str, str]]:
        """The answers as pairs of label and value."""
        return [(row.label, row.entered or row.value) for group in self.groups for row in group.rows]

    @property
    def as_reviewed(self) -> str:
        """What the page sends with Start, so that a refusal can say what has changed since."""
        return reviewed.write(self.answers)

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
        member_certificates=probing.fetch_certificates(_others(request), by=by)
        if member
        else probing.MemberCertificates(),
        accept_new_certificate=draft.accept_new_certificate,
    )
    checks = sorted([*preflight.check(plan), *_credentials(draft)], key=lambda check: check.level is Level.GOOD)
    return _put_together(draft, checks, request, plan)


@sensitive_variables()
def _credentials(draft: Draft) -> list[Check]:
    """Say, before Start, that a join's cluster has just refused the credentials, and what is unseen in the password."""
    try:
        kept = vault.open_for(draft.pk)
    except vault.SecretUnavailable:
        return []
    found = rules.warn_password_spelling(kept.password.reveal()) if kept.password else []
    if draft.wanted is Action.JOIN:
        held = sign_ins.held_back(sign_ins.Account((draft.member_fingerprint,), kept.username), kept)
        found = [*([f"{held.message} Start would wait for other credentials."] if held else []), *found]
    return [Check("password", Level.WARN, text, "credentials.password") for text in found]


def _others(request: BootstrapRequest) -> list[Address]:
    """Give the members that a join names beside the first one."""
    port = request.cnm_https_port or DEFAULT_PORT
    return [Address(host.strip("[]"), port) for host in request.cluster.nodes[1:]]


def start(draft: Draft, *, by: User, version: int, seen: str = "") -> Attempt:
    """Turn the version of the draft that was reviewed into an attempt; pressed several times it is still one.

    `seen` is what the review page showed, from `Review.as_reviewed`.

    Raises:
        Refused: the draft has changed since, a check forbids it, or another attempt has the node.
        SecretUnavailable: the password is not kept any more.
        TooOften: `by` has started too much within this minute.
        Draft.DoesNotExist: the draft was discarded meanwhile.
    """
    try:
        return _begin(draft, by, version)
    except (drafts.Stale, Refused, vault.SecretUnavailable, throttle.TooOften) as error:
        # another press of the same Start may have won, and everything above then fails for that reason alone
        draft.refresh_from_db()
        if draft.attempt_id:
            return Attempt.objects.get(pk=draft.attempt_id)
        if not isinstance(error, drafts.Stale):
            raise
    shown = look(draft, by=by)
    raise Refused(replace(shown, changes=reviewed.compare(seen, shown.answers)))


def _begin(draft: Draft, by: User, version: int) -> Attempt:
    if draft.version != version:
        raise drafts.Stale
    engine.admit(by)
    seen = look(draft, by=by)
    if seen.plan is None:
        raise Refused(seen)
    try:
        return engine.begin(seen.plan, owner=draft.pk, by=by, together_with=partial(drafts.mark_started, draft))
    except engine.NodeBusy as error:
        raise Refused(replace(seen, busy=error.attempt)) from error
    except engine.PreflightFailed as error:
        raise Refused(replace(seen, findings=_findings(draft, error.checks))) from error


def _ask(address: str, part: str, checks: list[Check], by: User) -> Probe | None:
    try:
        return probing.probe_node(address, by=by)
    except probing.ProbeFailed as error:
        checks.append(Check("reachable", Level.BAD, error.message, part))
        return None


def _put_together(draft: Draft, checks: list[Check], request: BootstrapRequest | None, plan: Plan | None) -> Review:
    recovers = draft.wanted is Action.RECOVER
    groups = [*_groups(draft), *_unasked(draft, request)]
    return Review(groups, _findings(draft, checks), _sent(draft, request), plan, recovers=recovers)


def _findings(draft: Draft, checks: list[Check]) -> list[Finding]:
    return [Finding(check, _url(draft, check.part)) for check in checks]


def _url(draft: Draft, part: str) -> str:
    found = steps.locate(draft, part)
    return found[0].url(draft, found[1]) if found else ""


def _sent(draft: Draft, request: BootstrapRequest | None) -> str:
    if request is None:
        return ""
    shown: dict[str, Any] = request.redacted()
    shown["credentials"] = {"username": document.username(draft), "password": MASK}
    return json.dumps(shown, indent=2, ensure_ascii=False)


def _groups(draft: Draft) -> Iterator[Group]:
    for step in steps.of(draft):
        form = step.form(draft, draft.owner)
        # a suggestion that was not saved is not sent; the first step's answers are columns of the draft
        saved = form.saved if step is steps.ACTION else draft.values(form.key)
        rows = []
        for section in form.sections:
            for field in section.fields:
                name = field.name
                value = KEPT if name in form.secret_fields else form.in_words(name, saved.get(name))
                if value and name in {*form.compared(), *form.secret_fields}:
                    is_code = getattr(field.field, "is_code", False)
                    entered = _entered(draft) if name in form.secret_fields else ""
                    rows.append(Row(str(field.label), value, step.url(draft, name), is_code, entered=entered))
        yield Group(form.title, [*rows, *_certificates(draft, step)])


def _unasked(draft: Draft, request: BootstrapRequest | None) -> Iterator[Group]:
    """Name what came with the draft and stands in no form."""
    if request and (found := document.also_sent(draft, request)):
        yield Group("Also sent", [Row(path, value, "", is_code=True) for path, value in found])


def _entered(draft: Draft) -> str:
    since = drafts.kept_since(draft)
    return f"entered at {since.isoformat(' ', 'milliseconds').partition('+')[0]} UTC" if since else ""


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
