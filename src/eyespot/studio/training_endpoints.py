"""What the screen TRAINING asks for: how the run went, and what it writes while it trains, as an event stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request, Response
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from eyespot.serve.query import fields, require_known
from eyespot.studio.history import History

EVENT_STREAM = "text/event-stream"


def add_to(app: FastAPI, history: History) -> None:
    """Adds `GET /studio/history`."""

    async def follow(request: Request) -> Response:
        for name, _ in fields(request.scope["query_string"]):
            require_known(name, ())
        return _Followed(history)

    app.add_route("/studio/history", follow, methods=["GET"])


class _Followed(StreamingResponse):
    """The messages of a history, an event each, for as long as the page is there."""

    def __init__(self, history: History) -> None:
        super().__init__(_events(history), media_type=EVENT_STREAM, headers={"cache-control": "no-store"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        streaming = asyncio.create_task(self.stream_response(send))
        leaving = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait({streaming, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in (streaming, leaving):
                each.cancel()
        if streaming.done() and not streaming.cancelled():
            streaming.result()  # raises what it raised


async def _events(history: History) -> AsyncIterator[str]:
    async for message in history.messages():
        yield f"data: {json.dumps(message)}\n\n"


async def _gone(receive: Receive) -> None:
    """Returns when the page has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
