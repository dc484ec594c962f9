"""Ask all sources of a run in parallel, within one budget of time.

Network calls run in threads, of which the whole process has at most `MAX_CALLS`. Everything else, the database
included, happens in the thread that runs the checks.
"""

import logging
import time
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any, Final

from django.contrib.auth.models import User

from setup_wizard.attempts.preflight.check import Source
from setup_wizard.attempts.preflight.findings import Findings, Unknown
from setup_wizard.attempts.preflight.node_setup import NodeSetup
from setup_wizard.attempts.preflight.sources import AFTER, ASK, Inquiry
from setup_wizard.nodes.limits import PROBE_SECONDS
from setup_wizard.nodes.network_calls import Steps
from setup_wizard.nodes.transport import Deadline

MAX_CALLS: Final = 64
GRACE: Final = 0.2  # seconds from the deadline of an exchange until its thread has returned

logger = logging.getLogger(__name__)

_threads: Final = ThreadPoolExecutor(MAX_CALLS, thread_name_prefix="preflight-call")


def gather(setup: NodeSetup, *, by: User) -> Findings:
    """Probe the node and the members, without a sign-in."""
    findings = Findings()
    sources = {Source.NODE, Source.MEMBER, Source.MEMBERS} if setup.members else {Source.NODE}
    inquiry = Inquiry(setup, findings, by, Deadline.after(PROBE_SECONDS), has_failed=lambda: False)
    Gathering(inquiry, sources).run(lambda: None)
    return findings


class Gathering:
    """The sources that are being asked; each answer is put into the findings of the inquiry."""

    def __init__(self, inquiry: Inquiry, sources: Collection[Source]) -> None:
        self.inquiry = inquiry
        self._waiting = [source for source in Source if source in sources and not self._is_known(source)]
        self._calls: dict[Future[Any], tuple[Source, Steps[Any]]] = {}
        self._shared: dict[Future[Any], Source] = {}  # asked by another run
        self._claimed: set[Source] = set()

    def run(self, on_answer: Callable[[], None]) -> None:
        """Ask until every source has answered or the time is over; `on_answer` is called after each answer.

        What is still unknown then becomes `Unknown`.
        """
        self._begin()
        on_answer()
        while asked := {*self._calls, *self._shared}:
            ends_at = self.inquiry.deadline.ends_at + GRACE
            done, _ = wait(asked, timeout=max(0.0, ends_at - time.monotonic()), return_when=FIRST_COMPLETED)
            if not done:
                break
            for call in done:
                self._answer(call)
            on_answer()
            self._begin()
        for source in self._asked():
            self._save(source, Unknown("There was no answer in time."))
        for source in self._waiting:
            self._save(source, Unknown("The time was used up by other checks. Check again."))
        on_answer()

    def finish(self) -> None:
        """Wait for the calls that were too late, to record their outcomes; call it after the results are saved."""
        self._waiting.clear()
        self._shared.clear()  # the run that asks records what became of it
        while self._calls:
            done, _ = wait(self._calls, return_when=FIRST_COMPLETED)
            for call in done:
                self._answer(call)

    def _begin(self) -> None:
        for source in list(self._waiting):
            known_first = AFTER.get(source, frozenset())
            if not any(other in known_first for other in [*self._waiting, *self._asked()]):
                self._waiting.remove(source)
                if shared := self._claim(source):
                    self._shared[shared] = source
                    continue
                steps = ASK[source](self.inquiry)
                self._advance(source, steps, partial(next, steps))

    def _claim(self, source: Source) -> Future[Any] | None:
        """Give the answer of a source that another run asks; None when this run has to ask it."""
        if self.inquiry.shared is None:
            return None
        answer = self.inquiry.shared.claim(source)
        if answer is None:
            self._claimed.add(source)
        return answer

    def _asked(self) -> list[Source]:
        return [*(source for source, _ in self._calls.values()), *self._shared.values()]

    def _answer(self, call: Future[Any]) -> None:
        if call in self._shared:
            self._save(self._shared.pop(call), call.result())
            return
        source, steps = self._calls.pop(call)
        problem = call.exception()
        if problem is None:
            self._advance(source, steps, lambda: steps.send(call.result()))
        else:
            self._advance(source, steps, lambda: steps.throw(problem))

    def _advance(self, source: Source, steps: Steps[Any], step: Callable[[], Callable[[], Any]]) -> None:
        try:
            call = step()
        except StopIteration as end:
            self._save(source, end.value)
        except Exception:  # a bug in one source must not stop the checks that do not need it
            logger.exception("preflight could not ask %s", source)
            self._save(source, Unknown("This server failed to ask. Its log says why."))
        else:
            self._calls[_threads.submit(call)] = source, steps

    def _save(self, source: Source, answer: object) -> None:
        if self.inquiry.shared and source in self._claimed:
            self.inquiry.shared.put(source, answer)
        if not self._is_known(source):
            setattr(self.inquiry.findings, source, answer)

    def _is_known(self, source: Source) -> bool:
        return getattr(self.inquiry.findings, source) is not None
