"""Exit a worker in which a tick hangs, so that the service manager restarts it.

A pool of threads cannot stop one of its threads and ignores Celery's time limits. Every wait inside a tick has a
timeout; this is for a forgotten one. Nothing is lost: the lease ends and the supervisor enqueues the tick
again.
"""

import logging
import os
import sys
import traceback
from dataclasses import dataclass
from threading import Event, Thread, Timer, get_ident
from time import monotonic
from typing import Any, NoReturn

from celery import signals

from setup_wizard.attempts import timing

logger = logging.getLogger(__name__)

EXIT_CODE = 70  # EX_SOFTWARE of sysexits.h
CHECK_EVERY = 1.0
LOG_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Running:
    """A task that a thread of this worker is running; `since` is monotonic."""

    name: str
    arguments: str
    thread: int
    since: float


_running: dict[str, Running] = {}
_started = Event()


def start() -> None:
    """Watch every task of this process from now on; a second call does nothing."""
    if _started.is_set():
        return
    _started.set()
    signals.task_prerun.connect(_remember, weak=False)
    signals.task_postrun.connect(_forget, weak=False)
    Thread(target=_watch, name="watchdog", daemon=True).start()


def overdue(now: float) -> Running | None:
    """Give a task that has run longer than allowed."""
    late = (each for each in list(_running.values()) if now - each.since > timing.WORKER_LIMIT)
    return next(late, None)


def _remember(*, task_id: str, task: Any, args: tuple[object, ...] = (), **_: object) -> None:
    _running[task_id] = Running(task.name, " ".join(map(str, args)), get_ident(), monotonic())


def _forget(*, task_id: str, **_: object) -> None:
    _running.pop(task_id, None)


def _watch() -> None:
    pause = Event()
    while not pause.wait(CHECK_EVERY):
        if late := overdue(monotonic()):
            _exit(late)


def _exit(late: Running) -> NoReturn:
    # logging itself may hang: a full pipe that nobody reads
    Timer(LOG_SECONDS, os._exit, [EXIT_CODE]).start()
    frame = sys._current_frames().get(late.thread)
    where = [f"{each.filename}:{each.lineno} {each.name}" for each in traceback.extract_stack(frame)] if frame else []
    logger.critical(
        "%s has hung for more than %d s; this worker exits",
        late.name,
        timing.WORKER_LIMIT,
        extra={"fields": {"attempt": late.arguments, "stack": where}},
    )
    os._exit(EXIT_CODE)
