"""New passwords: made up here, and compared when they are typed twice."""

import secrets
import string
from typing import Final

from django.views.decorators.debug import sensitive_variables

from setup_wizard.bootstrap.rules.warnings import warn_password
from setup_wizard.bootstrap.secret import Secret

# without those that look alike; the script in the browser uses the same
ALPHABET: Final = "".join(sorted({*string.ascii_letters, *string.digits} - {*"0O1lI"}))
GROUPS: Final = 4
GROUP_LENGTH: Final = 5


@sensitive_variables()
def generate_password() -> Secret:
    """Make up a password of four groups with hyphens between them; every cluster accepts it as complex enough."""
    while True:
        groups = ["".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS)]
        password = "-".join(groups)
        if not warn_password(password):
            return Secret(password)


@sensitive_variables()
def describe_difference(password: Secret, again: Secret) -> str:
    """Say how a password and its repetition differ, without showing them; empty when they are the same."""
    first, second = password.reveal(), again.reveal()
    if first == second:
        return ""
    if not second:
        return "Repeat the password here."
    if not first:
        return "Enter the password in the field above too."
    if first.lower() == second.lower():
        return "The two passwords differ in upper and lower case."
    if first.strip() == second.strip():
        return "The two passwords differ in spaces at the beginning or the end."
    if len(first) != len(second):
        return f"The two passwords differ: the first has {len(first)} characters, this one has {len(second)}."
    place = next(number for number, pair in enumerate(zip(first, second, strict=True), 1) if pair[0] != pair[1])
    return f"The two passwords differ from character {place} on."
