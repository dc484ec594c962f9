"""Sign a message as the Standard Webhooks specification says.

Reference: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hmac
from datetime import datetime
from typing import Final

from django.views.decorators.debug import sensitive_variables

from setup_wizard.bootstrap.secret import Secret

KEY_PREFIX: Final = "whsec_"


@sensitive_variables()
def signed_headers(key: Secret, message_id: str, moment: datetime, body: bytes) -> dict[str, str]:
    """Return the three headers by which a receiver can check where and when the body comes from.

    Args:
        key: `whsec_` and the key in base64.
        message_id: the same for every try.
        moment: when this try is sent.
        body: exactly the bytes that are sent.
    """
    timestamp = int(moment.timestamp())
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.digest(base64.b64decode(key.reveal().removeprefix(KEY_PREFIX)), signed, "sha256")
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
