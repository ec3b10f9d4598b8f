"""Which run is open in the studio: another takes its place, and what the screens ask goes to the one that is open."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from eyespot.errors import EyespotError, RequestError
from eyespot.studio.desk import Desk
from eyespot.studio.lab_process import LabProcess

NONE_OPEN = "no run is open in the studio: choose one from the list of runs, or collect pictures and train one"


class Lobby:
    """An application that hands each request to that of the open run."""

    def __init__(self, desk: Desk | None, screens: Callable[[Desk], ASGIApp]) -> None:
        """desk: of what is open from the start. screens: makes what answers for a desk."""
        self._screens, self._opening = screens, threading.Lock()
        self._here = desk and (desk, screens(desk))
        self._lab = desk.lab if desk else LabProcess()

    @property
    def desk(self) -> Desk | None:
        return self._here and self._here[0]

    def open(self, run: Path) -> Desk:
        """Opens a run in place of what was open; the desk of that one is gone, and a lab goes on. It takes seconds.

        Raises RequestError where it cannot be opened: then what was open stays so.
        """
        from eyespot.studio.subject import opened

        with self._opening:
            try:
                desk = Desk(opened(run), self._lab)
            except EyespotError as error:
                raise RequestError(409, str(error)) from None
            self._clear()
            self._here = desk, self._screens(desk)
            desk.own.begin()
            return desk

    def close(self) -> str:
        """Ends all that is done in the background; the name of the lab that was running, or nothing."""
        self._clear()
        running = self._lab.running or ""
        self._lab.end()
        return running

    def _clear(self) -> None:
        """Ends what the open run's desk does in the background."""
        if self.desk is not None:
            self.desk.own.stop()
            self.desk.history.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._here:
            await self._here[1](scope, receive, send)
        elif scope["path"].startswith("/studio/"):
            raise RequestError(409, NONE_OPEN)
        else:
            raise HTTPException(404)
