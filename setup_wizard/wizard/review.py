"""All answers and all checks on one page, and Start."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256

from django.contrib.auth.models import User
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access import throttle
from setup_wizard.attempts import engine, preflight, vault
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.preflight import CheckOutcome, Level, NodeSetup, Result, Reviewed
from setup_wizard.attempts.preflight.stored_runs import StoredRun
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.renderings import Rendering, render_request, with_placeholders
from setup_wizard.bootstrap.request import BootstrapRequest, InvalidRequest
from setup_wizard.nodes.address import DEFAULT_PORT, Address
from setup_wizard.wizard import drafts, request_mapping, steps
from setup_wizard.wizard.checks import NOTHING_ACCEPTED, Accepted, ShownChecks, show_checks
from setup_wizard.wizard.models import IMPORT, Draft
from setup_wizard.wizard.permanent import PermanentChoice, permanent_choices
from setup_wizard.wizard.remedies import changed_by

PASSWORD_DOTS = "••••••••"  # noqa: S105 - what stands for any password
MAX_REVIEWED = 200  # characters of a value that the page sends back: a license could exceed the largest request
EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class ReviewedAnswer:
    """One answer: its label, its value, and the URL where it can be changed, if there is one."""

    label: str
    value: str
    url: str
    is_code: bool = False
    is_fingerprint: bool = False
    entered_at_text: str = ""  # of a hidden value
    changed_by: str = ""  # the check whose remedy changed it
    is_filled: bool = False  # by the remedy of a failed setup


@dataclass(frozen=True, slots=True)
class AnswerGroup:
    """The answers of one step."""

    title: str
    answers: list[ReviewedAnswer]


@dataclass(frozen=True, slots=True)
class ChangedAnswer:
    """One answer as it was reviewed, and as it is now."""

    label: str
    before: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What the review page shows; `setup` is None when there is nothing that could be started.

    `typed` is what a refused Start accepted and why, to show it again. `run` are the stored results that it shows.
    """

    groups: list[AnswerGroup]
    checks: ShownChecks
    permanent: list[PermanentChoice]
    renderings: tuple[Rendering, ...]
    setup: NodeSetup | None
    typed: Accepted = NOTHING_ACCEPTED
    busy: Attempt | None = None
    changes: list[ChangedAnswer] | None = None
    run: StoredRun | None = None

    @property
    def answers(self) -> list[tuple[str, str]]:
        """The answers as pairs of label and value."""
        return [
            (answer.label, answer.entered_at_text or answer.value) for group in self.groups for answer in group.answers
        ]

    @property
    def as_reviewed(self) -> str:
        """What the page sends with Start, so that a refusal can say what has changed."""
        return encode_answers(self.answers)

    @property
    def lacks_tick(self) -> bool:
        """Whether only the tick for what cannot be undone later is missing."""
        return bool(self.permanent) and not self.typed.permanent


class StartRefused(Exception):
    """Start was refused; `review` says why."""

    def __init__(self, review: Review) -> None:
        super().__init__("start refused")
        self.review = review


def build_review(draft: Draft, *, by: User) -> Review:
    """Collect the answers and the results of the checks; no node is asked.

    The draft must be complete: `steps.first_incomplete` is None.
    """
    del by
    try:
        request = request_mapping.build_request(draft)
    except InvalidRequest as error:
        invalid = [
            CheckOutcome("request", "Request", Result(level=Level.FAILED, message=text, part=path))
            for path, texts in error.fields.items()
            for text in texts
        ]
        return _review(draft, invalid, None)
    run = preflight.stored_runs.read(draft.pk, draft.version)
    return replace(_review(draft, run.outcomes, request), run=run)


def start_checks(draft: Draft, *, by: User, again: bool = False) -> None:
    """Begin the checks of a draft in the background if it is complete; a result that is still right is kept.

    `again` checks everything that is not being checked.
    """
    if draft.is_open and steps.first_incomplete(draft) is None:
        with suppress(InvalidRequest):
            setup = build_setup(draft, request_mapping.build_request(draft))
            preflight.stored_runs.start(draft.pk, draft.version, setup, by=by, again=again)


@sensitive_variables()
def build_setup(draft: Draft, request: BootstrapRequest) -> NodeSetup:
    """Return what a complete draft would start."""
    try:
        credentials = vault.open_for(draft.pk)
    except vault.SecretUnavailable:
        credentials = None
    is_join = draft.chosen_action is Action.JOIN and draft.member
    return NodeSetup(
        address=Address.parse(draft.address),
        request=request,
        fingerprint=draft.fingerprint,
        members=(draft.member.address, *_other_members(request)) if is_join and draft.member else (),
        member_fingerprint=draft.member_fingerprint or None,
        accept_new_certificate=draft.accept_new_certificate,
        credentials=credentials,
        credentials_stored_at=vault.stored_at(draft.pk),
    )


def start(draft: Draft, *, by: User, version: int, reviewed: str = "", accepted: Accepted) -> Attempt:
    """Turn the reviewed version of the draft into an attempt; several clicks make only one.

    `reviewed` is what the review page showed, from `Review.as_reviewed`; only `version` decides.

    Raises:
        StartRefused: the draft has changed, a check blocks it, a tick is missing, or another attempt has the node.
        SecretUnavailable: the password has expired.
        TooManyRequests: `by` has started too many attempts within this minute.
        Draft.DoesNotExist: the draft was discarded.
    """
    try:
        return _start(draft, by, version, accepted)
    except (drafts.Stale, StartRefused, vault.SecretUnavailable, throttle.TooManyRequests) as error:
        # a concurrent Start of the same draft may have won, which alone makes this one fail
        draft.refresh_from_db()
        if draft.attempt_id:
            return Attempt.objects.get(pk=draft.attempt_id)
        if not isinstance(error, drafts.Stale):
            raise
    current = build_review(draft, by=by)
    changes = changed_answers(reviewed, current.answers)
    raise StartRefused(replace(current, changes=changes, typed=accepted))


def _start(draft: Draft, by: User, version: int, accepted: Accepted) -> Attempt:
    if draft.version != version:
        raise drafts.Stale
    engine.count_start(by)
    current = replace(build_review(draft, by=by), typed=accepted)
    if current.setup is None or current.lacks_tick:
        raise StartRefused(current)
    findings, outcomes = preflight.stored_runs.complete(draft.pk, version, current.setup, by=by)
    reviewed = Reviewed(
        findings=findings, outcomes=outcomes, reasons=accepted.reasons(outcomes), permanent=accepted.permanent
    )
    try:
        return engine.begin(
            current.setup,
            reviewed,
            secret_id=draft.pk,
            by=by,
            together_with=partial(drafts.mark_started, draft),
        )
    except engine.NodeBusy as error:
        raise StartRefused(replace(current, busy=error.attempt)) from error
    except engine.PreflightFailed as error:
        raise StartRefused(replace(current, checks=show_checks(draft, error.outcomes))) from error


def encode_answers(answers: Sequence[tuple[str, str]]) -> str:
    """Return the answers as text for the page; long values are shortened."""
    return json.dumps([[label, _shorten(value)] for label, value in answers], ensure_ascii=False)


def changed_answers(reviewed: str, answers: Sequence[tuple[str, str]]) -> list[ChangedAnswer]:
    """List the answers that differ from `reviewed`, the output of `encode_answers`; empty if it is unreadable."""
    try:
        before = {str(label): str(value) for label, value in json.loads(reviewed)}
    except (ValueError, TypeError, RecursionError):
        return []
    now = {label: _shorten(value) for label, value in answers}
    return [
        ChangedAnswer(label, before.get(label, EMPTY), now.get(label, EMPTY))
        for label in dict.fromkeys([*now, *before])
        if before.get(label, EMPTY) != now.get(label, EMPTY)
    ]


def _shorten(value: str) -> str:
    if len(value) <= MAX_REVIEWED:
        return value
    return f"{value[:60]}… ({len(value)} characters, SHA-256 {sha256(value.encode()).hexdigest()[:16]})"


def _import_notes(draft: Draft) -> list[CheckOutcome]:
    notes = draft.values(IMPORT).get("notes", [])
    return [CheckOutcome("import", "Import", Result(level=Level.WARNING, message=text, part="")) for text in notes]


def _other_members(request: BootstrapRequest) -> list[Address]:
    port = request.cnm_https_port or DEFAULT_PORT
    return [Address(host.strip("[]"), port) for host in request.cluster.nodes[1:]]


def _review(draft: Draft, outcomes: Sequence[CheckOutcome], request: BootstrapRequest | None) -> Review:
    return Review(
        groups=[*_step_answers(draft), *_extra_answers(draft, request)],
        checks=show_checks(draft, [*_import_notes(draft), *outcomes]),
        permanent=permanent_choices(draft, request) if request else [],
        renderings=_renderings(draft, request),
        setup=build_setup(draft, request) if request else None,
    )


def _renderings(draft: Draft, request: BootstrapRequest | None) -> tuple[Rendering, ...]:
    if request is None or draft.node is None:
        return ()
    complete = with_placeholders(request, request_mapping.known_credentials(draft))
    return render_request(complete, address=str(draft.node.address), fingerprint=draft.fingerprint)


def _step_answers(draft: Draft) -> Iterator[AnswerGroup]:
    for step in steps.for_draft(draft):
        form = step.form(draft, draft.owner)
        # a suggestion that was not saved is not sent; the first step's answers are columns of the draft
        saved = form.shown if step is steps.ACTION else draft.values(form.key)
        answers = []
        for section in form.sections:
            for field in section.fields:
                name = field.name
                if name in form.unused_fields():
                    continue
                is_secret = name in form.secret_fields
                if is_secret and name not in form.paths:
                    continue  # a repetition
                is_filled = bool(getattr(field.field, "filled_in", ""))
                value = PASSWORD_DOTS if is_secret else form.display_value(name, saved.get(name))
                value = value or (EMPTY if is_filled else "")
                if value and (is_secret or name in form.compared_fields()):
                    is_code = getattr(field.field, "is_code", False)
                    entered = _password_entered(draft) if is_secret else ""
                    url = step.url(draft, name, from_review=True)
                    answers.append(
                        ReviewedAnswer(
                            str(field.label),
                            value,
                            url,
                            is_code,
                            entered_at_text=entered,
                            changed_by=changed_by(draft, form.key, name),
                            is_filled=is_filled,
                        )
                    )
        yield AnswerGroup(step.title, [*answers, *_certificates(draft, step)])


def _extra_answers(draft: Draft, request: BootstrapRequest | None) -> Iterator[AnswerGroup]:
    """Show what is sent but is not in any form."""
    if request and (values := request_mapping.extra_values(draft, request)):
        yield AnswerGroup("Also sent", [ReviewedAnswer(path, value, "", is_code=True) for path, value in values])


def _password_entered(draft: Draft) -> str:
    entered_at, kept_until = drafts.password_entered_at(draft), vault.expires_at(draft.pk)
    if entered_at is None and kept_until:
        return f"kept from the failed setup until {kept_until:%H:%M:%S} UTC"
    return f"entered at {entered_at.isoformat(' ', 'milliseconds').partition('+')[0]} UTC" if entered_at else ""


def _certificates(draft: Draft, step: steps.WizardStep) -> Iterator[ReviewedAnswer]:
    if step is steps.ACTION:
        url = step.url(draft, "address", from_review=True)
        yield ReviewedAnswer("SHA-256 fingerprint", draft.fingerprint, url, is_fingerprint=True)
        if draft.chosen_action.makes_certificate:
            answer = "Trusted" if draft.accept_new_certificate else "The setup pauses and asks you"
            url = step.url(draft, "accept_new_certificate", from_review=True)
            yield ReviewedAnswer("New certificate", answer, url)
    elif step.name == "cluster" and draft.chosen_action is Action.JOIN:
        url = step.url(draft, "members", from_review=True)
        yield ReviewedAnswer("Cluster's SHA-256 fingerprint", draft.member_fingerprint, url, is_fingerprint=True)
