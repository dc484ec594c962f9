"""Reserve sign-ins before they are sent, and record how each one ended."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from setup_wizard.attempts import timing
from setup_wizard.attempts.models import ClusterLockoutPolicy, SentSignIn, SignInOutcome
from setup_wizard.attempts.sign_ins.accounts import Account
from setup_wizard.attempts.sign_ins.policies import Budget, lock_budget, read_budget
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.nodes.errors import NodeError, NodeMisbehaved, NodeRefused, NodeUnreachable

_BUSY = "Other sign-ins for this account are running. Try again in a few seconds."
IN_FLIGHT = timedelta(seconds=timing.WORKER_LIMIT)  # an older sign-in without an outcome is lost


@dataclass(frozen=True, slots=True)
class RefusedSignIns:
    """How many sign-ins count against an account, and until when; `until` is None when there are none."""

    count: int
    until: datetime | None = None

    def describe(self, username: str) -> str:
        """Write it as sentences; "" when none counts."""
        if self.until is None:
            return ""
        counts = "counts" if self.count == 1 else "count"
        return (
            f"{_sign_ins(self.count, username)} without success {counts} towards a lockout of the account until "
            f"{_time(self.until)}."
        )


class SignInBlocked(Exception):
    """The sign-in was not sent, because a refused one could lock the account or the same one was just refused.

    `message` is for people. `is_busy` says that running sign-ins are the only reason: try again in a second.
    """

    def __init__(self, message: str, *, is_busy: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.is_busy = is_busy


@dataclass(slots=True)
class Reservation:
    """One reserved sign-in. Its first outcome counts; later calls change nothing."""

    row: SentSignIn
    hashes: Sequence[str]
    has_outcome: bool = False

    def accept(self) -> None:
        """Stop counting it, and lost ones with the same credentials: the cluster would have accepted those too."""
        if not self._save_outcome(SignInOutcome.ACCEPTED):
            return
        same = SentSignIn.objects.filter(credentials_hash__in=self.hashes, bootstrap_of=None).exclude(pk=self.row.pk)
        crashed = Q(outcome=SignInOutcome.SENT, at__lt=timezone.now() - IN_FLIGHT)
        same.filter(
            Q(outcome__in=[SignInOutcome.LOST, SignInOutcome.ACCEPTED, SignInOutcome.ALLOWED]) | crashed
        ).delete()

    def refuse(self) -> None:
        """Count it, and block the same credentials for a while."""
        self._save_outcome(SignInOutcome.REFUSED)

    def lose(self) -> None:
        """Count it: no answer came."""
        self._save_outcome(SignInOutcome.LOST)

    def fail(self, problem: NodeError) -> None:
        """Record the outcome by the error of the request that signed in."""
        match problem:
            case NodeRefused():
                self.refuse()
            case NodeUnreachable(is_unsent=False) | NodeMisbehaved():
                self.lose()
            case _:
                self.release()  # not sent, or an answer that is not a refusal

    def release(self) -> None:
        """Delete it: the cluster did not check it."""
        if not self.has_outcome:
            self.has_outcome = True
            self.row.delete()

    def _save_outcome(self, outcome: SignInOutcome) -> bool:
        if self.has_outcome:
            return False
        self.has_outcome = True
        SentSignIn.objects.filter(pk=self.row.pk).update(outcome=outcome, at=timezone.now())
        return True


@contextmanager
@sensitive_variables()
def reserved(account: Account, credentials: Credentials, *, retry: bool = False) -> Iterator[Reservation]:
    """Reserve a sign-in for the requests inside the block, and record the outcome by how the block ends.

    Without an exception it counts as accepted, unless the block recorded another outcome. `retry` is for the second try
    of credentials that were just refused.

    Raises:
        SignInBlocked: nothing may be sent.
    """
    reservation = reserve(account, credentials, retry=retry)
    try:
        yield reservation
    except NodeError as problem:
        reservation.fail(problem)
        raise
    reservation.accept()


@sensitive_variables()
def reserve(
    account: Account, credentials: Credentials, *, retry: bool = False, bootstrap_of: UUID | None = None
) -> Reservation:
    """Count a sign-in before it is sent; until the caller records an outcome, it counts as refused.

    `bootstrap_of` names the attempt whose node will sign in with these credentials by itself.

    Raises:
        SignInBlocked: nothing may be sent.
    """
    hashes = account.credentials_hashes(credentials)
    with transaction.atomic():
        budget = lock_budget(account)
        if bootstrap_of:  # the bootstrap is sent again only when the earlier request did not arrive
            SentSignIn.objects.filter(bootstrap_of=bootstrap_of).delete()
        if block := _find_block(account, budget, hashes, retry=retry):
            raise block
        row = SentSignIn.objects.create(
            account_hash=account.account_hashes[0], credentials_hash=hashes[0], bootstrap_of=bootstrap_of
        )
    return Reservation(row, hashes)


@sensitive_variables()
def blocked(account: Account, credentials: Credentials) -> SignInBlocked | None:
    """Say why these credentials would not be sent now; None when they would."""
    block = _find_block(account, read_budget(account), account.credentials_hashes(credentials))
    return None if block and block.is_busy else block


@sensitive_variables()
def was_refused(account: Account, credentials: Credentials) -> bool:
    """Tell whether the cluster has just refused these credentials, so that they would not be sent again."""
    hashes = account.credentials_hashes(credentials)
    return _last_refusal([row for row in _rows(account) if row.credentials_hash in hashes]) is not None


@sensitive_variables()
def allow_once(account: Account, credentials: Credentials) -> None:
    """Let these credentials be sent until they are refused, because the operator insists."""
    SentSignIn.objects.create(
        account_hash=account.account_hashes[0],
        credentials_hash=account.credentials_hashes(credentials)[0],
        outcome=SignInOutcome.ALLOWED,
        at=timezone.now(),
    )


def count_refused(account: Account) -> RefusedSignIns:
    """Count the sign-ins that the cluster may hold against the account now."""
    window = read_budget(account).window
    found = _counted(_rows(account), window)
    return RefusedSignIns(len(found), found[0].at + window if found else None)


def save_bootstrap_outcome(attempt: UUID, *, refused: bool) -> None:
    """Record the outcome of the sign-in that an attempt's node made by itself."""
    rows = SentSignIn.objects.filter(bootstrap_of=attempt)
    if refused:
        rows.update(outcome=SignInOutcome.REFUSED, at=timezone.now(), bootstrap_of=None)
    else:
        rows.delete()


def count_bootstrap_as_lost(attempt: UUID, *, is_over: bool) -> None:
    """Count the sign-in that the node of an attempt may have made, while its outcome is unknown.

    Once the attempt `is_over`, it stays unknown.
    """
    rows = SentSignIn.objects.filter(bootstrap_of=attempt)
    rows.filter(outcome=SignInOutcome.SENT).update(outcome=SignInOutcome.LOST, at=timezone.now())
    if is_over:
        rows.update(bootstrap_of=None)


def purge(now: datetime) -> int:
    """Delete rows that no longer count; return how many."""
    sent = SentSignIn.objects.filter(at__lte=now - timing.SIGN_INS_KEPT).delete()[0]
    unused = Q(read_at=None) | Q(read_at__lte=now - timing.POLICY_KEPT)
    return sent + ClusterLockoutPolicy.objects.filter(unused).delete()[0]


@sensitive_variables()
def _find_block(
    account: Account, budget: Budget, hashes: Sequence[str], *, retry: bool = False
) -> SignInBlocked | None:
    rows, now = _rows(account), timezone.now()
    same = [row for row in rows if row.credentials_hash in hashes]
    with_outcome, since_last_success = _recent_outcomes(same)
    refused = _last_refusal(same)
    if refused and not retry:
        return SignInBlocked(_refused_before(account, refused.at))
    is_trusted = bool(with_outcome) and not since_last_success
    # wait for the outcome of the same credentials, but not for a joining node's: that can take as long as its join
    if not is_trusted and any(_is_in_flight(row, now) for row in same if row.bootstrap_of is None):
        return SignInBlocked(_BUSY, is_busy=True)
    counted = _counted(rows, budget.window)
    if budget.most is None or len(counted) < budget.most:
        return None
    not_running = sum(not _is_in_flight(row, now) for row in counted)
    if is_trusted:  # one at a time, so that at most one refusal exceeds the budget
        return SignInBlocked(_BUSY, is_busy=True) if not_running < len(counted) else None
    if not_running < budget.most:
        return SignInBlocked(_BUSY, is_busy=True)
    return SignInBlocked(_too_many(account, counted, budget))


def _recent_outcomes(same: Sequence[SentSignIn]) -> tuple[list[SentSignIn], list[SentSignIn]]:
    """Of sign-ins with the same credentials, give the recent ones that ended, and those since the last success."""
    newest = timezone.now() - timing.REFUSED_CREDENTIALS_HELD
    with_outcome = [row for row in same if row.result is not SignInOutcome.SENT and row.at > newest]
    return with_outcome, list(takewhile(lambda row: not row.result.is_trusted, with_outcome))


def _last_refusal(same: Sequence[SentSignIn]) -> SentSignIn | None:
    return next((row for row in _recent_outcomes(same)[1] if row.result is SignInOutcome.REFUSED), None)


def _refused_before(account: Account, at: datetime) -> str:
    what = f"{account.username} with this password" if account.username else "this client certificate"
    until = _time(at + timing.REFUSED_CREDENTIALS_HELD)
    return (
        f"The cluster refused {what} at {_time(at)}. Refused sign-ins lock the account, so these credentials are not "
        f"sent again before {until}."
    )


def _too_many(account: Account, counted: Sequence[SentSignIn], budget: Budget) -> str:
    return (
        f"The cluster refused or did not answer {_sign_ins(len(counted), account.username)}. Another one could lock "
        f"the account for everyone, so none is sent before {_time(counted[0].at + budget.window)}."
    )


def _sign_ins(number: int, username: str) -> str:
    who = f"as {username}" if username else "with this client certificate"
    return f"{number} sign-in{'' if number == 1 else 's'} of this wizard {who}"


def _rows(account: Account) -> list[SentSignIn]:
    return list(SentSignIn.objects.filter(account_hash__in=account.account_hashes).order_by("-at", "-pk"))


def _counted(rows: list[SentSignIn], window: timedelta) -> list[SentSignIn]:
    """Take the newest rows up to a pause as long as the window: a cluster resets its count only after one."""
    counted: list[SentSignIn] = []
    later = timezone.now()
    for row in (row for row in rows if row.result.counts):
        if later - row.at >= window:
            break
        counted.append(row)
        later = row.at
    return counted


def _is_in_flight(row: SentSignIn, now: datetime) -> bool:
    return row.result is SignInOutcome.SENT and (row.bootstrap_of is not None or now - row.at < IN_FLIGHT)


def _time(moment: datetime) -> str:
    return f"{moment:%H:%M} UTC"
