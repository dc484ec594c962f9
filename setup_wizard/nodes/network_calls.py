"""Work that leaves each network call to its caller, so that the call can run in another thread than the database."""

from collections.abc import Callable, Generator
from typing import Any, TypeVar

T = TypeVar("T")

Steps = Generator[Callable[[], Any], Any, T]
"""Yields each network call and is sent its result, or the exception that it raised."""


def run_here(steps: Steps[T]) -> T:
    """Make every network call in this thread, and return the result of the work."""
    try:
        call = next(steps)
        while True:
            try:
                answer = call()
            except Exception as problem:  # noqa: BLE001 - the work decides
                call = steps.throw(problem)
            else:
                call = steps.send(answer)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
