"""A tab goes on showing a run after another one was opened in another tab: it gets no numbers of that one."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from eyespot.errors import RequestError

SHOWN = b"shown="
"""The parameter by which a page says which network it shows; every question may have it."""
STATUS = 412
OTHER_RUN = "another run is open in the studio than in this tab: reload the page"


class SameRun:
    """Refuses what asks about another network than the one that is open."""

    def __init__(self, app: ASGIApp, open_now: Callable[[], str | None]) -> None:
        """open_now: gives the number of the network that is open, as its description has it."""
        self._app, self._open_now = app, open_now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and SHOWN in scope["query_string"]:
            asked = scope["query_string"].split(b"&")
            numbers = {each.removeprefix(SHOWN) for each in asked if each.startswith(SHOWN)}
            if numbers - {(self._open_now() or "").encode()}:
                raise RequestError(STATUS, OTHER_RUN)
            scope = {**scope, "query_string": b"&".join(each for each in asked if not each.startswith(SHOWN))}
        await self._app(scope, receive, send)
