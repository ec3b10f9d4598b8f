"""The server's endpoints, as a FastAPI application around a Service, and the doorman before it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from eyespot.errors import RequestError
from eyespot.serve import inference_protocol, paint_endpoints, predicting
from eyespot.serve.clients import client_of
from eyespot.serve.metrics import Metrics
from eyespot.serve.refusals import OurMistake, show_mistake
from eyespot.serve.replies import as_json, refusal
from eyespot.serve.safety import Gate
from eyespot.serve.service import Service

CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
PAGE_HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "media-src blob: mediastream:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
LAST = frozenset({400, 401, 403, 408, 413})
"""Statuses after which the connection is closed: its client does not know what it may send."""
_SAID = {404: "there is nothing at this address", 405: "this address is asked by another method"}


class Doorman:
    """Lets each request in or refuses it, and counts it when it is answered. Touches no body; adds microseconds."""

    def __init__(self, app: ASGIApp, gate: Gate, metrics: Metrics) -> None:
        self._app, self._gate, self._metrics = app, gate, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, has_begun, client = time.perf_counter(), False, client_of(scope)

        async def send_counted(message: Any) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                self._metrics.request(scope["path"], message["status"], time.perf_counter() - start)
                if message["status"] in LAST or not client.is_whole:
                    message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            await send(message)

        client.begin()
        try:
            self._gate.check(scope)
            await self._app(scope, receive, send_counted)
        except RequestError as error:
            await refusal(error)(scope, receive, send_counted)
        except asyncio.CancelledError:
            if not client.is_gone:
                raise
        except Exception:
            show_mistake()  # here, and not to the client
            if not has_begun:
                await refusal(OurMistake())(scope, receive, send_counted)
        finally:
            client.end()


def make_app(service: Service, *, token: str | None = None) -> FastAPI:
    """The application. The service ends with it.

    token: what clients must know, if anything.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        service.stop()

    gate = Gate(token)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, lifespan=lifespan)
    app.add_middleware(Doorman, gate=gate, metrics=service.metrics)
    app.add_exception_handler(RequestError, refused)
    app.add_exception_handler(HTTPException, unknown)
    _add_model(app, service, gate)  # first what is asked most
    _add_page(app)
    inference_protocol.add_to(app, service)
    paint_endpoints.add_to(app, service)
    return app


def _add_page(app: FastAPI) -> None:
    @app.get("/")
    async def index() -> Response:
        return _page_file("index.html")

    @app.get("/page/{name}")
    async def page(name: str) -> Response:
        return _page_file(name)


def _add_model(app: FastAPI, service: Service, gate: Gate) -> None:
    async def predict(request: Request) -> Response:
        return await predicting.predict(service, request)

    app.add_route("/predict", predict, methods=["POST"])  # FastAPI's reading of arguments would take time

    @app.get("/model")
    async def model() -> Response:
        return as_json(service.described())

    @app.get("/healthz")
    async def health(request: Request) -> Response:
        said = {"model": service.name, "fingerprint": service.served.fingerprint} if gate.knows(request.scope) else {}
        return as_json({"status": "ok", **said})

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(service.measured(), headers={"content-type": service.metrics.content_type})


@cache
def page_files() -> dict[str, tuple[str, bytes]]:
    """Content type and content of each file of the page, by name: a fixed list, so that no address leads elsewhere."""
    folders = (files("eyespot") / "look", files("eyespot.serve") / "page")
    kinds = {each: CONTENT_TYPES.get(f".{each.name.rpartition('.')[2]}") for one in folders for each in one.iterdir()}
    return {file.name: (kind, file.read_bytes()) for file, kind in kinds.items() if kind}


def _page_file(name: str) -> Response:
    if name not in page_files():
        raise HTTPException(404)
    content_type, content = page_files()[name]
    return Response(content, headers={"content-type": content_type, **PAGE_HEADERS})


async def refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    return refusal(error)


async def unknown(request: Request, error: Exception) -> Response:
    """What the framework itself refuses: an unknown address, another method."""
    assert isinstance(error, HTTPException)
    sentence = _SAID.get(error.status_code, "the request cannot be answered")
    return as_json({"error": sentence}, status=error.status_code, headers=dict(error.headers or {}))
