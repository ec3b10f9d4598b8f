"""Around the application: each request is let in or refused, and counted when it is answered."""

from __future__ import annotations

import time
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from eyespot.errors import RequestError
from eyespot.serve.metrics import Metrics
from eyespot.serve.replies import refusal
from eyespot.serve.safety import Gate


class Doorman:
    """ASGI middleware. It touches no body, and adds some microseconds."""

    def __init__(self, app: ASGIApp, gate: Gate, metrics: Metrics) -> None:
        self._app, self._gate, self._metrics = app, gate, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()

        async def send_counted(message: Any) -> None:
            if message["type"] == "http.response.start":
                self._metrics.request(scope["path"], message["status"], time.perf_counter() - start)
            await send(message)

        try:
            self._gate.check(scope)
        except RequestError as error:
            await refusal(error)(scope, receive, send_counted)
        else:
            await self._app(scope, receive, send_counted)
