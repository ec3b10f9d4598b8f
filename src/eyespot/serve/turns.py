"""One thread for what only one client at a time can have, and whose turn it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from eyespot.serve.fair_queue import FairQueue
from eyespot.serve.refusals import Busy

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class _Turn:
    work: Callable[[], Any]
    future: asyncio.Future[Any]


class Turns:
    """The thread, and its queue. All methods are for the event loop's thread."""

    def __init__(self, name: str, *, places: int) -> None:
        """name: the thread's. places: turns that may be waited for or under way."""
        self.places = places
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._waiting: FairQueue[_Turn] = FairQueue()
        self._is_busy = False

    def has_room(self, client: str) -> bool:
        """Whether the client may ask: there is a free place, or another one has too many."""
        return self._taken < self.places or self._waiting.too_much(client, 1) is not None

    async def do(self, client: str, work: Callable[[], T]) -> T:
        """What `work` returns in its turn. Raises Busy, and what it raises.

        Where there is no place, the newest turn of the client who has most is given up.
        """
        if self._taken >= self.places:
            self._crowd_out(client)
        turn = _Turn(work, asyncio.get_running_loop().create_future())
        self._waiting.put(client, turn)
        self._go_on()
        try:
            return cast(T, await turn.future)
        finally:  # nobody may wait for it any more
            self._waiting.remove(client, lambda each: each is turn)

    def stop(self) -> None:
        """Ends the thread, once its work is done."""
        self._pool.shutdown()

    @property
    def _taken(self) -> int:
        return len(self._waiting) + self._is_busy

    def _crowd_out(self, client: str) -> None:
        found = self._waiting.too_much(client, 1)
        if found is None:
            raise Busy
        other, last = found
        self._waiting.remove(other, lambda each: each is last)
        last.future.set_exception(Busy())

    def _go_on(self) -> None:
        turn = None if self._is_busy else self._waiting.take()
        if turn is None:
            return
        try:
            running = asyncio.get_running_loop().run_in_executor(self._pool, turn.work)
        except RuntimeError as error:  # the server has ended
            turn.future.set_exception(error)
            return
        self._is_busy = True
        running.add_done_callback(lambda done: self._done(turn, done))

    def _done(self, turn: _Turn, done: asyncio.Future[Any]) -> None:
        self._is_busy = False
        error = done.exception()
        if turn.future.done():  # whoever waited has gone
            pass
        elif error is not None:
            turn.future.set_exception(error)
        else:
            turn.future.set_result(done.result())
        self._go_on()
