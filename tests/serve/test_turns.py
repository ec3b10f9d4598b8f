"""What only one client at a time can have: each in turn, and no one has all the places."""

import asyncio
import threading

import pytest

from eyespot.serve.refusals import Busy
from eyespot.serve.turns import Turns

WAIT_SECONDS = 30


@pytest.fixture
def turns():
    made = Turns("test", places=4)
    yield made
    made.stop()


@pytest.fixture
def held():
    """An event that the thread waits for, and what it has done since."""
    return threading.Event(), []


async def until_waiting(turns, count):
    while turns._taken < count:
        await asyncio.sleep(0)


def test_each_client_has_its_turn(turns, held):
    go_on, done = held

    async def ask():
        asked = [asyncio.ensure_future(turns.do("first", lambda: go_on.wait(WAIT_SECONDS)))]
        await until_waiting(turns, 1)
        for client, name in (("much", "m0"), ("much", "m1"), ("little", "l")):
            asked.append(asyncio.ensure_future(turns.do(client, lambda name=name: done.append(name))))
        await until_waiting(turns, 4)
        go_on.set()
        await asyncio.gather(*asked)

    asyncio.run(ask())
    assert done == ["m0", "l", "m1"]


def test_a_client_with_all_the_places_gives_one_to_another(turns, held):
    go_on, done = held

    async def ask():
        asked = [asyncio.ensure_future(turns.do("much", lambda: go_on.wait(WAIT_SECONDS))) for _ in range(4)]
        await until_waiting(turns, 4)
        assert turns.has_room("little")
        assert not turns.has_room("much")
        with pytest.raises(Busy):
            await turns.do("much", done.clear)
        little = asyncio.ensure_future(turns.do("little", lambda: "done"))
        await asyncio.sleep(0)
        go_on.set()
        results = await asyncio.gather(*asked, return_exceptions=True)
        assert [isinstance(each, Busy) for each in results] == [False, False, False, True]
        assert await little == "done"

    asyncio.run(ask())


def test_what_nobody_waits_for_any_more_is_not_begun(turns, held):
    go_on, done = held

    async def ask():
        first = asyncio.ensure_future(turns.do("a", lambda: go_on.wait(WAIT_SECONDS)))
        gone = asyncio.ensure_future(turns.do("b", lambda: done.append("gone")))
        await until_waiting(turns, 2)
        gone.cancel()
        first.cancel()
        await asyncio.wait([gone, first])
        last = asyncio.ensure_future(turns.do("c", lambda: done.append("last")))
        await asyncio.sleep(0)
        go_on.set()
        await last

    asyncio.run(ask())
    assert done == ["last"]


def test_an_error_is_that_of_whoever_asked(turns):
    def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(turns.do("a", fail))
    assert asyncio.run(turns.do("a", lambda: 1)) == 1


def test_after_the_end_nothing_is_begun():
    turns = Turns("test", places=1)
    turns.stop()
    with pytest.raises(RuntimeError):
        asyncio.run(turns.do("a", lambda: 1))
