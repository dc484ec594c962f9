"""System checks: the time limits fit each other, and the credential keys are there and private."""

import os
import stat
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from setup_wizard.attempts import timing, vault


@register()
def time_limits_fit(**_: Any) -> list[CheckMessage]:
    """Refuse to start with limits under which a second POST could be accepted or a lease could be lost mid-send."""
    lease, quiet = timing.LEASE.total_seconds(), timing.QUIET.total_seconds()
    promises = {
        "the GET and then the POST fit into one lease each": max(timing.GET_SECONDS, timing.POST_SECONDS) < lease,
        "a lease ends before the worker's own limit": lease < timing.WORKER_LIMIT,
        "a tick ends before the broker gives it to another worker": timing.WORKER_LIMIT < timing.VISIBILITY_TIMEOUT,
        "the quiet time outlasts a late send": quiet > timing.SEND_WITHIN + timing.POST_SECONDS,
        "it does so even when the clock jumps": quiet - timing.QUIET_STEP.total_seconds()
        >= timing.SEND_WITHIN + timing.POST_SECONDS,
        "a lost worker is replaced within 30 s": lease + timing.RING_AGAIN.total_seconds() + 1 <= 30,
    }
    return [
        Error(
            f"The time limits in attempts/timing.py contradict each other: {promise} no longer holds.",
            id="attempts.E001",
        )
        for promise, holds in promises.items()
        if not holds
    ]


@register()
def credential_keys_open(**_: Any) -> list[CheckMessage]:
    """Refuse to start without a usable key for the credentials, or with a key file that others may read."""
    errors: list[CheckMessage] = []
    try:
        vault.keys()
    except vault.KeyUnusable as problem:
        errors.append(Error(str(problem), id="attempts.E002"))
    if settings.SECRET_KEY in settings.SETUP_WIZARD_CREDENTIAL_KEYS:
        errors.append(
            Error(
                "A credential key is the same as SECRET_KEY: whoever can sign sessions could open passwords.",
                hint="Make a key of its own: openssl rand -base64 32",
                id="attempts.E004",
            )
        )
    if path := os.environ.get("SETUP_WIZARD_CREDENTIAL_KEYS_FILE"):
        mode = Path(path).stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            errors.append(
                Error(
                    f"{path} holds the credential keys and can be read by others.",
                    hint=f"chmod 600 {path}",
                    id="attempts.E003",
                )
            )
    return errors


@register()
def failpoints_are_off(**_: Any) -> list[CheckMessage]:
    """Refuse to start with failpoints anywhere but in the demo or with DEBUG."""
    if not settings.SETUP_WIZARD_FAILPOINTS or settings.DEBUG or settings.SETUP_WIZARD_DEMO:
        return []
    return [
        Error(
            "SETUP_WIZARD_FAILPOINTS is set: it kills processes on purpose, for tests alone, and was not obeyed.",
            hint="Take it out of the environment.",
            id="attempts.E005",
        )
    ]
