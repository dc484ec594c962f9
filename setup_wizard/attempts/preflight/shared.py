"""Answers that the checks of several nodes have in common."""

from collections.abc import Collection
from concurrent.futures import Future
from threading import Lock
from typing import Any

from setup_wizard.attempts.preflight.check import Source


class SharedAnswers:
    """What several runs of checks ask together: the first one asks, and all get the same answer.

    The nodes of a plan join one cluster with one set of credentials, so it is asked once, and a wrong password is
    refused only once.
    """

    def __init__(self, sources: Collection[Source] = (Source.MEMBER, Source.MEMBERS, Source.CLUSTER)) -> None:
        self._sources = frozenset(sources)
        self._answers: dict[Source, Future[Any]] = {}
        self._lock = Lock()

    def claim(self, source: Source) -> Future[Any] | None:
        """Give the answer that another run asks for; None when the caller has to ask, and then to `put` it."""
        if source not in self._sources:
            return None
        with self._lock:
            answer = self._answers.get(source)
            if answer is None:
                self._answers[source] = Future()
            return answer

    def put(self, source: Source, answer: object) -> None:
        """Hand on the answer of a source that the caller has claimed; the first one counts."""
        with self._lock:
            future = self._answers.get(source)
            if future and not future.done():
                future.set_result(answer)
