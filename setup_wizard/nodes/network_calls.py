"""Work that yields its network calls, so that they can run in other threads while it keeps its database connection."""

from collections.abc import Callable, Generator, Hashable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, TypeVar

Key = TypeVar("Key", bound=Hashable)
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


def run_side_by_side(
    works: Mapping[Key, Steps[T]], *, together: Callable[[], AbstractContextManager[object]]
) -> Iterator[dict[Key, T | Exception]]:
    """Make the network calls of all works at once, each in a thread; give results, or what was raised, as they come.

    Everything else happens in this thread: what several works do between two calls, inside one `together()`.
    """
    steps: dict[Key, Callable[[], Callable[[], Any]]] = {key: partial(next, work) for key, work in works.items()}
    calls: dict[Future[Any], Key] = {}
    with ThreadPoolExecutor(max(1, len(works)), thread_name_prefix="side-by-side") as pool:
        while steps or calls:
            results: dict[Key, T | Exception] = {}
            with together():
                for key, step in steps.items():
                    try:
                        calls[pool.submit(step())] = key
                    except StopIteration as end:
                        results[key] = end.value
                    except Exception as problem:  # noqa: BLE001 - the caller decides
                        results[key] = problem
            if results:
                yield results
            answered = {calls.pop(call): call for call in wait(calls, return_when=FIRST_COMPLETED).done}
            steps = {key: _next_step(works[key], call) for key, call in answered.items()}


def _next_step(work: Steps[Any], call: Future[Any]) -> Callable[[], Callable[[], Any]]:
    problem = call.exception()
    return partial(work.throw, problem) if problem else partial(work.send, call.result())
