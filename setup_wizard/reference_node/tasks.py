"""How tasks are ended."""

import asyncio

AGAIN_SECONDS = 1.0


async def end(task: asyncio.Task[None]) -> None:
    """Cancel a task, however often that takes, and wait until it has ended; raises what it ended with.

    One cancellation can be lost: before Python 3.12 `asyncio.wait_for`, by which redis-py sends, returns as if nothing
    were when it is cancelled in the moment in which it is done (https://github.com/python/cpython/issues/86296).
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=AGAIN_SECONDS)
    if not task.cancelled():
        task.result()
