"""Store credentials encrypted for as long as they are needed, with a key outside the database and SECRET_KEY.

AES-256-GCM with a random nonce. The owner's id and the purpose are authenticated, so a text that was copied to another
row cannot be decrypted. The format is `v1:<key id>:<base64 of nonce and ciphertext>`.

Credentials that are no longer used to sign in are kept for a day after they were sent, as *used*: the node may quote
them, so its answers are searched for them. They are encrypted for another purpose and cannot be used to sign in again.
"""

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from pydantic import ValidationError

from setup_wizard.access import audit
from setup_wizard.attempts.audit_actions import AttemptAudit
from setup_wizard.attempts.models import OPEN_STATES, Attempt, SealedCredentials, UsedCredentials
from setup_wizard.attempts.timing import RETRY_SECRET_LIFE, USED_SECRET_LIFE
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret

NONCE_BYTES = 12
SIGN_IN, SEARCH = "credentials", "used"  # the purpose that is authenticated
OTHER_ROWS: list[tuple[Callable[[], QuerySet[Any]], str]] = []
"""Rows of other apps with `owner` and `sealed`, and their purpose: `rotate` encrypts them again as well."""
BATCH = 100  # rows encrypted again in one transaction: short locks, and little to repeat after a crash


class SecretUnavailable(Exception):
    """There are no credentials of this owner, or no configured key decrypts them."""


class KeyUnusable(Exception):
    """A configured key is not 32 bytes of base64, or there is none."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """The result of a rotation: the first key's id, how many rows it encrypted again, how many no key decrypts."""

    key_id: str
    resealed: int
    unopened: int


@dataclass(frozen=True, slots=True)
class UsedSecrets:
    """Credentials to search for in a node's answers, of one attempt and of earlier ones at the same address.

    Unless `is_complete`, some credentials that the attempt sent can no longer be searched for.
    """

    credentials: tuple[Credentials, ...]
    has_own: bool
    is_complete: bool


def keys() -> dict[str, AESGCM]:
    """Read the configured keys, by id, newest first: the first encrypts, all decrypt.

    Raises:
        KeyUnusable: naming the position of the bad key, never the key.
    """
    return {hashlib.sha256(key).hexdigest()[:8]: AESGCM(key) for key in _configured_keys()}


def derive_keys(purpose: str) -> list[bytes]:
    """Derive a key for `purpose` from each configured key, newest first; no other purpose gets the same keys.

    Raises:
        KeyUnusable: as `keys` does.
    """
    return [HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(key) for key in _configured_keys()]


@sensitive_variables()
def _configured_keys() -> list[bytes]:
    found: list[bytes] = []
    for position, text in enumerate(settings.SETUP_WIZARD_CREDENTIAL_KEYS, start=1):
        try:
            key = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != 32:
            raise KeyUnusable(f"SETUP_WIZARD_CREDENTIAL_KEYS: key {position} is not 32 bytes in base64.")
        found.append(key)
    if not found:
        raise KeyUnusable("SETUP_WIZARD_CREDENTIAL_KEYS is empty, so credentials cannot be encrypted.")
    return found


@sensitive_variables()
def seal(owner: UUID, credentials: Credentials, *, expires_at: datetime, origin: UUID | None = None) -> None:
    """Store `owner`'s credentials until `expires_at`, replacing earlier ones.

    Unless they are copies from the attempt `origin`, what was replaced is deleted wherever it was copied.
    """
    with transaction.atomic():
        if origin is None:
            _discard_copies(owner)
        SealedCredentials.objects.update_or_create(
            owner=owner,
            defaults={
                "sealed": encrypt(owner, SIGN_IN, _as_json(credentials)),
                "expires_at": expires_at,
                "created_at": timezone.now(),
                "origin": origin,
            },
        )


def copy_for_retry(attempt: UUID, draft: UUID) -> bool:
    """Copy a failed attempt's credentials to a draft; they expire together. Tells whether there were any."""
    with transaction.atomic():
        # locked, so that a Start that deletes every copy misses none
        row = SealedCredentials.objects.select_for_update().filter(owner=attempt).first()
        if row is None or row.expires_at <= timezone.now():
            return False
        latest = timezone.now() + RETRY_SECRET_LIFE
        try:
            seal(draft, open_for(attempt), expires_at=min(row.expires_at, latest), origin=attempt)
        except SecretUnavailable:
            return False
    return True


def origin_of(draft: UUID) -> UUID | None:
    """Return the failed attempt that a draft's credentials were copied from, or None."""
    return SealedCredentials.objects.filter(owner=draft).values_list("origin", flat=True).first()


@sensitive_variables()
def open_for(owner: UUID) -> Credentials:
    """Decrypt `owner`'s credentials.

    Raises:
        SecretUnavailable: there are none, they have expired, or no key decrypts them.
    """
    row = SealedCredentials.objects.filter(owner=owner, expires_at__gt=timezone.now()).first()
    if row is None:
        raise SecretUnavailable("there are no credentials, or they have expired")
    return _from_json(decrypt(row.sealed, row.owner, SIGN_IN))


def expires_at(owner: UUID) -> datetime | None:
    """Say until when `owner`'s credentials are stored; None when there are none."""
    row = SealedCredentials.objects.filter(owner=owner, expires_at__gt=timezone.now()).first()
    return row.expires_at if row else None


def stored_at(owner: UUID) -> datetime | None:
    """Say when `owner`'s credentials were stored; None when there are none."""
    row = SealedCredentials.objects.filter(owner=owner, expires_at__gt=timezone.now()).first()
    return row.created_at if row else None


def move(owner: UUID, target: UUID, *, expires_at: datetime) -> None:
    """Encrypt `owner`'s credentials for an attempt or a run, and delete `owner`'s and what they were copied from.

    Raises:
        SecretUnavailable: `owner`'s cannot be decrypted.
    """
    seal(target, open_for(owner), expires_at=expires_at)
    _discard_copies(owner)
    discard(owner)


def copy(run: UUID, attempt: UUID, *, expires_at: datetime) -> None:
    """Encrypt a run's credentials once more for one of its attempts; the attempt's end deletes these.

    Raises:
        SecretUnavailable: the run's cannot be decrypted.
    """
    seal(attempt, open_for(run), expires_at=expires_at)


def keep_until(owner: UUID, moment: datetime) -> None:
    """Change when `owner`'s credentials expire; expired ones stay expired."""
    SealedCredentials.objects.filter(owner=owner, expires_at__gt=timezone.now()).update(expires_at=moment)


def discard(owner: UUID) -> None:
    """Delete `owner`'s credentials."""
    SealedCredentials.objects.filter(owner=owner).delete()


def _discard_copies(owner: UUID) -> None:
    """Delete the credentials that `owner`'s were copied from, and the other copies."""
    if origin := origin_of(owner):
        SealedCredentials.objects.filter(owner=origin).delete()
        SealedCredentials.objects.filter(origin=origin).exclude(owner=owner).delete()


def retire(owner: UUID, address: str, *, sent_at: datetime) -> None:
    """Stop using `owner`'s credentials; for a day after `sent_at` the node's answers are searched for them."""
    with transaction.atomic():
        note_used(owner, address, sent_at=sent_at)
        discard(owner)


def note_used(owner: UUID, address: str, *, sent_at: datetime) -> None:
    """Keep a copy of `owner`'s credentials for a day after `sent_at`, to search the node's answers for them."""
    row = SealedCredentials.objects.filter(owner=owner).first()
    if row is None:
        return
    try:
        sealed = encrypt(owner, SEARCH, decrypt(row.sealed, owner, SIGN_IN))
    except SecretUnavailable:
        sealed = ""
    until = sent_at + USED_SECRET_LIFE
    UsedCredentials.objects.create(owner=owner, address=address, sealed=sealed, expires_at=until)


@sensitive_variables()
def used(owner: UUID | None, address: str) -> UsedSecrets:
    """Decrypt the used credentials of `owner`, if any, and of others at the same address."""
    rows = UsedCredentials.objects.filter(Q(owner=owner) | Q(address=address))
    now = timezone.now()
    opened = [(row.owner, _read_used(row) if row.expires_at > now else None) for row in rows]
    own = [credentials for whose, credentials in opened if whose == owner]
    return UsedSecrets(
        credentials=tuple(credentials for _, credentials in opened if credentials),
        has_own=any(own),
        is_complete=None not in own,
    )


@sensitive_variables()
def _read_used(row: UsedCredentials) -> Credentials | None:
    try:
        return _from_json(decrypt(row.sealed, row.owner, SEARCH)) if row.sealed else None
    except SecretUnavailable:
        return None


def discard_used(address: str) -> None:
    """Delete the used credentials at an address: its node has nothing left to quote."""
    UsedCredentials.objects.filter(address=address).delete()


def purge(now: datetime) -> int:
    """Delete expired credentials; return how many.

    For used credentials of an open attempt the empty row stays: the node's text can no longer be shown safely.
    """
    over = UsedCredentials.objects.filter(expires_at__lte=now)
    is_open = Q(owner__in=Attempt.objects.filter(state__in=OPEN_STATES).values("pk"))
    emptied = over.filter(is_open).exclude(sealed="").update(sealed="")
    deleted = over.exclude(is_open).delete()[0]
    return emptied + deleted + SealedCredentials.objects.filter(expires_at__lte=now).delete()[0]


def sealed_by_key() -> tuple[list[int], int]:
    """Count the encrypted rows of each configured key, in their order, and those of keys that are missing.

    Raises:
        KeyUnusable: a configured key is unusable.
    """
    rows = [
        SealedCredentials.objects.all(),
        UsedCredentials.objects.exclude(sealed=""),
        *(other() for other, _ in OTHER_ROWS),
    ]
    counts = [sum(each.filter(sealed__startswith=f"v1:{key_id}:").count() for each in rows) for key_id in keys()]
    return counts, sum(each.count() for each in rows) - sum(counts)


def rotate() -> Rotation:
    """Encrypt everything with the first key that another key encrypted, and record it in the audit log.

    A row that changes meanwhile is left alone. After an interruption, finished batches stay done.

    Raises:
        KeyUnusable: as `keys` does.
    """
    key_id = next(iter(keys()))
    done = [
        _rotate(SealedCredentials.objects.all(), SIGN_IN, key_id),
        _rotate(UsedCredentials.objects.exclude(sealed=""), SEARCH, key_id),
        *(_rotate(rows(), purpose, key_id) for rows, purpose in OTHER_ROWS),
    ]
    return Rotation(key_id, sum(each.resealed for each in done), sum(each.unopened for each in done))


def _rotate(sealed: QuerySet[Any], purpose: str, key_id: str) -> Rotation:
    others = sealed.exclude(sealed__startswith=f"v1:{key_id}:")
    resealed, unopened = 0, set[object]()
    while rows := list(others.exclude(pk__in=unopened)[:BATCH]):
        with transaction.atomic():
            done = 0
            for row in rows:
                # compare-and-set: a row that was deleted or replaced meanwhile stays as it is
                unchanged = sealed.filter(pk=row.pk, sealed=row.sealed)
                try:
                    done += unchanged.update(sealed=_encrypt_again(row, purpose))
                except SecretUnavailable:
                    unopened.add(row.pk)
            if done:
                target = audit.Target("key", key_id, f"key {key_id}")
                audit.record(
                    AttemptAudit.ROTATE, by=None, target=target, note=f"{done} encrypted again, from the command line"
                )
        resealed += done
    return Rotation(key_id, resealed, len(unopened))


@sensitive_variables()
def _encrypt_again(row: Any, purpose: str) -> str:
    return encrypt(row.owner, purpose, decrypt(row.sealed, row.owner, purpose))


@sensitive_variables()
def encrypt(owner: UUID, purpose: str, document: bytes) -> str:
    """Encrypt with the first key, for this owner and purpose only.

    Raises:
        KeyUnusable: as `keys` does.
    """
    key_id, key = next(iter(keys().items()))
    nonce = os.urandom(NONCE_BYTES)
    ciphertext = key.encrypt(nonce, document, _bound_to(owner, purpose))
    return f"v1:{key_id}:{base64.b64encode(nonce + ciphertext).decode()}"


@sensitive_variables()
def decrypt(sealed: str, owner: UUID, purpose: str) -> bytes:
    """Decrypt what `encrypt` made for this owner and purpose.

    Raises:
        SecretUnavailable: no configured key decrypts it, or it is another owner's.
    """
    version, key_id, text = sealed.split(":", 2)
    key = keys().get(key_id)
    if version != "v1" or key is None:
        raise SecretUnavailable("the key that encrypted the credentials is no longer configured")
    try:
        blob = base64.b64decode(text, validate=True)
        return key.decrypt(blob[:NONCE_BYTES], blob[NONCE_BYTES:], _bound_to(owner, purpose))
    except (InvalidTag, binascii.Error, ValueError) as problem:
        raise SecretUnavailable("the encrypted credentials were changed or belong to another owner") from problem


def _bound_to(owner: UUID, purpose: str) -> bytes:
    return f"{owner}:{purpose}".encode()


@sensitive_variables()
def _as_json(credentials: Credentials) -> bytes:
    fields = {
        "username": credentials.username,
        "password": credentials.password.reveal() if credentials.password else None,
        "client_cert": credentials.client_cert,
        "client_key": credentials.client_key.reveal() if credentials.client_key else None,
        "trusted_ca": credentials.trusted_ca,
    }
    return json.dumps({name: value for name, value in fields.items() if value}).encode()


@sensitive_variables()
def _from_json(document: bytes) -> Credentials:
    fields = json.loads(document)
    for name in ("password", "client_key"):
        fields[name] = Secret(fields.get(name, ""))
    try:
        return Credentials(**fields)
    except ValidationError:
        pass  # raised outside the handler, because pydantic's error contains the credentials
    raise SecretUnavailable("the stored credentials break a newer rule")
