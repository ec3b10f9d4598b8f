"""Work on bytes that nobody vouches for, in processes that may be ended: one that crashes, hangs or takes too much
memory takes only its own bytes with it.

A request is JSON and bytes, and so is an answer: nothing is pickled, and nothing that a process says is executed. Each
process serves one request at a time, and lives until it is slow or ended.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from eyespot.data.apart_worker import Answer, Limits, Worker
from eyespot.errors import UnreadablePicture

SLOW_SECONDS = 0.25
"""After which a request has others do what its asker cannot do meanwhile, with more right to the processor."""
TICK = 0.05
"""Seconds between two looks at what is under way."""
T = TypeVar("T")


class WorkerEnded(UnreadablePicture):
    """The process that was to answer has ended, or was ended."""


@dataclass(eq=False)
class _Request:
    """A request that is under way."""

    worker: Worker
    began: float
    thread: int
    """Whose request it is."""
    was_slow: bool = False
    was_ended: bool = False


class Workers:
    """Processes that all do the same. Safe to use from any thread."""

    def __init__(self, module: str, limits: Limits, *, spare: int = 0) -> None:
        """module: has a function `main`, which answers requests by `apart_child.answer`.
        spare: processes that wait, at most, so that one who asks after another has ended need not: one at first, then
        one more than were ever asked at once.
        """
        self._module, self._limits, self._spare = module, limits, spare
        self._changed = threading.Condition()
        self._free: list[Worker] = []
        self._under_way: set[_Request] = set()
        self._taken = self._most_taken = 0
        """Processes that somebody asks, or is about to; and ever did at once."""
        self._ended: list[Worker] = []
        """Those whose ends the watcher waits for: whoever asked need not."""
        self._watcher: threading.Thread | None = None
        self._is_idle = self._is_stopped = False
        self.on_slow: Callable[[int], None] = lambda thread: None
        """Told, by the thread that asked, of each request that takes more than `SLOW_SECONDS`; in another thread."""
        self._refill()
        atexit.register(self.stop)

    def ask(self, said: dict[str, Any], data: bytes, take: Callable[[Answer], T]) -> T:
        """What `take` makes of a process's answer. Raises WorkerEnded where it ends, or has not answered in time."""
        worker = self._take()
        request = _Request(worker, time.monotonic(), threading.get_ident())
        worker.until = request.began + self._limits.seconds
        self._watch(request)
        try:
            worker.send(said, data)
            answer = worker.receive()
            taken = take(answer)
            if answer.left:
                raise EOFError
        except (OSError, EOFError, ValueError):
            worker.kill()
            raise WorkerEnded(self._why(request)) from None
        except BaseException:
            worker.kill()
            raise
        finally:
            self._done(request)
        return taken

    def stop(self) -> None:
        """Ends all processes."""
        with self._changed:
            self._is_stopped = True
            workers = [*self._free, *self._ended, *(each.worker for each in self._under_way)]
            self._free.clear()
            self._ended.clear()
            self._changed.notify_all()
        atexit.unregister(self.stop)
        for worker in workers:
            worker.end()

    def forget(self) -> None:
        """In a process that was forked: those of the other one are neither asked nor ended."""
        others = [*self._free, *(each.worker for each in self._under_way)]
        self.__init__(self._module, self._limits)  # type: ignore[misc]
        self._not_ours = others

    def _why(self, request: _Request) -> str:
        if request.was_ended or time.monotonic() - request.began >= self._limits.seconds:
            return f"takes more than {self._limits.seconds:g} s to decode"
        return "cannot be decoded: it ended its decoder"

    def _take(self) -> Worker:
        """One that is ready."""
        with self._changed:
            self._taken += 1
            self._most_taken = max(self._most_taken, self._taken)
        try:
            worker = self._free_one() or Worker(self._module, self._limits)
            worker.require_ready()
        except BaseException:
            with self._changed:
                self._taken -= 1
            raise
        return worker

    def _free_one(self) -> Worker | None:
        with self._changed:
            while self._free:
                worker = self._free.pop()
                if worker.lives:
                    return worker
                worker.end()
        return None

    def _watch(self, request: _Request) -> None:
        with self._changed:
            self._under_way.add(request)
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._look, name="eyespot-apart", daemon=True)
                self._watcher.start()
            elif self._is_idle:
                self._changed.notify_all()

    def _done(self, request: _Request) -> None:
        worker = request.worker
        with self._changed:
            self._under_way.discard(request)
            self._taken -= 1
            is_kept = not (worker.has_ended or request.was_slow or request.was_ended or self._is_stopped)
            if is_kept:
                self._free.append(worker)
            else:  # one that was slow has less right to the processor now, for good
                self._ended.append(worker)
                self._changed.notify_all()
        if self._is_stopped:  # nobody else waits for it any more
            worker.end()

    def _refill(self) -> None:
        while True:
            with self._changed:
                at_work = self._taken - sum(each.was_slow for each in self._under_way)
                if self._is_stopped or len(self._free) + at_work >= min(self._spare, self._most_taken + 1):
                    return
            worker = Worker(self._module, self._limits)
            with self._changed:
                is_wanted = not self._is_stopped
                if is_wanted:
                    self._free.insert(0, worker)
            if not is_wanted:
                worker.end()

    def _look(self) -> None:
        while True:
            self._refill()
            with self._changed:
                self._is_idle = not (self._under_way or self._ended)
                self._changed.wait(None if self._is_idle else TICK)
                self._is_idle = False
                if self._is_stopped:
                    return
                under_way, ended = [*self._under_way], [*self._ended]
                self._ended.clear()
            for request in under_way:
                self._look_at(request)
            for worker in ended:
                worker.end()

    def _look_at(self, request: _Request) -> None:
        spent = time.monotonic() - request.began
        if spent > self._limits.seconds and not request.was_ended:
            request.was_ended = True
            request.worker.kill()
        elif spent > SLOW_SECONDS and not request.was_slow:
            request.was_slow = True
            request.worker.yield_to_others()
            self._refill()
            self.on_slow(request.thread)
