"""Keep our refused sign-ins below the number that locks an account, over all attempts and people.

By default a cluster locks an account after five refused sign-ins, for everyone who uses it. So each sign-in is reserved
here before it leaves. One that was refused counts, and so does one without an answer, or whose process ended: only what
was accepted, or certainly not judged, is given back.

What is kept are hashes with keys derived from those that seal credentials: the table alone tells no one which cluster,
user name or password it is about.

    with sign_ins.sending(account, credentials):
        node.cluster_name(sign_in)
"""

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import takewhile
from typing import Self
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from setup_wizard.attempts import timing, vault
from setup_wizard.attempts.models import Attempt, LockoutPolicy, SentSignIn, SignInOutcome
from setup_wizard.attempts.reducer import Snapshot
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.status import Lockout
from setup_wizard.nodes.errors import NodeError, NodeMisbehaved, NodeRefused, NodeUnreachable

_BUSY = "Other sign-ins for this account are under way. Try again in a few seconds."
PURPOSE = "setup-wizard: refused sign-ins"
IN_FLIGHT = timedelta(seconds=timing.WORKER_LIMIT)  # a sign-in without an outcome that is older was lost


@dataclass(frozen=True)
class Account:
    """An account of a cluster; `certificates` are the fingerprints that the cluster is known by, the current one first.

    The user name is empty for sign-ins by client certificate.
    """

    certificates: tuple[str, ...]
    username: str

    @classmethod
    def of(cls, attempt: Attempt | Snapshot, username: str) -> Self:
        """Give the account of an attempt's cluster: a join's is known by its member, any other by the node itself."""
        member = attempt.member_fingerprint if attempt.action == Action.JOIN else ""
        known = [member, attempt.new_fingerprint, "" if member else attempt.fingerprint]
        return cls(tuple(dict.fromkeys(each for each in known if each)), username)

    @cached_property
    def clusters(self) -> list[str]:
        """The hashes that the cluster may be kept under; the first one is written."""
        return [_hashed(key, "cluster", each) for each in self.certificates for key in _keys()]

    @cached_property
    def hashes(self) -> list[str]:
        """The hashes that the account may be kept under; clusters may not tell upper case from lower case."""
        name = self.username.strip().casefold()
        return [_hashed(key, "account", each, name) for each in self.certificates for key in _keys()]

    @sensitive_variables()
    def pairs(self, credentials: Credentials) -> list[str]:
        """The hashes of the account with these credentials."""
        own = (
            credentials.username,
            credentials.password.reveal(),
            credentials.client_cert.strip(),
            credentials.client_key.reveal().strip(),
        )
        return [_hashed(key, "pair", each, *own) for each in self.certificates for key in _keys()]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many sign-ins count for an account now, and until when; `until` is None when there are none."""

    count: int
    until: datetime | None = None

    def words(self, username: str) -> str:
        """Say it; nothing when none counts."""
        if self.until is None:
            return ""
        who = f"for {username}" if username else "by client certificate"
        return (
            f"Refused or unanswered sign-ins of ours {who}: {self.count}, which count until {_time(self.until)}. "
            "Too many lock the account."
        )


class HeldBack(Exception):
    """The sign-in was not sent: another refused one could lock the account, or this one was refused a moment ago.

    `message` is for people. `is_busy` says that sign-ins under way are the only reason: try again in a second.
    """

    def __init__(self, message: str, *, is_busy: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.is_busy = is_busy


@dataclass(slots=True)
class Sending:
    """One reserved sign-in. What becomes of it is said once; later calls change nothing."""

    row: SentSignIn
    pairs: Sequence[str]
    is_settled: bool = False

    def accept(self) -> None:
        """Stop counting it, and what was lost of the same credentials: that would have been accepted, too."""
        if not self._settle(SignInOutcome.ACCEPTED):
            return
        same = SentSignIn.objects.filter(pair__in=self.pairs, bootstrap_of=None).exclude(pk=self.row.pk)
        crashed = Q(outcome=SignInOutcome.SENT, at__lt=timezone.now() - IN_FLIGHT)
        same.filter(
            Q(outcome__in=[SignInOutcome.LOST, SignInOutcome.ACCEPTED, SignInOutcome.ORDERED]) | crashed
        ).delete()

    def refuse(self) -> None:
        """Count it, and hold the same credentials back."""
        self._settle(SignInOutcome.REFUSED)

    def lose(self) -> None:
        """Count it: nothing came back."""
        self._settle(SignInOutcome.LOST)

    def give_back(self) -> None:
        """Forget it: the cluster has not judged it."""
        if not self.is_settled:
            self.is_settled = True
            self.row.delete()

    def _settle(self, outcome: SignInOutcome) -> bool:
        if self.is_settled:
            return False
        self.is_settled = True
        SentSignIn.objects.filter(pk=self.row.pk).update(outcome=outcome, at=timezone.now())
        return True


@contextmanager
@sensitive_variables()
def sending(account: Account, credentials: Credentials, *, again: bool = False) -> Iterator[Sending]:
    """Reserve a sign-in for what is sent inside, and settle it by how that ends.

    Without an exception it was accepted, unless something else was said of it inside. `again` is for the second try of
    credentials that have just been refused.

    Raises:
        HeldBack: nothing may be sent.
    """
    sent = reserve(account, credentials, again=again)
    try:
        yield sent
    except NodeRefused:
        sent.refuse()
        raise
    except NodeUnreachable as problem:
        if problem.is_unsent:
            sent.give_back()
        else:
            sent.lose()
        raise
    except NodeMisbehaved:
        sent.lose()
        raise
    except NodeError:
        sent.give_back()  # an answer, and no refusal
        raise
    sent.accept()


@sensitive_variables()
def reserve(
    account: Account, credentials: Credentials, *, again: bool = False, bootstrap_of: UUID | None = None
) -> Sending:
    """Count a sign-in before it leaves; the caller says what becomes of it, and until then it counts as refused.

    `bootstrap_of` names the attempt whose node will sign in with these credentials by itself.

    Raises:
        HeldBack: nothing may be sent.
    """
    pairs = account.pairs(credentials)
    with transaction.atomic():
        policy = _lock(account)
        if bootstrap_of:  # it is sent again only when the one before has not arrived
            SentSignIn.objects.filter(bootstrap_of=bootstrap_of).delete()
        if held := _judge(account, policy, pairs, again=again):
            raise held
        row = SentSignIn.objects.create(account=account.hashes[0], pair=pairs[0], bootstrap_of=bootstrap_of)
    return Sending(row, pairs)


@sensitive_variables()
def held_back(account: Account, credentials: Credentials) -> HeldBack | None:
    """Say why these credentials would not be sent now; None when they would."""
    held = _judge(account, _policy(account), account.pairs(credentials))
    return None if held and held.is_busy else held


@sensitive_variables()
def order(account: Account, credentials: Credentials) -> None:
    """Let these credentials be sent until they are refused, whatever counts against them: the operator said so."""
    SentSignIn.objects.create(
        account=account.hashes[0], pair=account.pairs(credentials)[0], outcome=SignInOutcome.ORDERED, at=timezone.now()
    )


def tally(account: Account) -> Tally:
    """Count what the cluster may hold against the account now."""
    policy = _policy(account)
    found = _counted(_rows(account), policy.window)
    return Tally(len(found), found[0].at + policy.window if found else None)


def end_bootstrap(attempt: UUID, *, refused: bool) -> None:
    """Say what became of the sign-in that an attempt's node made by itself."""
    rows = SentSignIn.objects.filter(bootstrap_of=attempt)
    if refused:
        rows.update(outcome=SignInOutcome.REFUSED, at=timezone.now(), bootstrap_of=None)
    else:
        rows.delete()


def lose_bootstrap(attempt: UUID, *, is_over: bool) -> None:
    """Count the sign-in that the node of an attempt may have made, while nothing tells what became of it.

    Once the attempt `is_over`, nothing will.
    """
    rows = SentSignIn.objects.filter(bootstrap_of=attempt)
    rows.filter(outcome=SignInOutcome.SENT).update(outcome=SignInOutcome.LOST, at=timezone.now())
    if is_over:
        rows.update(bootstrap_of=None)


def asks_policy(account: Account) -> bool:
    """Whether it is time to ask the cluster for its lockout policy."""
    fresh = timezone.now() - timing.POLICY_FRESH
    return not LockoutPolicy.objects.filter(cluster__in=account.clusters, asked_at__gt=fresh).exists()


def keep_policy(account: Account, lockout: Lockout | None) -> None:
    """Keep to the lockout policy that the cluster has given; None when it gave none, and what is known stays."""
    now = timezone.now()
    given: dict[str, object] = {"asked_at": now}
    if lockout:
        given |= {"threshold": lockout.threshold, "window_seconds": lockout.window, "read_at": now}
    LockoutPolicy.objects.update_or_create(cluster=account.clusters[0], defaults=given)


def purge(now: datetime) -> int:
    """Forget what counts no longer; say how many rows that were."""
    sent = SentSignIn.objects.filter(at__lte=now - timing.SIGN_INS_KEPT).delete()[0]
    of_no_use = Q(read_at=None) | Q(read_at__lte=now - timing.POLICY_KEPT)
    return sent + LockoutPolicy.objects.filter(of_no_use).delete()[0]


@dataclass(frozen=True, slots=True)
class _Policy:
    """How many of our sign-ins may count at a time (None: any number), and within which time of each other."""

    most: int | None
    window: timedelta
    read_at: datetime | None = None


def _policy(account: Account) -> _Policy:
    return _read(list(LockoutPolicy.objects.filter(cluster__in=account.clusters)))


def _lock(account: Account) -> _Policy:
    """Have everyone else who signs in to the cluster wait until the transaction ends."""
    current, rows = account.clusters[0], list[LockoutPolicy]()
    while current not in {row.cluster for row in rows}:  # a purge may come in between
        LockoutPolicy.objects.get_or_create(cluster=current)
        locked = LockoutPolicy.objects.select_for_update().order_by("cluster")
        rows = list(locked.filter(cluster__in=account.clusters))
    return _read(rows)


def _read(rows: list[LockoutPolicy]) -> _Policy:
    known = [(row.read_at, row) for row in rows if row.read_at is not None and row.threshold is not None]
    if not known:
        return _Policy(_most(timing.LOCKOUT_THRESHOLD), timing.LOCKOUT_WINDOW)
    read_at, row = max(known, key=lambda each: each[0])
    threshold = row.threshold or 0
    window = timedelta(seconds=row.window_seconds) if row.window_seconds else timing.LOCKOUT_WINDOW
    if timezone.now() - read_at > timing.POLICY_TRUSTED:
        threshold = min(threshold or timing.LOCKOUT_THRESHOLD, timing.LOCKOUT_THRESHOLD)
        window = max(window, timing.LOCKOUT_WINDOW)
    return _Policy(_most(threshold) if threshold else None, min(window, timing.SIGN_INS_KEPT), read_at)


def _most(threshold: int) -> int:
    # with a threshold of two or less nothing could be asked without this one
    return max(1, threshold - timing.LOCKOUT_RESERVE)


@sensitive_variables()
def _judge(account: Account, policy: _Policy, pairs: Sequence[str], *, again: bool = False) -> HeldBack | None:
    rows, now = _rows(account), timezone.now()
    newest = now - timing.REFUSED_CREDENTIALS_HELD
    settled = [row for row in rows if row.pair in pairs and row.result is not SignInOutcome.SENT and row.at > newest]
    latest = list(takewhile(lambda row: not row.result.is_trusted, settled))
    refused = next((row for row in latest if row.result is SignInOutcome.REFUSED), None)
    if refused and not again:
        return HeldBack(_refused_before(account, refused.at))
    is_trusted = bool(settled) and not latest
    # what becomes of the same one decides about this one too; that of a joining node can take as long as its join
    same = (row for row in rows if row.pair in pairs and row.bootstrap_of is None)
    if not is_trusted and any(_is_in_flight(row, now) for row in same):
        return HeldBack(_BUSY, is_busy=True)
    counted = _counted(rows, policy.window)
    if policy.most is None or len(counted) < policy.most:
        return None
    lasting = sum(not _is_in_flight(row, now) for row in counted)
    if is_trusted:  # one at a time, so that no more than one too many is refused
        return HeldBack(_BUSY, is_busy=True) if lasting < len(counted) else None
    if lasting < policy.most:
        return HeldBack(_BUSY, is_busy=True)
    return HeldBack(_too_many(account, counted, policy))


def _refused_before(account: Account, at: datetime) -> str:
    what = f"the user name {account.username} with this password" if account.username else "this client certificate"
    until = _time(at + timing.REFUSED_CREDENTIALS_HELD)
    return (
        f"The cluster refused {what} at {_time(at)}. It is not sent again before {until}, "
        "because refused sign-ins lock the account."
    )


def _too_many(account: Account, counted: Sequence[SentSignIn], policy: _Policy) -> str:
    who = f"for {account.username}" if account.username else "by client certificate"
    return (
        f"{len(counted)} of our sign-ins {who} were refused or got no answer. Another one could lock the account for "
        f"everyone, so none is sent before {_time(counted[0].at + policy.window)}."
    )


def _rows(account: Account) -> list[SentSignIn]:
    """What was sent for the account, the newest first."""
    return list(SentSignIn.objects.filter(account__in=account.hashes).order_by("-at", "-pk"))


def _counted(rows: list[SentSignIn], window: timedelta) -> list[SentSignIn]:
    """Take the newest rows up to a pause as long as the window: a cluster counts on until there is one."""
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


def _keys() -> list[bytes]:
    return vault.derive_keys(PURPOSE)


@sensitive_variables()
def _hashed(key: bytes, *parts: str) -> str:
    # hashed by themselves first, so that no part can reach into the next
    whole = b"".join(hashlib.sha256(part.encode("utf-8", "surrogatepass")).digest() for part in parts)
    return hmac.new(key, whole, hashlib.sha256).hexdigest()


def _time(moment: datetime) -> str:
    return f"{moment:%H:%M} UTC"
