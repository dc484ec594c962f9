"""Refuse passwords that are easy to guess."""

from threading import Lock

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.views.decorators.debug import sensitive_variables
from zxcvbn import zxcvbn

MIN_SCORE = 3  # of 4: slow to guess even from a stolen hash
# zxcvbn takes seconds for long passwords with replaced letters; further characters hardly change the score
MAX_CHARACTERS = 32
USER_FIELDS = ("username", "first_name", "last_name", "email")
PRODUCT_WORDS = ("redis", "redislabs", "redis enterprise", "cluster setup", "setup wizard")

_lock = Lock()  # zxcvbn stores the user's words in a module


class StrengthValidator:
    """Refuse a password that is easy to guess, and say why."""

    @sensitive_variables("password")
    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        """Check one password.

        Raises:
            ValidationError: it is easy to guess.
        """
        own = [str(getattr(user, name, "") or "") for name in USER_FIELDS]
        own.append(" ".join(own[1:3]))  # first and last name
        words = [word for text in own for word in (text, *text.replace("@", " ").replace(".", " ").split()) if word]
        with _lock:
            found = zxcvbn(password[:MAX_CHARACTERS], user_inputs=[*words, *PRODUCT_WORDS])
        if found["score"] < MIN_SCORE:
            feedback = found["feedback"]
            reason = ["This password is easy to guess.", feedback["warning"], *feedback["suggestions"]]
            raise ValidationError(" ".join(filter(None, reason)), code="password_easy_to_guess")

    def get_help_text(self) -> str:
        return "Your password must be hard to guess: common words, names, dates and patterns are not enough."
