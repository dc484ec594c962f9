"""The broadcaster of this process: created with the first stream, closed when the server is told to stop."""

import asyncio
import resource
import signal
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from django.conf import settings

from setup_wizard.live.stream import queries
from setup_wizard.live.stream.broadcaster import Broadcaster

Handler: TypeAlias = Callable[[int, FrameType | None], Any]

OTHER_FILES = 512  # open files beside the streams: pages, the database, the queue

_broadcasters: WeakKeyDictionary[asyncio.AbstractEventLoop, Broadcaster] = WeakKeyDictionary()


def broadcaster() -> Broadcaster:
    """Return the broadcaster of the running event loop; a server process has one of each."""
    loop = asyncio.get_running_loop()
    if loop not in _broadcasters:
        _broadcasters[loop] = Broadcaster(save_heartbeat=queries.save_heartbeat)
        _raise_file_limit()
        _close_on_signals(_broadcasters[loop])
    return _broadcasters[loop]


def is_live() -> bool:
    """Tell whether the viewers of this process are notified of changes; any thread may ask."""
    return not any(each.is_stuck for each in list(_broadcasters.values()))


def _raise_file_limit() -> None:
    """Allow as many open files as there may be streams; the usual limit is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.SETUP_WIZARD_STREAMS_PER_PROCESS + OTHER_FILES
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _close_on_signals(broadcaster: Broadcaster) -> None:
    """End every stream as soon as the server is told to stop, not when its grace period ends.

    A server waits for open responses before it tells the application anything, so this handles the signal itself and
    passes it on to the server's own handler.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        server_handler = signal.getsignal(number)
        if callable(server_handler) and server_handler is not signal.default_int_handler:
            signal.signal(number, partial(_on_signal, broadcaster, loop, server_handler))


def _on_signal(
    broadcaster: Broadcaster,
    loop: asyncio.AbstractEventLoop,
    server_handler: Handler,
    number: int,
    frame: FrameType | None,
) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(broadcaster.close)
    server_handler(number, frame)
