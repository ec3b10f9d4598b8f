"""The other side of `apart.py`: a process that answers requests until nobody asks any more."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

from eyespot.data.apart_worker import HEAD

Job = Callable[[dict[str, Any], bytes], tuple[dict[str, Any], "Content"]]
"""What is said and what is sent become what is answered: JSON, and the bytes after it."""

WRITTEN_BYTES = 2**18
"""That are written at once: an answer with an image of 224 x 224 pixels, and more."""


@dataclass(frozen=True)
class Content:
    """Bytes that are made while they are sent, so that all of them never lie in memory together."""

    size: int = 0
    pieces: Iterable[Any] = ()
    """What has the bytes, in order."""

    @classmethod
    def of(cls, content: memoryview) -> Content:
        """What lies in memory already."""
        return cls(content.nbytes, [content])


def answer(jobs: Mapping[str, Job]) -> None:
    """Answers requests, each by the job that it names, until the other side closes the pipe.

    jobs: raise nothing but what ends the process.
    """
    limits = json.loads(sys.argv[1])
    asked, answered = _pipes()
    _limit(limits["memory"])
    _say(answered, {}, Content())  # that it is ready
    while (request := _read(asked)) is not None:
        said, data = request
        _end_after(limits["seconds"] + 1)
        words, content = jobs[said["job"]](said, data)
        _say(answered, words, content)
        _end_after(0)


def _say(answered: BinaryIO, words: dict[str, Any], content: Content) -> None:
    head = json.dumps(words).encode()
    answered.write(HEAD.pack(len(head), content.size) + head)
    for piece in content.pieces:
        answered.write(piece)
    answered.flush()


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Where requests come from and answers go; what else is printed goes nowhere."""
    asked, answered = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(nothing, number)
    if hasattr(signal, "SIGINT"):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C in the terminal is meant for who asks
    return open(asked, "rb"), open(answered, "wb", buffering=WRITTEN_BYTES)


def _limit(memory: int) -> None:
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _end_after(seconds: float) -> None:
    """The system ends this process then, whatever it does: who asked may be gone, and cannot do it."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _read(asked: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    head = asked.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    words, size = HEAD.unpack(head)
    said: dict[str, Any] = json.loads(asked.read(words))
    data = asked.read(size)
    return (said, data) if len(data) == size else None
