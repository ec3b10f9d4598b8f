"""One process that answers requests, as JSON and bytes through its pipes: the side of whoever asks."""

from __future__ import annotations

import json
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from eyespot.errors import MachineError

HEAD = struct.Struct("<IQ")
"""Bytes of the JSON, and bytes after it."""
MOST_JSON, MOST_BYTES = 2**24, 2**31
"""Of an answer."""
PIPE_BYTES = 2**20
"""What may lie in a pipe, where that can be said: with the usual 64 KB both sides would wake up for each."""
AHEAD_BYTES = 2**18
"""That are read at once: an answer with an image of 224 x 224 pixels, and more."""
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


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


class Worker:
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
        self.until: float | None = None
        """When an answer is waited for no longer, on the monotonic clock."""
        self._buffer = bytearray(AHEAD_BYTES)
        self._ahead = memoryview(b"")
        """What was read of an answer and not asked for yet: a part of the buffer."""
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
        words = json.dumps(said).encode()
        self._write(b"".join((HEAD.pack(len(words), len(data)), words, data)))

    def receive(self) -> Answer:
        words, size = HEAD.unpack(self._read(HEAD.size))
        if words > MOST_JSON or size > MOST_BYTES:
            raise ValueError
        return Answer(json.loads(self._read(words)), size, self._read)

    def kill(self) -> None:
        self.has_ended = True
        with suppress(OSError):
            self._process.kill()

    def yield_to_others(self) -> None:
        if hasattr(os, "setpriority"):
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self._process.pid, 19)

    def end(self) -> None:
        """Ends it, and waits for that."""
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
        """The next bytes of the answer. As many as come at once are taken: each time Python hands over to its other
        threads, and waits for its turn."""
        data = bytearray(self._ahead[:size])
        self._ahead = self._ahead[size:]
        while (missing := size - len(data)) > 0:
            self._wait()
            count = self._out.readinto(self._buffer)  # type: ignore[attr-defined]
            if not count:
                raise EOFError
            come = memoryview(self._buffer)[:count]
            data += come[:missing]
            self._ahead = come[missing:]
        return data

    def _wait(self) -> None:
        """Until something has come. Raises TimeoutError: a process that is ended takes a while to be gone."""
        if self.until is not None and hasattr(select, "poll"):
            poll = select.poll()
            poll.register(self._out, select.POLLIN)
            if not poll.poll(max(0.0, self.until - time.monotonic()) * 1000):
                raise TimeoutError


def _widen(number: int) -> None:
    """Has more room in a pipe, on Linux."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(number, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
