"""`POST /paint` answers with a painted picture, `POST /paint/finer` with one that becomes better while it is sent."""

from __future__ import annotations

import asyncio
import time

from fastapi import FastAPI, Request, Response
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from eyespot.errors import MissingExtra, RequestError
from eyespot.serve import query
from eyespot.serve.clients import client_of
from eyespot.serve.paint_query import asked, read_pair
from eyespot.serve.painting import ServedPainter, require_room
from eyespot.serve.painting_in_steps import InSteps, Previews, Work, said_at_once
from eyespot.serve.refusals import Busy
from eyespot.serve.service import Service

LINES = "application/x-ndjson"


def add_to(app: FastAPI, service: Service) -> None:
    """Adds both addresses, where the service paints."""
    painter = service.painter
    if painter is None:
        return

    async def paint(request: Request) -> Response:
        return await _at_once(service, painter, request)

    async def finer(request: Request) -> Response:
        return await _in_steps(service, painter, request)

    app.add_route("/paint", paint, methods=["POST"])
    app.add_route("/paint/finer", finer, methods=["POST"])


async def _at_once(service: Service, painter: ServedPainter, request: Request) -> Response:
    wanted, client = asked(query.fields(request.scope["query_string"]), in_steps=False), client_of(request.scope).name
    if not painter.has_room(client):
        raise Busy  # before its body is read
    with service.intake.room(client) as room:
        pair = await read_pair(dict(request.scope["headers"]), request.receive, room)
        async with service.in_time():
            _, png = await painter.at_once(pair, wanted, client)
    service.metrics.painted("fast")
    return Response(png, media_type="image/png")


async def _in_steps(service: Service, painter: ServedPainter, request: Request) -> Response:
    finer = _require_finer(service)
    wanted = asked(query.fields(request.scope["query_string"]), in_steps=True)
    client = client_of(request.scope).name
    finer.require_free(client)
    with service.intake.room(client) as room:
        pair = await read_pair(dict(request.scope["headers"]), request.receive, room)
        started = time.monotonic()
        async with service.in_time():
            first, png = await painter.at_once(pair, wanted, client)
            require_room(first.photo, "optimise")
            work = Work(first, await painter.painting(pair, client), wanted, started)
    previews, is_done = Previews(), wanted.strength == 0  # then it is the photo as it is
    previews.put(said_at_once(work, png), is_last=is_done)
    if not is_done:
        finer.begin(work, previews, client)
    return _Lines(previews)


def _require_finer(service: Service) -> InSteps:
    if service.finer is None:
        missing = MissingExtra("painting in steps", extra="train")
        raise RequestError(501, f"{missing}; POST /paint paints at once without it")
    return service.finer


class _Lines(StreamingResponse):
    """Previews, a line each, for as long as the client is there."""

    def __init__(self, previews: Previews) -> None:
        super().__init__(previews.lines(), media_type=LINES)
        self._previews = previews

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        watching = asyncio.create_task(_until_gone(receive, self._previews))
        try:
            await self.stream_response(send)
        finally:
            self._previews.stop()
            watching.cancel()


async def _until_gone(receive: Receive, previews: Previews) -> None:
    await receive()  # all of the request was read: what comes is that its client has gone
    previews.stop()
