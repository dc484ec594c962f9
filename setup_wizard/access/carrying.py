"""Carry the fields of a form through the sign-in, when its session ended before it was sent.

The page holds them, signed; nothing is stored here. Fields whose names say that they hold a secret are left out, so a
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

CARRIED: Final = "carried"
LIFETIME: Final = timedelta(hours=8)
LONGEST: Final = 45_000  # the sign-in that brings it back has to fit into the limit for bodies of pages
_SECRET: Final = re.compile(r"pass|secret|token|key|credential", re.IGNORECASE)
_SALT: Final = "setup_wizard.access.carrying"


@dataclass(frozen=True, slots=True)
class Carried:
    """A form that was sent too late: where it goes, and its fields."""

    path: str
    fields: list[tuple[str, str]]


def pack(request: HttpRequest) -> str:
    """Give the posted fields as a signed text; empty when there are none, or too many."""
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name != CARRIED and not _SECRET.search(name)
    ]
    if not fields:
        return ""
    text = signing.dumps([request.get_full_path(), fields], salt=_SALT, compress=True)
    return text if len(text) <= LONGEST else ""


def unpack(text: str) -> Carried | None:
    """Read what `pack` gave; None for anything else."""
    try:
        path, fields = signing.loads(text, salt=_SALT, max_age=LIFETIME)
    except signing.BadSignature:
        return None
    return Carried(path, [(name, value) for name, value in fields])


def ask_to_sign_in(request: HttpRequest) -> HttpResponse | None:
    """Show the sign-in in place of what the form was sent for, with its fields; None when there are none to keep."""
    text = pack(request)
    if not text and not request.POST:
        return None
    context = {"form": SignInForm(request), "next": request.path, CARRIED: text, "has_ended": True}
    return render(request, "access/sign_in.html", context, status=401)
