"""The only writer of drafts. Every write is a compare-and-set on (id, version)."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone

from setup_wizard.attempts import vault
from setup_wizard.attempts.timing import DRAFT_SECRET_LIFE
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.wizard.models import Draft

OLD = timedelta(days=30)


class Stale(Exception):
    """The draft was changed, started or discarded since it was read."""


def begin(draft: Draft, node: str) -> Draft:
    """Give the draft that a first accepted step is saved to: the owner's open one for this node, or else `draft`.

    `node` is the endpoint's key. Call it in a transaction: two presses at once wait for each other here.
    """
    User.objects.select_for_update().get(pk=draft.owner_id)
    found = next((each for each in open_of(draft.owner) if each.node and each.node.endpoint.key == node), None)
    if found is None:
        return add(draft)
    found.data = {**draft.data, **found.data}
    if draft.member_probe and not found.member_probe:
        Draft.objects.filter(pk=found.pk).update(
            member_probe=draft.member_probe, member_fingerprint=draft.member_fingerprint
        )
    return found


def at(owner: User, address: str) -> Draft | None:
    """Give the open draft of `owner` with this address as typed; None without one."""
    return Draft.objects.filter(owner=owner, address=address, attempt_id=None).first() if address else None


def open_of(owner: User) -> list[Draft]:
    """List what `owner` is filling in, the latest first."""
    return list(Draft.objects.filter(owner=owner, attempt_id=None))


def add(draft: Draft) -> Draft:
    """Keep a draft that was filled in from elsewhere."""
    untouched = Draft.objects.filter(owner=draft.owner, address=draft.address, action=draft.action, version=1)
    untouched.filter(attempt_id=None, written={}).delete()  # what an earlier press of the same button has left
    draft.save(force_insert=True)
    return draft


def save(draft: Draft, step: str, **changes: Any) -> None:
    """Write `changes` as the saving of one step, and bring `draft` up to date.

    Without a step's name the pages that show that step do not become stale: nothing on them has changed.

    Raises:
        Stale: when somebody else wrote the row since it was read; nothing is changed then.
    """
    written = {**draft.written, step: draft.version + 1} if step else draft.written
    row = Draft.objects.filter(pk=draft.pk, version=draft.version, attempt_id=None)
    changed = row.update(version=F("version") + 1, updated_at=timezone.now(), written=written, **changes)
    if not changed:
        raise Stale
    draft.refresh_from_db()


def mark_started(draft: Draft, attempt: UUID) -> None:
    """Write down the attempt that this version of the draft became.

    Raises:
        Stale: the draft was changed, started or discarded since it was read.
    """
    row = Draft.objects.filter(pk=draft.pk, version=draft.version, attempt_id=None)
    if not row.update(attempt_id=attempt, version=F("version") + 1):
        raise Stale


def discard(draft: Draft, version: int | None = None) -> None:
    """Forget the draft and its password. One that was started is kept: it is part of what happened.

    Raises:
        Stale: it has another version than the one named.
    """
    rows = Draft.objects.filter(pk=draft.pk, attempt_id=None)
    if version is not None:
        rows = rows.filter(version=version)
        if not rows.exists():
            raise Stale
    if rows.delete()[0]:
        vault.discard(draft.pk)


def discard_all(owner: User, until: datetime) -> int:
    """Forget the open drafts of `owner` that were not changed since `until`; say how many those were."""
    rows = Draft.objects.filter(owner=owner, attempt_id=None, updated_at__lte=until)
    return sum(_forget(draft) for draft in rows)


def _forget(draft: Draft) -> bool:
    try:
        discard(draft, draft.version)
    except Stale:
        return False
    return True


def keep_password(draft: Draft, username: str, password: Secret) -> None:
    """Seal the sign-in for the draft, for a quarter of an hour from now."""
    credentials = Credentials(username=username, password=password)
    vault.seal(draft.pk, credentials, expires_at=timezone.now() + DRAFT_SECRET_LIFE)


def rename_kept(draft: Draft, username: str) -> None:
    """Give the kept password another user name; its time does not start again.

    Raises:
        SecretUnavailable: when nothing is kept any more.
    """
    until = vault.expires_at(draft.pk)
    kept = vault.open_for(draft.pk)
    if until and kept.username != username:
        vault.seal(draft.pk, Credentials(username=username, password=kept.password), expires_at=until)


def kept_since(draft: Draft) -> datetime | None:
    """Say when the kept password was entered; None when none is kept now."""
    until = vault.expires_at(draft.pk)
    return until - DRAFT_SECRET_LIFE if until else None


def forget_old(now: datetime) -> int:
    """Delete every draft that nobody has touched for a month and that was not started; say how many those were."""
    old = Draft.objects.filter(attempt_id=None, updated_at__lt=now - OLD)
    for draft in old:
        vault.discard(draft.pk)
    return old.delete()[0]
