"""This process's broadcaster: made with the first stream, closed when the server is told to stop."""

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

from setup_wizard.live.stream import rows
from setup_wizard.live.stream.broadcaster import Broadcaster

Handler: TypeAlias = Callable[[int, FrameType | None], Any]

OTHER_FILES = 512  # what a process may want beside its streams: pages, the database, the queue

_broadcasters: WeakKeyDictionary[asyncio.AbstractEventLoop, Broadcaster] = WeakKeyDictionary()


def broadcaster() -> Broadcaster:
    """Give the broadcaster of the running event loop; a process that serves has one of each."""
    loop = asyncio.get_running_loop()
    if loop not in _broadcasters:
        _broadcasters[loop] = Broadcaster(beat=rows.beat)
        _make_room()
        _say_goodbye_at_the_end(_broadcasters[loop])
    return _broadcasters[loop]


def is_live() -> bool:
    """Tell, from any thread, whether those who watch in this process are told of news; so they are while nobody does.

    Reference: docs/failure-modes.md, W18.
    """
    return not any(each.is_stuck for each in list(_broadcasters.values()))


def _make_room() -> None:
    """Let the process hold as many connections as there may be streams: the usual limit is 1,024 files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.SETUP_WIZARD_STREAMS_PER_PROCESS + OTHER_FILES
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _say_goodbye_at_the_end(broadcaster: Broadcaster) -> None:
    """End every stream as soon as the server is told to stop, not when its patience ends. Reference: row 54.

    A server waits for open answers before it tells the application anything, so the signal itself is listened to, and
    passed on to the server's own handler.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        servers_own = signal.getsignal(number)
        if not callable(servers_own) or servers_own is signal.default_int_handler:
            continue

        signal.signal(number, partial(_hear_the_end, broadcaster, loop, servers_own))


def _hear_the_end(
    broadcaster: Broadcaster,
    loop: asyncio.AbstractEventLoop,
    servers_own: Handler,
    number: int,
    frame: FrameType | None,
) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(broadcaster.close)
    servers_own(number, frame)
