"""How easily a new password is guessed."""

from threading import Lock

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.views.decorators.debug import sensitive_variables
from zxcvbn import zxcvbn

ENOUGH = 3  # of 4: safe against guessing a stolen hash for a while
# the time grows with the length, to seconds where letters are replaced by signs; what follows adds nothing then
JUDGED = 32
NAMES = ("username", "first_name", "last_name", "email")
PRODUCT = ("redis", "redislabs", "redis enterprise", "cluster setup", "setup wizard")

_one_at_a_time = Lock()  # zxcvbn keeps the words of the user in a module


class StrengthValidator:
    """Refuse a password that is easy to guess, and say why."""

    @sensitive_variables("password")
    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        """Judge one.

        Raises:
            ValidationError: it is easy to guess.
        """
        own = [str(getattr(user, name, "") or "") for name in NAMES]
        own.append(" ".join(own[1:3]))  # first and last name
        words = [word for text in own for word in (text, *text.replace("@", " ").replace(".", " ").split()) if word]
        with _one_at_a_time:
            found = zxcvbn(password[:JUDGED], user_inputs=[*words, *PRODUCT])
        if found["score"] < ENOUGH:
            feedback = found["feedback"]
            reason = ["This password is easy to guess.", feedback["warning"], *feedback["suggestions"]]
            raise ValidationError(" ".join(filter(None, reason)), code="password_easy_to_guess")

    def get_help_text(self) -> str:
        """Say what is wanted."""
        return "Your password must be hard to guess: common words, names, dates and patterns are not enough."
