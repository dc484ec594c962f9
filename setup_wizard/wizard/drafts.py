"""The only writer of drafts.

A change is a compare-and-set on (id, version); a new draft and the deletion of an old one need none.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone

from setup_wizard.attempts import preflight, vault
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from setup_wizard.attempts.timing import DRAFT_SECRET_LIFE
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.wizard.models import Draft

MAX_AGE = timedelta(days=30)


class Stale(Exception):
    """The draft was changed, started or discarded after it was read."""


def add_or_reuse(draft: Draft, node: str) -> Draft:
    """Return the owner's open draft for this node, or save `draft`.

    An open draft gets what only `draft` has, which the caller's `save` writes. `node` is the endpoint's key. Call it in
    a transaction: concurrent requests of one owner wait here for each other.
    """
    User.objects.select_for_update().get(pk=draft.owner_id)
    found = next((each for each in list_open(draft.owner) if each.node and each.node.endpoint.key == node), None)
    if found is None:
        return add(draft)
    found.data = {**draft.data, **found.data}
    if draft.member_probe and not found.member_probe:
        found.member_probe, found.member_fingerprint = draft.member_probe, draft.member_fingerprint
    return found


def find_by_address(owner: User, address: str) -> Draft | None:
    """Return the owner's open draft with this address as typed, or None."""
    return Draft.objects.filter(owner=owner, address=address, attempt_id=None).first() if address else None


def list_open(owner: User) -> list[Draft]:
    """List the owner's open drafts, the latest first."""
    return list(Draft.objects.filter(owner=owner, attempt_id=None))


def add(draft: Draft) -> Draft:
    """Save a new draft in place of the untouched ones for the same address and action."""
    if draft.address:
        untouched = Draft.objects.filter(owner=draft.owner, address=draft.address, action=draft.action, version=1)
        for earlier in untouched.filter(attempt_id=None, step_versions={}):  # from a click on the same button
            discard(earlier)
    draft.save(force_insert=True)
    return draft


def save(draft: Draft, step: str, **changes: Any) -> None:
    """Write `changes` as the saving of one step, and refresh `draft`.

    An empty `step` marks none: pages that are open stay valid, because nothing on them has changed.

    Raises:
        Stale: the row was written after it was read; nothing is changed.
    """
    step_versions = {**draft.step_versions, step: draft.version + 1} if step else draft.step_versions
    row = Draft.objects.filter(pk=draft.pk, version=draft.version, attempt_id=None)
    changed = row.update(version=F("version") + 1, updated_at=timezone.now(), step_versions=step_versions, **changes)
    if not changed:
        raise Stale
    draft.refresh_from_db()


def mark_started(draft: Draft, attempt: UUID) -> None:
    """Record the attempt that this version of the draft became.

    Raises:
        Stale: the draft was changed, started or discarded after it was read.
    """
    row = Draft.objects.filter(pk=draft.pk, version=draft.version, attempt_id=None)
    if not row.update(attempt_id=attempt, version=F("version") + 1):
        raise Stale
    preflight.stored_runs.discard(draft.pk)


def discard(draft: Draft, version: int | None = None) -> None:
    """Delete the draft and its password; a started draft is kept with its attempt.

    Raises:
        Stale: the draft has another version than this one.
    """
    rows = Draft.objects.filter(pk=draft.pk, attempt_id=None)
    if version is not None:
        rows = rows.filter(version=version)
        if not rows.exists():
            raise Stale
    if rows.delete()[0]:
        vault.discard(draft.pk)
        preflight.stored_runs.discard(draft.pk)


def discard_all(owner: User, until: datetime) -> int:
    """Delete the owner's open drafts that have not changed since `until`; return how many."""
    rows = Draft.objects.filter(owner=owner, attempt_id=None, updated_at__lte=until)
    return sum(_try_discard(draft) for draft in rows)


def _try_discard(draft: Draft) -> bool:
    try:
        discard(draft, draft.version)
    except Stale:
        return False
    return True


def store_password(draft: Draft, username: str, password: Secret) -> None:
    """Seal a user name and a password for 15 minutes."""
    store_credentials(draft, Credentials(username=username, password=password))


def store_credentials(draft: Draft, credentials: Credentials) -> None:
    """Seal the credentials for 15 minutes."""
    vault.seal(draft.pk, credentials, expires_at=timezone.now() + DRAFT_SECRET_LIFE)


def change_trusted_ca(draft: Draft, trusted_ca: str) -> None:
    """Change the authority beside the stored client certificate; the expiry stays.

    Raises:
        SecretUnavailable: no credentials are stored.
    """
    expires_at = vault.expires_at(draft.pk)
    stored = vault.open_for(draft.pk)
    if expires_at and stored.trusted_ca != trusted_ca:
        vault.seal(
            draft.pk,
            stored.model_copy(update={"trusted_ca": trusted_ca}),
            expires_at=expires_at,
            origin=vault.origin_of(draft.pk),
        )


def keep_credentials(draft: Draft, attempt: Attempt) -> None:
    """Seal the credentials of a failed attempt for its retry, if the same person started both and they still exist."""
    if attempt.status is State.FAILED and attempt.requested_by_id == draft.owner_id:
        vault.copy_for_retry(attempt.pk, draft.pk)


def change_username(draft: Draft, username: str) -> None:
    """Change the user name beside the stored password; the expiry stays.

    Raises:
        SecretUnavailable: no password is stored.
    """
    expires_at = vault.expires_at(draft.pk)
    stored = vault.open_for(draft.pk)
    if expires_at and stored.username != username:
        changed = Credentials(username=username, password=stored.password)
        vault.seal(draft.pk, changed, expires_at=expires_at, origin=vault.origin_of(draft.pk))


def password_entered_at(draft: Draft) -> datetime | None:
    """Return when the stored password was entered; None without one, and when it is kept from a failed setup."""
    expires_at = None if vault.origin_of(draft.pk) else vault.expires_at(draft.pk)
    return expires_at - DRAFT_SECRET_LIFE if expires_at else None


def delete_old(now: datetime) -> int:
    """Delete every draft that was not started and not changed for 30 days; return how many."""
    old = Draft.objects.filter(attempt_id=None, updated_at__lt=now - MAX_AGE)
    for draft in old:
        vault.discard(draft.pk)
    return old.delete()[0]
