"""Keep credentials sealed with a key that is in neither the database nor SECRET_KEY, bound to their owner, for a while.

AES-256-GCM with a random nonce; the owner's id and the field's name are authenticated with it, so that a sealed text
copied to another row does not open. Written as `v1:<key id>:<base64 of nonce and ciphertext>`.

Credentials that sign in nowhere any more are *spent*: a node that got them may quote them later, so they are kept
sealed for a day after they were sent, to be searched for in its answers. Nothing here gives them back as credentials of
an owner, and they open under another name.

Reference: docs/failure-modes.md, S1, S3 and S4.
"""

import base64
import binascii
import hashlib
import json
import os
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
from setup_wizard.attempts.models import OPEN_STATES, Attempt, SealedCredentials, SpentCredentials
from setup_wizard.attempts.timing import USED_SECRET_LIFE
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret

NONCE_BYTES = 12
SEALED, SPENT = "credentials", "spent"  # the field's name that is authenticated
BATCH = 100  # so many are sealed anew in one transaction: nobody waits long for it, and little is done twice


class SecretUnavailable(Exception):
    """There are no credentials of this owner, or no key of ours opens them."""


class KeyUnusable(Exception):
    """A configured key is not 32 bytes of base64, or there is none."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """What came of a rotation: the first key's id, how many it has sealed anew, and how many no key of ours opens."""

    key_id: str
    resealed: int
    unopened: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What may be searched for in a node's answers to one attempt, of its own and of earlier ones at the same address.

    Without `is_complete` some that the attempt sent cannot be searched for any more.
    """

    credentials: tuple[Credentials, ...]
    has_own: bool
    is_complete: bool


def keys() -> dict[str, AESGCM]:
    """Read the configured keys, by id, newest first: the first seals, all open.

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
        raise KeyUnusable("SETUP_WIZARD_CREDENTIAL_KEYS is empty: credentials could not be sealed.")
    return found


@sensitive_variables()
def seal(owner: UUID, credentials: Credentials, *, expires_at: datetime) -> None:
    """Keep `owner`'s credentials until `expires_at`, in place of any earlier ones."""
    SealedCredentials.objects.update_or_create(
        owner=owner,
        defaults={
            "sealed": _sealed(owner, SEALED, _written(credentials)),
            "expires_at": expires_at,
            "created_at": timezone.now(),
        },
    )


@sensitive_variables()
def open_for(owner: UUID) -> Credentials:
    """Open `owner`'s credentials.

    Raises:
        SecretUnavailable: when there are none, they have expired, or no key opens them.
    """
    row = SealedCredentials.objects.filter(owner=owner, expires_at__gt=timezone.now()).first()
    if row is None:
        raise SecretUnavailable("there are no credentials, or their time is over")
    return _read(_opened(row.sealed, row.owner, SEALED))


def expires_at(owner: UUID) -> datetime | None:
    """Say until when `owner`'s credentials are kept; None when there are none now."""
    row = SealedCredentials.objects.filter(owner=owner, expires_at__gt=timezone.now()).first()
    return row.expires_at if row else None


def hand_over(draft: UUID, attempt: UUID, *, expires_at: datetime) -> None:
    """Seal a draft's credentials anew for the attempt it became, and forget the draft's.

    Raises:
        SecretUnavailable: when the draft's cannot be opened.
    """
    seal(attempt, open_for(draft), expires_at=expires_at)
    discard(draft)


def keep_until(owner: UUID, moment: datetime) -> None:
    """Shorten or lengthen the life of `owner`'s credentials; those whose time is over stay so."""
    SealedCredentials.objects.filter(owner=owner, expires_at__gt=timezone.now()).update(expires_at=moment)


def discard(owner: UUID) -> None:
    """Forget `owner`'s credentials."""
    SealedCredentials.objects.filter(owner=owner).delete()


def spend(owner: UUID, address: str, *, sent_at: datetime) -> None:
    """Take `owner`'s credentials out of use: until a day after `sent_at`, the node's answers are searched for them."""
    row = SealedCredentials.objects.filter(owner=owner).first()
    if row is None:
        return
    try:
        sealed = _sealed(owner, SPENT, _opened(row.sealed, owner, SEALED))
    except SecretUnavailable:
        sealed = ""
    until = sent_at + USED_SECRET_LIFE
    with transaction.atomic():
        SpentCredentials.objects.create(owner=owner, address=address, sealed=sealed, expires_at=until)
        discard(owner)


@sensitive_variables()
def spent(owner: UUID | None, address: str) -> Spent:
    """Open what is spent of `owner`, if there is one, and of others at the same address."""
    rows = SpentCredentials.objects.filter(Q(owner=owner) | Q(address=address))
    now = timezone.now()
    opened = [(row.owner, _searched(row) if row.expires_at > now else None) for row in rows]
    own = [credentials for whose, credentials in opened if whose == owner]
    return Spent(
        credentials=tuple(credentials for _, credentials in opened if credentials),
        has_own=any(own),
        is_complete=None not in own,
    )


@sensitive_variables()
def _searched(row: SpentCredentials) -> Credentials | None:
    try:
        return _read(_opened(row.sealed, row.owner, SPENT)) if row.sealed else None
    except SecretUnavailable:
        return None


def forget_spent(address: str) -> None:
    """Forget what was spent at an address: its node has nothing left to quote."""
    SpentCredentials.objects.filter(address=address).delete()


def purge(now: datetime) -> int:
    """Forget everything whose time is over; say how many that were.

    Of what an open attempt has spent, the row stays without its text: the node's words are not believed any more.
    """
    over = SpentCredentials.objects.filter(expires_at__lte=now)
    is_open = Q(owner__in=Attempt.objects.filter(state__in=OPEN_STATES).values("pk"))
    emptied = over.filter(is_open).exclude(sealed="").update(sealed="")
    deleted = over.exclude(is_open).delete()[0]
    return emptied + deleted + SealedCredentials.objects.filter(expires_at__lte=now).delete()[0]


def rotate() -> Rotation:
    """Seal with the first key whatever another one has sealed, and put that down; what was done stays done.

    A row that somebody seals anew or forgets meanwhile is left as they left it.

    Raises:
        KeyUnusable: as `keys` does.
    """
    key_id = next(iter(keys()))
    done = [
        _rotate(SealedCredentials.objects.all(), SEALED, key_id),
        _rotate(SpentCredentials.objects.exclude(sealed=""), SPENT, key_id),
    ]
    return Rotation(key_id, sum(each.resealed for each in done), sum(each.unopened for each in done))


def _rotate(sealed: QuerySet[Any], field: str, key_id: str) -> Rotation:
    others = sealed.exclude(sealed__startswith=f"v1:{key_id}:")
    resealed, unopened = 0, set[object]()
    while rows := list(others.exclude(pk__in=unopened)[:BATCH]):
        with transaction.atomic():
            done = 0
            for row in rows:
                # compare-and-set: what was forgotten since it was read stays so, and what is newer stays as it is
                unchanged = sealed.filter(pk=row.pk, sealed=row.sealed)
                try:
                    done += unchanged.update(sealed=_resealed(row, field))
                except SecretUnavailable:
                    unopened.add(row.pk)
            if done:
                target = audit.Target("key", key_id, f"key {key_id}")
                audit.record(
                    AttemptAudit.ROTATE, by=None, target=target, note=f"{done} sealed anew, at the command line"
                )
        resealed += done
    return Rotation(key_id, resealed, len(unopened))


@sensitive_variables()
def _resealed(row: SealedCredentials | SpentCredentials, field: str) -> str:
    return _sealed(row.owner, field, _opened(row.sealed, row.owner, field))


@sensitive_variables()
def _sealed(owner: UUID, field: str, document: bytes) -> str:
    key_id, key = next(iter(keys().items()))
    nonce = os.urandom(NONCE_BYTES)
    ciphertext = key.encrypt(nonce, document, _bound_to(owner, field))
    return f"v1:{key_id}:{base64.b64encode(nonce + ciphertext).decode()}"


@sensitive_variables()
def _opened(sealed: str, owner: UUID, field: str) -> bytes:
    version, key_id, text = sealed.split(":", 2)
    key = keys().get(key_id)
    if version != "v1" or key is None:
        raise SecretUnavailable("the key that sealed the credentials is not configured any more")
    try:
        blob = base64.b64decode(text, validate=True)
        return key.decrypt(blob[:NONCE_BYTES], blob[NONCE_BYTES:], _bound_to(owner, field))
    except (InvalidTag, binascii.Error, ValueError) as problem:
        raise SecretUnavailable("the sealed credentials have been changed or belong to something else") from problem


def _bound_to(owner: UUID, field: str) -> bytes:
    return f"{owner}:{field}".encode()


@sensitive_variables()
def _written(credentials: Credentials) -> bytes:
    fields = {
        "username": credentials.username,
        "password": credentials.password.reveal() if credentials.password else None,
        "client_cert": credentials.client_cert,
        "client_key": credentials.client_key.reveal() if credentials.client_key else None,
        "trusted_ca": credentials.trusted_ca,
    }
    return json.dumps({name: value for name, value in fields.items() if value}).encode()


@sensitive_variables()
def _read(document: bytes) -> Credentials:
    fields = json.loads(document)
    for name in ("password", "client_key"):
        fields[name] = Secret(fields.get(name, ""))
    try:
        return Credentials(**fields)
    except ValidationError:
        pass  # raised outside of the handler: pydantic's own error holds what was read
    raise SecretUnavailable("the sealed credentials break a rule that came after them")
