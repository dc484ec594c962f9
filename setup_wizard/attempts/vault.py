"""Keep credentials sealed with a key that is in neither the database nor SECRET_KEY, bound to their owner, for a while.

AES-256-GCM with a random nonce; the owner's id and the field's name are authenticated with it, so that a sealed text
copied to another row does not open. Written as `v1:<key id>:<base64 of nonce and ciphertext>`.

Reference: docs/failure-modes.md, S1, S3 and S4.
"""

import base64
import binascii
import hashlib
import json
import os
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access import audit
from setup_wizard.access.deeds import Deed
from setup_wizard.attempts.models import SealedCredentials
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret

NONCE_BYTES = 12
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


def keys() -> dict[str, AESGCM]:
    """Read the configured keys, by id, newest first: the first seals, all open.

    Raises:
        KeyUnusable: naming the position of the bad key, never the key.
    """
    found: dict[str, AESGCM] = {}
    for position, text in enumerate(settings.SETUP_WIZARD_CREDENTIAL_KEYS, start=1):
        try:
            key = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != 32:
            raise KeyUnusable(f"SETUP_WIZARD_CREDENTIAL_KEYS: key {position} is not 32 bytes in base64.")
        found[hashlib.sha256(key).hexdigest()[:8]] = AESGCM(key)
    if not found:
        raise KeyUnusable("SETUP_WIZARD_CREDENTIAL_KEYS is empty: credentials could not be sealed.")
    return found


@sensitive_variables()
def seal(owner: UUID, credentials: Credentials, *, expires_at: datetime) -> None:
    """Keep `owner`'s credentials until `expires_at`, in place of any earlier ones."""
    SealedCredentials.objects.update_or_create(
        owner=owner,
        defaults={
            "sealed": _sealed(owner, _written(credentials)),
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
    return _read(_opened(row))


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


def purge(now: datetime) -> int:
    """Forget everything whose time is over; say how many that were."""
    return SealedCredentials.objects.filter(expires_at__lte=now).delete()[0]


def rotate() -> Rotation:
    """Seal with the first key whatever another one has sealed, and put that down; what was done stays done.

    A row that somebody seals anew or forgets meanwhile is left as they left it.

    Raises:
        KeyUnusable: as `keys` does.
    """
    key_id = next(iter(keys()))
    others = SealedCredentials.objects.exclude(sealed__startswith=f"v1:{key_id}:")
    resealed, unopened = 0, set[UUID]()
    while rows := list(others.exclude(owner__in=unopened)[:BATCH]):
        with transaction.atomic():
            done = 0
            for row in rows:
                try:
                    done += _reseal(row)
                except SecretUnavailable:
                    unopened.add(row.owner)
            if done:
                target = audit.Target("key", key_id, f"key {key_id}")
                audit.record(Deed.ROTATE, by=None, target=target, note=f"{done} sealed anew, at the command line")
        resealed += done
    return Rotation(key_id, resealed, len(unopened))


@sensitive_variables()
def _reseal(row: SealedCredentials) -> int:
    # compare-and-set: what was forgotten since it was read stays forgotten, and what is newer stays as it is
    unchanged = SealedCredentials.objects.filter(owner=row.owner, sealed=row.sealed)
    return unchanged.update(sealed=_sealed(row.owner, _opened(row)))


@sensitive_variables()
def _sealed(owner: UUID, document: bytes) -> str:
    key_id, key = next(iter(keys().items()))
    nonce = os.urandom(NONCE_BYTES)
    ciphertext = key.encrypt(nonce, document, _bound_to(owner))
    return f"v1:{key_id}:{base64.b64encode(nonce + ciphertext).decode()}"


@sensitive_variables()
def _opened(row: SealedCredentials) -> bytes:
    version, key_id, text = row.sealed.split(":", 2)
    key = keys().get(key_id)
    if version != "v1" or key is None:
        raise SecretUnavailable("the key that sealed the credentials is not configured any more")
    try:
        blob = base64.b64decode(text, validate=True)
        return key.decrypt(blob[:NONCE_BYTES], blob[NONCE_BYTES:], _bound_to(row.owner))
    except (InvalidTag, binascii.Error, ValueError) as problem:
        raise SecretUnavailable("the sealed credentials have been changed or belong to something else") from problem


def _bound_to(owner: UUID) -> bytes:
    return f"{owner}:credentials".encode()


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
    return Credentials(**fields)
