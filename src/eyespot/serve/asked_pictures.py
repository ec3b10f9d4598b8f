"""Pictures on their way to their answers, and whoever waits for them."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from eyespot.data.framed import Framed
from eyespot.errors import RequestError
from eyespot.serve.refusals import Busy
from eyespot.serve.served import Answer, Served


@dataclass(eq=False, slots=True)
class Work:
    """One picture on its way."""

    picture: bytes | np.ndarray
    """A file, or an image (H, W, C)."""
    served: Served[Any, Any]
    wanted: Any
    """The request's options, as the served model has them."""
    place: int
    asked: Asked
    is_large: bool
    """Whether decoding it takes long."""
    image: Framed | None = None
    since: float = 0.0
    """When the image was ready, in seconds of the clock."""


class Asked:
    """The pictures of one request: a future that is done when the last of them is."""

    def __init__(self, count: int, client: str, loop: asyncio.AbstractEventLoop) -> None:
        self.client = client
        self.answers: list[Answer | RequestError | None] = [None] * count
        self.future: asyncio.Future[None] = loop.create_future()
        self._missing, self._loop, self._lock = count, loop, threading.Lock()

    def put(self, place: int, answer: Answer | RequestError) -> None:
        with self._lock:
            self.answers[place] = answer
            self._missing -= 1
            is_last = not self._missing
        if is_last:
            with suppress(RuntimeError):  # nobody waits any more where the loop is closed
                self._loop.call_soon_threadsafe(self._tell)

    def give_up(self) -> None:
        """Tells whoever asked that there was no room."""
        if not self.future.done():
            self.future.set_exception(Busy())

    def _tell(self) -> None:
        if not self.future.done():  # whoever asked may have gone
            self.future.set_result(None)
