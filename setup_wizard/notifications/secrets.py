"""URL and signing key of a webhook: encrypted with the keys of the vault, and re-encrypted when these change.

The URL is a secret as well: people who know that of a chat can post there.
"""

import base64
import json
import os
from dataclasses import dataclass
from typing import Final

from django.views.decorators.debug import sensitive_variables

from setup_wizard.attempts import vault
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.notifications.models import Webhook
from setup_wizard.notifications.signing import KEY_PREFIX

PURPOSE: Final = "webhook"
KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class WebhookSecrets:
    """What a delivery needs and a page never shows."""

    url: Secret
    key: Secret


def register() -> None:
    """Let a rotation of the vault's keys cover the webhooks."""
    vault.OTHER_ROWS.append((Webhook.objects.all, PURPOSE))


def make_key() -> Secret:
    """Make a signing key, as the Standard Webhooks specification writes it."""
    return Secret(KEY_PREFIX + base64.b64encode(os.urandom(KEY_BYTES)).decode())


@sensitive_variables()
def seal(webhook: Webhook, secrets: WebhookSecrets) -> None:
    """Encrypt into the row, which the caller saves.

    Raises:
        vault.KeyUnusable: no key is configured.
    """
    document = json.dumps({"url": secrets.url.reveal(), "key": secrets.key.reveal()}).encode()
    webhook.sealed = vault.encrypt(webhook.owner, PURPOSE, document)


@sensitive_variables()
def open_for(webhook: Webhook) -> WebhookSecrets:
    """Decrypt.

    Raises:
        vault.SecretUnavailable: no configured key decrypts it.
    """
    fields = json.loads(vault.decrypt(webhook.sealed, webhook.owner, PURPOSE))
    return WebhookSecrets(url=Secret(fields["url"]), key=Secret(fields["key"]))
