"""Around the application: each request is let in or refused, and counted when it is answered."""

from __future__ import annotations

import time
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from eyespot.errors import RequestError
from eyespot.serve.metrics import Metrics
from eyespot.serve.refusals import OurMistake, show_mistake
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
        start, has_begun = time.perf_counter(), False

        async def send_counted(message: Any) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                self._metrics.request(scope["path"], message["status"], time.perf_counter() - start)
            await send(message)

        try:
            self._gate.check(scope)
            await self._app(scope, receive, send_counted)
        except RequestError as error:
            await refusal(error)(scope, receive, send_counted)
        except Exception:
            show_mistake()  # here, and not to the client
            if not has_begun:
                await refusal(OurMistake())(scope, receive, send_counted)
