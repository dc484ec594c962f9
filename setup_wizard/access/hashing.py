"""Hash passwords two at a time in each process, with the memory that OWASP recommends.

Argon2 needs its memory for as long as it runs. Without a limit, every sign-in that arrives would allocate it at once.
Only the threads of the pool do it, because the C library keeps freed memory per thread.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access.throttle import TooManyRequests

MAX_AT_ONCE = 2
WAIT_SECONDS = 2.0
RETRY_AFTER = 2

_pool = ThreadPoolExecutor(MAX_AT_ONCE, thread_name_prefix="hashing")
_large = Lock()


class HasherBusy(TooManyRequests):
    """More passwords are waiting to be hashed than this process can handle soon."""

    def __init__(self) -> None:
        super().__init__(MAX_AT_ONCE, RETRY_AFTER)

    @property
    def title(self) -> str:
        return "Too many sign-ins at once"

    @property
    def message(self) -> str:
        return f"The server is checking other passwords. Try again in {self.retry_after} s."


class Argon2Hasher(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two rounds and one lane; older hashes are replaced at the next sign-in."""

    memory_cost = 19 * 1024
    time_cost = 2
    parallelism = 1

    @sensitive_variables()
    def encode(self, password: str, salt: str) -> str:
        """Hash a password.

        Raises:
            HasherBusy: too many others are waiting.
        """
        return str(_hash_in_pool(super().encode, password, salt))

    @sensitive_variables()
    def verify(self, password: str, encoded: str) -> bool:
        """Tell whether this is the password.

        Raises:
            HasherBusy: too many others are waiting.
        """
        check = super().verify
        if self.decode(encoded)["memory_cost"] <= self.memory_cost:
            return bool(_hash_in_pool(check, password, encoded))

        def check_alone() -> bool:
            with _large:  # a hash of an earlier version needs five times the memory
                return bool(check(password, encoded))

        return bool(_hash_in_pool(check_alone))


@sensitive_variables()
def _hash_in_pool(function: Callable[..., Any], *arguments: str) -> Any:
    if getattr(connection, "pool", None) and not connection.in_atomic_block:
        connection.close()  # returns it to the small pool while the password waits
    waiting = _pool.submit(function, *arguments)
    try:
        return waiting.result(WAIT_SECONDS)
    except TimeoutError:
        if waiting.cancel():
            raise HasherBusy from None
        return waiting.result()  # it is running already
