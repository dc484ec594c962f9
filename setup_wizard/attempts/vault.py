"""Keep credentials sealed with a key that is in neither the database nor SECRET_KEY, bound to their owner, for a while.

AES-256-GCM with a random nonce; the owner's id and the field's name are authenticated with it, so that a sealed text
copied to another row does not open. Written as `v1:<key id>:<base64 of nonce and ciphertext>`.

Reference: docs/failure-modes.md, S1 and S4.
"""

import base64
import binascii
import hashlib
import json
import os
from datetime import datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from setup_wizard.attempts.models import SealedCredentials
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret

NONCE_BYTES = 12


class SecretUnavailable(Exception):
    """There are no credentials of this owner, or no key of ours opens them."""


class KeyUnusable(Exception):
    """A configured key is not 32 bytes of base64, or there is none."""


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
    key_id, key = next(iter(keys().items()))
    nonce = os.urandom(NONCE_BYTES)
    ciphertext = key.encrypt(nonce, _written(credentials), _bound_to(owner))
    SealedCredentials.objects.update_or_create(
        owner=owner,
        defaults={
            "sealed": f"v1:{key_id}:{base64.b64encode(nonce + ciphertext).decode()}",
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
    version, key_id, text = row.sealed.split(":", 2)
    key = keys().get(key_id)
    if version != "v1" or key is None:
        raise SecretUnavailable("the key that sealed the credentials is not configured any more")
    try:
        blob = base64.b64decode(text, validate=True)
        return _read(key.decrypt(blob[:NONCE_BYTES], blob[NONCE_BYTES:], _bound_to(owner)))
    except (InvalidTag, binascii.Error, ValueError) as problem:
        raise SecretUnavailable("the sealed credentials have been changed or belong to something else") from problem


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
