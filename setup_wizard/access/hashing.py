"""Passwords are hashed two at a time in each process, with the memory that OWASP asks for.

Argon2 takes its memory for as long as it runs. Without a limit, as many sign-ins as arrive would take it at once. The
threads of the pool do all of it: what the C library keeps of freed memory, it keeps for each thread.

Reference: docs/failure-modes.md, W4.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access.throttle import TooOften

AT_A_TIME = 2
WAIT_SECONDS = 2.0
RETRY_AFTER = 2

_pool = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="hashing")
_large = Lock()


class Busy(TooOften):
    """More passwords wait to be hashed than this process can do soon."""

    def __init__(self) -> None:
        super().__init__(AT_A_TIME, RETRY_AFTER)

    @property
    def title(self) -> str:
        """The heading of the page."""
        return "Too many sign-ins at once"

    @property
    def message(self) -> str:
        """What a person reads."""
        return f"The server is checking other passwords. Try again in {self.retry_after} s."


class Argon2Hasher(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two rounds and one lane; what was hashed otherwise is hashed again at the next sign-in."""

    memory_cost = 19 * 1024
    time_cost = 2
    parallelism = 1

    @sensitive_variables()
    def encode(self, password: str, salt: str) -> str:
        """Hash a password.

        Raises:
            Busy: there are too many others.
        """
        return str(_in_turn(super().encode, password, salt))

    @sensitive_variables()
    def verify(self, password: str, encoded: str) -> bool:
        """Tell whether this is the password.

        Raises:
            Busy: there are too many others.
        """
        check = super().verify
        if self.decode(encoded)["memory_cost"] <= self.memory_cost:
            return bool(_in_turn(check, password, encoded))

        def check_alone() -> bool:
            with _large:  # a hash of earlier versions takes five times the memory
                return bool(check(password, encoded))

        return bool(_in_turn(check_alone))


@sensitive_variables()
def _in_turn(function: Callable[..., Any], *arguments: str) -> Any:
    if getattr(connection, "pool", None) and not connection.in_atomic_block:
        connection.close()  # goes back to the pool, which has few: this one would wait with the password
    waiting = _pool.submit(function, *arguments)
    try:
        return waiting.result(WAIT_SECONDS)
    except TimeoutError:
        if waiting.cancel():
            raise Busy from None
        return waiting.result()  # it has begun
