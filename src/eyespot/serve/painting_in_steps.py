"""A photo painted in steps while somebody looks on: previews as it comes along, until its time is up. Needs torch.

One picture at a time is painted in this way, in a thread that gives way to all others where the system can do that.
"""

from __future__ import annotations

import asyncio
import base64
import importlib.util
import json
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from eyespot.errors import MissingExtra, RequestError
from eyespot.serve.paint_query import Asked
from eyespot.serve.painting import AtOnce
from eyespot.serve.refusals import OurMistake, show_mistake
from eyespot.styling.colors import Pixels
from eyespot.styling.options import NETWORK

if TYPE_CHECKING:
    from eyespot.styling.looking import Looking
    from eyespot.styling.optimise import Step

PREVIEW_SECONDS = 1.0
"""Between two previews, as far as a step takes less."""
TURN_SECONDS = 12.0
"""For which the place is kept from whoever had it last, once another client was told to come back in ten."""
LEFT_FOR_SENDING = 0.3
"""Seconds of the time that are kept for the last picture's way to the client."""
NICENESS = 10
"""Of the thread, and of those in which torch computes for it."""


def has_torch() -> bool:
    """Whether painting in steps can be done here. Does not import torch."""
    return importlib.util.find_spec("torch") is not None


@dataclass(frozen=True)
class Work:
    """What is to be painted."""

    first: AtOnce
    """With which it begins."""
    painting: Pixels
    wanted: Asked
    started: float
    """What `time.monotonic` said when the time began."""


class Previews:
    """Lines of JSON from the thread that paints to the client; one that is not sent before the next is passed over."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._line: bytes | None = None
        self._is_over = False
        self._is_unwanted = threading.Event()

    @property
    def is_unwanted(self) -> bool:
        """True once nobody waits for them any more."""
        return self._is_unwanted.is_set()

    def put(self, said: dict[str, Any], *, is_last: bool) -> None:
        """Called in any thread."""
        with suppress(RuntimeError):  # the loop is closed: the server has ended
            self._loop.call_soon_threadsafe(self._put, json.dumps(said).encode() + b"\n", is_last)

    def stop(self) -> None:
        """Called when nobody waits for them any more."""
        self._is_unwanted.set()
        self._line, self._is_over = None, True
        self._changed.set()

    async def lines(self) -> AsyncIterator[bytes]:
        """Each as it comes, to the last one."""
        while not self._is_over or self._line is not None:
            await self._changed.wait()
            self._changed.clear()
            line, self._line = self._line, None
            if line is not None:
                yield line

    def _put(self, line: bytes, is_last: bool) -> None:
        if not self._is_over:
            self._line, self._is_over = line, is_last
            self._changed.set()


class InSteps:
    """The one place where a picture is painted in steps."""

    def __init__(self, *, count: Callable[[], None] = lambda: None) -> None:
        """count: told of each picture that was painted to its end."""
        self._count = count
        self._place = threading.Lock()
        self._last = ""
        """Who had the place last."""
        self._refused: dict[str, float] = {}
        """Who was told to come back, and until when that counts."""
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="eyespot-finer", initializer=_give_way)
        self._is_ending = threading.Event()

    def require_free(self, client: str = "") -> None:
        """Raises RequestError while a picture is being painted, or where it is another client's turn."""
        now = time.monotonic()
        self._refused = {name: until for name, until in self._refused.items() if until > now}
        is_others_turn = client == self._last and any(name != client for name in self._refused)
        if self._place.locked() or is_others_turn:
            self._refused[client] = now + TURN_SECONDS
            raise _taken()

    def begin(self, work: Work, previews: Previews, client: str = "") -> None:
        """Paints in a thread, to the end of the time or until the previews are unwanted. Raises RequestError."""
        if not self._place.acquire(blocking=False):
            raise _taken()
        self._last = client
        self._refused.pop(client, None)
        try:
            self._pool.submit(self._paint, work, previews)
        except RuntimeError:  # the server ends
            self._place.release()
            raise

    def end(self) -> None:
        """Ends every picture after the step at hand: it is what its client gets."""
        self._is_ending.set()

    def stop(self) -> None:
        """Ends the thread."""
        self.end()
        self._pool.shutdown()

    def _paint(self, work: Work, previews: Previews) -> None:
        try:
            last = self._shown(work, previews)
        except MissingExtra as error:
            last = {"error": str(error)}
        except Exception:
            show_mistake()  # here, and not to the client
            last = {"error": str(OurMistake())}
        finally:
            self._place.release()
        if last is not None:  # whoever has read it finds the place free
            previews.put(last, is_last=True)

    def _shown(self, work: Work, previews: Previews) -> dict[str, Any] | None:
        """Shows what there is on the way; what is to be said last, or None where nobody waits for it."""
        from eyespot.styling.optimise import How, TimeBudget, painted, sized

        looking = self._looking
        how = How(looking.stages, looking.content_stages, strength=work.wanted.strength)
        budget = TimeBudget(time.monotonic(), work.started + work.wanted.seconds - LEFT_FOR_SENDING)
        photo, painting = work.first.photo, sized(work.painting, like=work.first.photo)
        steps = painted(sized(photo), [(painting, 1.0)], looking.see, how, budget, begin=sized(work.first.picture)(1))
        step, shown = None, time.monotonic()
        for step in steps:
            if previews.is_unwanted:
                return None
            if self._is_ending.is_set():
                break
            if time.monotonic() - shown >= PREVIEW_SECONDS:
                shown = time.monotonic()
                previews.put(_after(step, work), is_last=False)
        assert step is not None
        self._count()
        return _after(step, work)

    @cached_property
    def _looking(self) -> Looking:
        from eyespot.styling.looking import opened

        return opened(NETWORK, None)


def said_at_once(work: Work, png: bytes) -> dict[str, Any]:
    """The first line: the picture that was painted in one pass."""
    return _said(work, png, steps=0, style=None, content=None)


def _after(step: Step, work: Work) -> dict[str, Any]:
    png = work.first.png(step.picture, work.wanted)
    return _said(work, png, steps=step.number, style=round(step.style, 4), content=round(step.content, 4))


def _said(work: Work, png: bytes, *, steps: int, style: float | None, content: float | None) -> dict[str, Any]:
    return {
        "way": "optimise" if steps else "fast",
        "steps": steps,
        "style": style,
        "content": content,
        "seconds": round(time.monotonic() - work.started, 2),
        "png": base64.b64encode(png).decode(),
    }


def _taken() -> RequestError:
    return RequestError(429, "another picture is being painted in steps: wait for it, or have this one painted at once")


def _give_way() -> None:
    """Every other thread comes before this one and those that it starts. Only Linux can do that for a thread."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
