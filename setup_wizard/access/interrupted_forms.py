"""Keep the fields of a form that was sent after its session had ended, until its user has signed in again.

The sign-in page holds them, signed; the server stores nothing. Fields whose names suggest a secret are left out, so a
form with a password asks for it again.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from setup_wizard.access.forms import SignInForm

FIELD: Final = "interrupted_form"
LIFETIME: Final = timedelta(hours=8)
MAX_LENGTH: Final = 45_000  # the sign-in that returns it has to fit into the limit for request bodies
_SECRET: Final = re.compile(r"pass|secret|token|key|credential|client_cert", re.IGNORECASE)
_SALT: Final = "setup_wizard.access.interrupted_forms"


@dataclass(frozen=True, slots=True)
class InterruptedForm:
    """A form that was sent too late: its path and its fields."""

    path: str
    fields: list[tuple[str, str]]


def dump(request: HttpRequest) -> str:
    """Return the posted fields as a signed text; empty when there are none, or too many."""
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name != FIELD and not _SECRET.search(name)
    ]
    if not fields:
        return ""
    text = signing.dumps([request.get_full_path(), fields], salt=_SALT, compress=True)
    return text if len(text) <= MAX_LENGTH else ""


def load(text: str) -> InterruptedForm | None:
    """Read what `dump` returned; None for anything else."""
    try:
        path, fields = signing.loads(text, salt=_SALT, max_age=LIFETIME)
    except signing.BadSignature:
        return None
    return InterruptedForm(path, [(name, value) for name, value in fields])


def ask_to_sign_in(request: HttpRequest) -> HttpResponse | None:
    """Show the sign-in page with the posted fields in it.

    None for an empty POST; fields that cannot be kept are missing from the page.
    """
    text = dump(request)
    if not text and not request.POST:
        return None
    context = {"form": SignInForm(request), "next": request.path, FIELD: text, "has_ended": True}
    return render(request, "access/sign_in.html", context, status=401)
