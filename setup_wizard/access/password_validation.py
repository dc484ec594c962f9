"""Estimate how strong passwords are, and refuse those that are easy to guess."""

from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Strength:
    """How hard a password is to guess, from 0 to 4, and what would make it stronger."""

    score: int
    advice: str

    @property
    def text(self) -> str:
        """The estimate in a sentence, with the advice."""
        words = ("very weak", "weak", "fair", "good", "strong")
        return f"Strength: {words[self.score]}. {self.advice}".strip()


@sensitive_variables()
def estimate_strength(password: str, words: Sequence[str] = ()) -> Strength:
    """Estimate a password; `words` are those that an attacker would try first."""
    with _lock:
        found = zxcvbn(password[:MAX_CHARACTERS], user_inputs=[*words, *PRODUCT_WORDS])
    feedback = found["feedback"]
    return Strength(found["score"], " ".join(filter(None, [feedback["warning"], *feedback["suggestions"]])))


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
        strength = estimate_strength(password, words)
        if strength.score < MIN_SCORE:
            message = f"This password is easy to guess. {strength.advice}".strip()
            raise ValidationError(message, code="password_easy_to_guess")

    def get_help_text(self) -> str:
        return "Your password must be hard to guess: common words, names, dates and patterns are not enough."
