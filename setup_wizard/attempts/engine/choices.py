"""What an operator decides about an attempt. Each choice is offered by the attempt, or refused with the reason."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from setup_wizard.attempts import vault
from setup_wizard.attempts.engine.lease import LeaseLost, endpoint_of, settle, standing_of
from setup_wizard.attempts.engine.start import SECRET_LIFE
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.observations import Note
from setup_wizard.attempts.reducer import Outcome, Standing
from setup_wizard.attempts.states import Choice, Reason, State
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.failpoints import Point, reach
from setup_wizard.nodes import trust
from setup_wizard.nodes.certificates import Certificate

TRIES = 5


class ChoiceRefused(Exception):
    """The attempt does not offer this choice now; `code` is for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def cancel(attempt_id: UUID, *, by: User) -> Attempt:
    """End an attempt whose POST has not left.

    Raises:
        ChoiceRefused: `already_sent` once an intent has been written: the API knows no cancel.
    """
    return _choose(attempt_id, Choice.CANCEL, by, _ended(Reason.CANCELLED, f"Cancelled by {by.get_username()}"))


def stop_watching(attempt_id: UUID, *, by: User) -> Attempt:
    """End an attempt whose POST has left: the node goes on by itself, and this page stops following it."""
    message = f"{by.get_username()} stopped watching; the node goes on by itself"
    return _choose(attempt_id, Choice.STOP_WATCHING, by, _ended(Reason.STOPPED, message))


def keep_watching(attempt_id: UUID, *, by: User) -> Attempt:
    """Go on looking with a new deadline; somebody else's bootstrap is watched as theirs."""

    def change(standing: Standing, now: datetime) -> Outcome:
        foreign = standing.foreign or standing.reason in {Reason.FOREIGN_IN_PROGRESS, Reason.SUPERSEDED}
        watched = replace(_resumed(standing, now), foreign=foreign)
        if foreign:
            watched = replace(watched, state=State.IN_PROGRESS)
        elif standing.reason is Reason.NOT_ACCEPTED:
            # the quiet time begins anew, or the same two looks would ask the same question at once
            watched = replace(watched, submit_intent_at=now)
        return Outcome(watched, (Note("keep_watching", f"{by.get_username()} keeps watching"),))

    return _choose(attempt_id, Choice.KEEP_WATCHING, by, change)


def send_again(attempt_id: UUID, *, by: User) -> Attempt:
    """Send the request once more, after a look at the node: an earlier POST that shows after all is adopted instead."""

    def change(standing: Standing, now: datetime) -> Outcome:
        again = replace(_resumed(standing, now), state=State.CHECKING, unchanged_reads=0)
        return Outcome(again, (Note("send_again", f"{by.get_username()} sends the request again"),))

    return _choose(attempt_id, Choice.SEND_AGAIN, by, change)


def approve_certificate(attempt_id: UUID, fingerprint: str, *, by: User) -> Attempt:
    """Believe the certificate that the node was seen with, and go on.

    Raises:
        ChoiceRefused: `another_certificate` when `fingerprint` is not the one that waits for approval.
    """

    def change(standing: Standing, now: datetime) -> Outcome:
        seen = standing.seen_certificate or {}
        if not fingerprint or seen.get("fingerprint") != fingerprint:
            raise ChoiceRefused("another_certificate", "The node shows another certificate by now. Compare it again.")
        trusted = replace(_resumed(standing, now), seen_certificate=None)
        if standing.submits or standing.foreign:
            trusted = replace(trusted, new_fingerprint=fingerprint)
        else:
            trusted = replace(trusted, fingerprint=fingerprint)
        data = {"fingerprint": fingerprint, "old": standing.new_fingerprint or standing.fingerprint}
        return Outcome(trusted, (Note("certificate_approved", f"{by.get_username()} approved the certificate", data),))

    def follow(attempt: Attempt, before: Standing) -> None:
        certificate = Certificate.from_json(dict(before.seen_certificate or {}))
        trust.approve(endpoint_of(attempt), certificate, by=by)

    return _choose(attempt_id, Choice.APPROVE_CERTIFICATE, by, change, follow)


def give_credentials(attempt_id: UUID, credentials: Credentials, *, by: User) -> Attempt:
    """Go on asking the node with another sign-in."""

    def change(standing: Standing, now: datetime) -> Outcome:
        resumed = replace(_resumed(standing, now), refused_since=None, signs_in=True)
        return Outcome(resumed, (Note("credentials", f"{by.get_username()} entered the sign-in again"),))

    def follow(attempt: Attempt, _: Standing) -> None:
        vault.seal(attempt.pk, credentials, expires_at=timezone.now() + SECRET_LIFE)

    return _choose(attempt_id, Choice.CREDENTIALS, by, change, follow)


def _resumed(standing: Standing, now: datetime) -> Standing:
    return replace(
        standing,
        state=State(standing.rested_from),
        reason=Reason.NONE,
        rested_from="",
        rested_at=None,
        silent_since=None,
        silent_phase="",
        deadline_at=now + timedelta(seconds=settings.SETUP_WIZARD_DEADLINE_SECONDS),
    )


def _ended(reason: Reason, message: str) -> Callable[[Standing, datetime], Outcome]:
    def change(standing: Standing, now: datetime) -> Outcome:
        cancelled = replace(standing, state=State.CANCELLED, reason=reason, ended_at=now)
        return Outcome(cancelled, (Note("cancelled", message, {"reason": reason.value}),))

    return change


def _choose(
    attempt_id: UUID,
    choice: Choice,
    by: User,
    change: Callable[[Standing, datetime], Outcome],
    follow: Callable[[Attempt, Standing], None] | None = None,
) -> Attempt:
    """Apply a choice by compare-and-set, taking the lease away from any worker that holds it.

    A worker may move the attempt between our read and our write; then the choice is judged anew, a few times.
    """
    for _ in range(TRIES):
        attempt = Attempt.objects.get(pk=attempt_id)
        if choice not in attempt.choices:
            raise _refusal(attempt, choice)
        now = timezone.now()
        before = standing_of(attempt)
        outcome = change(before, now)
        try:
            with transaction.atomic():
                settle(attempt, before, outcome, now, by=by, lease_token=attempt.lease_token + 1)
                if outcome.standing.state.is_moving:
                    vault.keep_until(attempt.pk, now + SECRET_LIFE)
                if follow:
                    follow(attempt, before)
                reach(Point.CHOICE_COMMIT)
        except LeaseLost:
            continue
        reach(Point.CHOICE_COMMITTED)
        return attempt
    raise ChoiceRefused("busy", "The attempt is changing right now. Try again.")


def _refusal(attempt: Attempt, choice: Choice) -> ChoiceRefused:
    if choice is Choice.CANCEL and attempt.is_open and attempt.has_sent:
        return ChoiceRefused(
            "already_sent", "The request has been sent, and a node knows no cancel. You can stop watching."
        )
    return ChoiceRefused(
        "not_offered", f"“{choice.label}” is not possible now: the attempt is {attempt.status.label.lower()}."
    )
