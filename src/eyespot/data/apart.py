"""Work on bytes that nobody vouches for, in processes that may be ended: one that crashes, hangs or takes too much
memory takes only its own bytes with it.

A request is JSON and bytes, and so is an answer: nothing is pickled, and a process that was taken over from within can
say nothing but wrong pixels. Each process serves one request at a time, and lives until it is slow or ended.
"""

from __future__ import annotations

import atexit
import json
import os
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from eyespot.errors import MachineError, UnreadablePicture

HEAD = struct.Struct("<IQ")
"""Bytes of the JSON, and bytes after it."""
MOST_JSON, MOST_BYTES = 2**24, 2**31
"""Of an answer."""
PIPE_BYTES = 2**20
"""What may lie in a pipe, where that can be said: with the usual 64 KB both sides would wake up for each."""
SLOW_SECONDS = 0.25
"""After which a request has others do what its asker cannot do meanwhile, with more right to the processor."""
TICK = 0.05
"""Seconds between two looks at what is under way."""
T = TypeVar("T")
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class WorkerEnded(UnreadablePicture):
    """The process that was to answer has ended, or was ended."""


@dataclass(frozen=True)
class Limits:
    """Of one request."""

    seconds: float
    memory: int
    """Bytes of addresses that its process may have, where the system can see to that (Linux)."""


@dataclass
class Answer:
    """What a process says, and the bytes after it, which are still to be read."""

    said: dict[str, Any]
    left: int
    """Bytes that nobody has read."""
    _read: Callable[[int], bytearray]

    def read(self, count: int) -> bytearray:
        """The next bytes. Raises EOFError where fewer are left."""
        if count > self.left:
            raise EOFError
        self.left -= count
        return self._read(count)


@dataclass(eq=False)
class _Request:
    """A request that is under way."""

    worker: _Worker
    began: float
    thread: int
    """Whose request it is."""
    was_slow: bool = False
    was_ended: bool = False


class Workers:
    """Processes that all do the same. Safe to use from any thread."""

    def __init__(self, module: str, limits: Limits, *, spare: int = 0) -> None:
        """module: has a function `main`, which answers requests by `apart_child.answer`.
        spare: processes that wait although nobody asks, so that one who asks after another has ended need not wait.
        """
        self._module, self._limits, self._spare = module, limits, spare
        self._changed = threading.Condition()
        self._free: list[_Worker] = []
        self._under_way: set[_Request] = set()
        self._watcher: threading.Thread | None = None
        self._is_idle = self._is_stopped = False
        self.on_slow: Callable[[int], None] = lambda thread: None
        """Told, by the thread that asked, of each request that takes more than `SLOW_SECONDS`; in another thread."""
        self._refill()
        atexit.register(self.stop)

    def ask(self, said: dict[str, Any], data: bytes, take: Callable[[Answer], T]) -> T:
        """What `take` makes of a process's answer. Raises WorkerEnded where it ends, or has not answered in time."""
        worker = self._taken()
        worker.require_ready()
        request = _Request(worker, time.monotonic(), threading.get_ident())
        self._watch(request)
        try:
            worker.send(said, data)
            answer = worker.receive()
            taken = take(answer)
            if answer.left:
                raise EOFError
        except (OSError, EOFError, ValueError):
            worker.end()
            raise WorkerEnded(self._why(request)) from None
        except BaseException:
            worker.end()
            raise
        finally:
            self._done(request)
        return taken

    def stop(self) -> None:
        """Ends all processes."""
        with self._changed:
            self._is_stopped = True
            workers = [*self._free, *(each.worker for each in self._under_way)]
            self._free.clear()
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
        if request.was_ended:
            return f"takes more than {self._limits.seconds:g} s to decode"
        return "cannot be decoded: it ended its decoder"

    def _taken(self) -> _Worker:
        with self._changed:
            while self._free:
                worker = self._free.pop()
                if worker.lives:
                    return worker
                worker.end()
        return _Worker(self._module, self._limits)

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
            is_kept = not (worker.has_ended or request.was_slow or request.was_ended or self._is_stopped)
            if is_kept:
                self._free.append(worker)
        if not is_kept:  # one that was slow has less right to the processor now, for good
            worker.end()
            self._refill()

    def _refill(self) -> None:
        while True:
            with self._changed:
                at_work = sum(not each.was_slow for each in self._under_way)
                if self._is_stopped or len(self._free) + at_work >= self._spare:
                    return
            worker = _Worker(self._module, self._limits)
            with self._changed:
                self._free.insert(0, worker)

    def _look(self) -> None:
        while True:
            with self._changed:
                self._is_idle = not self._under_way
                self._changed.wait(None if self._is_idle else TICK)
                self._is_idle = False
                if self._is_stopped:
                    return
                under_way = [*self._under_way]
            for request in under_way:
                self._look_at(request)

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


class _Worker:
    """One process."""

    def __init__(self, module: str, limits: Limits) -> None:
        self.has_ended = self._is_ready = False
        said = json.dumps({"seconds": limits.seconds, "memory": limits.memory})
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", f"from {module} import main; main()", said],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={**os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        for pipe in (self._in, self._out):
            _widen(pipe.fileno())

    def require_ready(self) -> None:
        """Waits for a new process to have imported what it needs: that is no part of a request's time.

        Raises MachineError where it ends.
        """
        if self._is_ready:
            return
        try:
            self.receive()  # that it is ready
        except (OSError, EOFError, ValueError):
            self.end()
            raise MachineError("a process that decodes pictures did not start: is there memory left?") from None
        self._is_ready = True

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def send(self, said: dict[str, Any], data: bytes) -> None:
        head = json.dumps(said).encode()
        self._write(HEAD.pack(len(head), len(data)) + head)
        self._write(data)

    def receive(self) -> Answer:
        words, size = HEAD.unpack(self._read(HEAD.size))
        if words > MOST_JSON or size > MOST_BYTES:
            raise ValueError
        return Answer(json.loads(self._read(words)), size, self._read)

    def kill(self) -> None:
        with suppress(OSError):
            self._process.kill()

    def yield_to_others(self) -> None:
        if hasattr(os, "setpriority"):
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self._process.pid, 19)

    def end(self) -> None:
        self.has_ended = True
        self.kill()
        for pipe in (self._in, self._out):
            with suppress(OSError):
                pipe.close()
        self._process.wait()

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._in.write(view) :]

    def _read(self, size: int) -> bytearray:
        data = bytearray(size)
        view = memoryview(data)
        while view:
            count = self._out.readinto(view)  # type: ignore[attr-defined]
            if not count:
                raise EOFError
            view = view[count:]
        return data


def _widen(number: int) -> None:
    """Has more room in a pipe, on Linux."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(number, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
