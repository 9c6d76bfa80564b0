"""The way from trio to the asyncio thread and back: values, errors, cancellation, the end."""

import asyncio
import contextlib
import contextvars
import threading

import pytest
import trio

from ainur_node.errors import Transient
from ainur_node.storage.bridge import open_aio_thread

_flavour: contextvars.ContextVar[str] = contextvars.ContextVar("flavour", default="plain")


async def double(value: int) -> int:
    await asyncio.sleep(0)
    return 2 * value


async def test_a_result_comes_back_from_the_other_thread() -> None:
    async def where() -> tuple[int, str]:
        return threading.get_ident(), _flavour.get()

    async with open_aio_thread() as aio:
        _flavour.set("mint")
        thread, flavour = await aio.run(where)

        assert await aio.run(double, 21) == 42
    assert thread != threading.get_ident()
    assert flavour == "mint"


async def test_an_exception_comes_back_as_it_was() -> None:
    class BrokenError(Exception):
        pass

    async def fail() -> None:
        raise BrokenError("here")

    async with open_aio_thread() as aio:
        with pytest.raises(BrokenError, match="here"):
            await aio.run(fail)


async def test_many_calls_cross_at_once() -> None:
    results: list[int] = []

    async with open_aio_thread() as aio:

        async def one(number: int) -> None:
            results.append(await aio.run(double, number))

        async with trio.open_nursery() as nursery:
            for number in range(200):
                nursery.start_soon(one, number)

    assert sorted(results) == [2 * number for number in range(200)]


async def test_a_cancelled_call_is_cancelled_over_there_before_trio_goes_on() -> None:
    begun, unwound = threading.Event(), threading.Event()

    async def wait() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.05)  # the other side may need time to clean up
            unwound.set()

    async with open_aio_thread() as aio:
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(aio.run, wait)
                await trio.to_thread.run_sync(begun.wait)
                scope.cancel()

        assert scope.cancelled_caught
        assert unwound.is_set()


async def test_a_call_that_finishes_in_spite_of_its_cancellation_gives_its_result() -> None:
    begun = threading.Event()

    async def stubborn() -> str:
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return "committed all the same"

    async with open_aio_thread() as aio:
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:

                async def cancel() -> None:
                    await trio.to_thread.run_sync(begun.wait)
                    scope.cancel()

                nursery.start_soon(cancel)
                assert await aio.run(stubborn) == "committed all the same"


async def test_a_call_that_ignores_its_cancellation_is_left_behind_after_the_grace() -> None:
    begun, release = threading.Event(), threading.Event()

    async def deaf() -> None:
        begun.set()
        while not release.is_set():
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                continue

    async with open_aio_thread() as aio:
        with trio.fail_after(5), trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:

                async def call() -> None:
                    await aio.run(deaf, grace=0.05)

                nursery.start_soon(call)
                await trio.to_thread.run_sync(begun.wait)
                scope.cancel()

        assert scope.cancelled_caught
        release.set()


async def test_a_call_that_is_cancelled_before_it_starts_never_starts() -> None:
    ran = False

    async def note() -> None:
        nonlocal ran
        ran = True

    async with open_aio_thread() as aio:
        with trio.CancelScope() as scope:
            scope.cancel()
            await aio.run(note)
        await aio.run(double, 1)

    assert not ran


async def test_a_failing_nursery_takes_its_calls_with_it() -> None:
    begun, left = threading.Semaphore(0), []

    async def wait() -> None:
        begun.release()
        try:
            await asyncio.Event().wait()
        finally:
            left.append("gone")

    async with open_aio_thread() as aio:
        with pytest.RaisesGroup(ValueError):
            async with trio.open_nursery() as nursery:
                for _ in range(20):
                    nursery.start_soon(aio.run, wait)
                for _ in range(20):
                    await trio.to_thread.run_sync(begun.acquire)
                raise ValueError("one of us failed")

    assert left == ["gone"] * 20


async def test_a_task_that_cancels_itself_over_there_is_transient() -> None:
    async def give_up() -> None:
        raise asyncio.CancelledError

    async with open_aio_thread() as aio:
        with pytest.raises(Transient):
            await aio.run(give_up)


async def test_calls_in_flight_at_the_end_are_answered() -> None:
    answers: list[type[BaseException]] = []
    begun = threading.Event()

    async def wait() -> None:
        begun.set()
        await asyncio.Event().wait()

    async with trio.open_nursery() as nursery:
        async with open_aio_thread() as aio:

            async def call() -> None:
                try:
                    await aio.run(wait)
                except Transient as error:
                    answers.append(type(error))

            nursery.start_soon(call)
            await trio.to_thread.run_sync(begun.wait)

    assert answers == [Transient]


async def test_after_the_end_a_call_is_refused_and_no_thread_is_left() -> None:
    async with open_aio_thread("asyncio-under-test") as aio:
        await aio.run(double, 1)

    with pytest.raises(Transient):
        await aio.run(double, 1)
    assert not [thread for thread in threading.enumerate() if thread.name == "asyncio-under-test"]


async def test_the_thread_ends_when_its_block_is_cancelled() -> None:
    with trio.CancelScope() as scope:
        async with open_aio_thread("asyncio-under-test"):
            scope.cancel()
            await trio.sleep_forever()

    assert not [thread for thread in threading.enumerate() if thread.name == "asyncio-under-test"]
