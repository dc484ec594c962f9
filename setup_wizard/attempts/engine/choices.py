"""Apply what an operator chose. A choice that the attempt does not offer is refused, and the message says why.

`reducer/transitions.py` decides what a choice changes; this module writes it, with the operator's name.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from setup_wizard.access import audit
from setup_wizard.attempts import sign_ins, vault
from setup_wizard.attempts.choices import Choice
from setup_wizard.attempts.engine import clock
from setup_wizard.attempts.engine.lease import LeaseLost, endpoint_of, save_decision, snapshot_of
from setup_wizard.attempts.engine.start import SECRET_LIFE
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.reducer import Decision, Snapshot, transitions
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.failpoints import Point, reach
from setup_wizard.nodes import trust
from setup_wizard.nodes.certificates import Certificate

logger = logging.getLogger(__name__)

TRIES = 5
NO_EVENT = -1  # the caller must name the event that offered the choice but did not
Change = Callable[[Snapshot, datetime, str], Decision]


class ChoiceRefused(Exception):
    """The attempt does not offer this choice now; `code` is for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def choose(attempt_id: UUID, choice: Choice, *, by: User, seq: int | None = None) -> Attempt:
    """Apply a choice that needs no input.

    `seq` is the last event that the operator has seen. It is checked for choices with a confirmation, unless None.

    Raises:
        ChoiceRefused: `already_sent` for a cancel after the intent, because nodes have no cancel;
            `not_offered`, `changed` or `busy` otherwise.
    """
    transition = choice.transition
    if transition is None:
        raise ValueError(f"{choice} needs input")

    def change(snapshot: Snapshot, now: datetime, who: str) -> Decision:
        return transition(snapshot, now, who, _time_to_deadline())

    return _choose(attempt_id, choice, seq if choice.confirmation else None, change, by=by)


def approve_certificate(attempt_id: UUID, fingerprint: str, *, by: User, seq: int | None = None) -> Attempt:
    """Trust the certificate that the node showed, and resume.

    Raises:
        ChoiceRefused: `another_certificate` when `fingerprint` does not wait for approval.
    """

    def change(snapshot: Snapshot, now: datetime, who: str) -> Decision:
        seen = snapshot.seen_certificate or {}
        if not fingerprint or seen.get("fingerprint") != fingerprint:
            raise ChoiceRefused("another_certificate", "The node now shows another certificate. Compare it again.")
        return transitions.approve_certificate(snapshot, now, who, _time_to_deadline())

    def after(attempt: Attempt, before: Snapshot) -> None:
        certificate = Certificate.from_json(dict(before.seen_certificate or {}))
        trust.approve(endpoint_of(attempt), certificate, by=by)

    return _choose(attempt_id, Choice.APPROVE_CERTIFICATE, seq, change, by=by, after=after)


def give_credentials(
    attempt_id: UUID, credentials: Credentials, *, by: User, seq: int | None = None, send_anyway: bool = False
) -> Attempt:
    """Resume with other credentials; a client certificate without a `trusted_ca` keeps that of the request.

    Raises:
        ChoiceRefused: `credentials_held_back` when another refused sign-in could lock the account, or the cluster has
            just refused these; `send_anyway` sends them once anyway.
    """

    def change(snapshot: Snapshot, now: datetime, who: str) -> Decision:
        if not send_anyway and (block := sign_ins.blocked(account_of(snapshot), credentials)):
            raise ChoiceRefused("credentials_held_back", block.message)
        return transitions.give_credentials(snapshot, now, who, _time_to_deadline())

    def account_of(snapshot: Snapshot) -> sign_ins.Account:
        return sign_ins.Account.of(snapshot, credentials.username)

    def after(attempt: Attempt, before: Snapshot) -> None:
        now = clock.now()
        asked = attempt.request.get("credentials", {}).get("trusted_ca", "")
        keeps = credentials.client_cert and not credentials.trusted_ca
        given = credentials.model_copy(update={"trusted_ca": asked}) if keeps else credentials
        vault.retire(attempt.pk, attempt.address, sent_at=before.last_asked_at or now)
        vault.seal(attempt.pk, given, expires_at=now + SECRET_LIFE)
        if send_anyway:
            sign_ins.allow_once(account_of(before), credentials)

    return _choose(attempt_id, Choice.CREDENTIALS, seq, change, by=by, after=after, username=credentials.username)


def _time_to_deadline() -> timedelta:
    return timedelta(seconds=settings.SETUP_WIZARD_DEADLINE_SECONDS)


def _choose(  # noqa: PLR0913 - what a choice is, and the two functions that make it
    attempt_id: UUID,
    choice: Choice,
    seq: int | None,
    change: Change,
    *,
    by: User,
    after: Callable[[Attempt, Snapshot], None] | None = None,
    **more: str,
) -> Attempt:
    """Apply a choice by compare-and-set, which takes the lease from any worker that holds it.

    `seq` is the last event that the operator has seen; None is not checked.
    If a worker changes the attempt between our read and our write, try again a few times.
    """
    for _ in range(TRIES):
        attempt = Attempt.objects.get(pk=attempt_id)
        _check_offer(attempt, choice, seq)
        now = clock.now()
        before = snapshot_of(attempt)
        decision = change(before, now, by.get_username())
        try:
            with transaction.atomic():
                save_decision(attempt, before, decision, now, by=by, lease_token=attempt.lease_token + 1, **more)
                if decision.snapshot.state.is_moving:
                    vault.keep_until(attempt.pk, now + SECRET_LIFE)
                if after:
                    after(attempt, before)
                _audit(attempt, choice, before, by)
                reach(Point.CHOICE_COMMIT)
        except LeaseLost:
            continue
        reach(Point.CHOICE_COMMITTED)
        return attempt
    raise ChoiceRefused("busy", "The attempt is changing right now. Try again.")


def _audit(attempt: Attempt, choice: Choice, before: Snapshot, by: User) -> None:
    """Record who chose what, in the same transaction."""
    seen = before.seen_certificate or {}
    shown = str(seen.get("fingerprint", "")) if choice is Choice.APPROVE_CERTIFICATE else attempt.current_fingerprint
    why = f"while it waited: {before.reason.label}" if before.reason else ""
    audit.record(choice, by=by, target=attempt.as_target, fingerprint=shown, note=why)
    fields = {
        "attempt": str(attempt.pk),
        "node": attempt.address,
        "kind": "choice",
        "choice": choice.value,
        "reason": before.reason.value,
        "by": by.get_username(),
    }
    transaction.on_commit(partial(logger.info, "Choice applied", extra={"fields": fields}))


def _check_offer(attempt: Attempt, choice: Choice, seq: int | None) -> None:
    is_offered = choice in attempt.choices
    is_missing = seq == NO_EVENT
    if seq is not None and (is_offered or not is_missing) and not attempt.offered_seq <= seq <= attempt.last_seq:
        why = "the request names no event" if is_missing else "the attempt changed after you opened this page"
        raise ChoiceRefused(
            "changed",
            f"“{choice.label}” was not done: {why}. State since event {attempt.offered_seq}: "
            f"{attempt.status.label}. Check it, then choose.",
        )
    if not is_offered:
        raise _refusal(attempt, choice)


def _refusal(attempt: Attempt, choice: Choice) -> ChoiceRefused:
    if choice is Choice.CANCEL and attempt.is_open and attempt.may_have_sent:
        return ChoiceRefused(
            "already_sent", "The request was already sent, and nodes have no cancel. You can stop watching."
        )
    return ChoiceRefused("not_offered", f"“{choice.label}” is not possible now. State: {attempt.status.label}.")
