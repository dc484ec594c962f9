import asyncio

import pytest

from setup_wizard.reference_node.tasks import end


def test_a_task_whose_cancellation_was_lost_is_cancelled_again():
    """As `asyncio.wait_for` loses it before Python 3.12, here in the moment in which what it waits for comes."""

    async def run():
        sent = asyncio.get_running_loop().create_future()

        async def work():
            await asyncio.wait_for(sent, 5)
            await asyncio.Event().wait()

        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        sent.set_result(None)
        async with asyncio.timeout(10):
            await end(task)
        return task

    assert asyncio.run(run()).cancelled()


def test_what_a_task_ended_with_is_raised():
    async def fail():
        raise OSError("no place left")

    async def run():
        task = asyncio.create_task(fail())
        await asyncio.sleep(0)
        await end(task)

    with pytest.raises(OSError, match="no place left"):
        asyncio.run(run())
