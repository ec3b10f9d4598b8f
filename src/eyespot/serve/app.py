"""The server's endpoints, as a FastAPI application around a Service."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

import eyespot
from eyespot.errors import RequestError
from eyespot.serve import predicting
from eyespot.serve.service import Service
from eyespot.serve.static import INDEX, page_files

RETRY_SECONDS = 1
PAGE_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "media-src blob: mediastream:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
}


def make_app(service: Service) -> FastAPI:
    """The application. The service is stopped with it."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        service.stop()

    app = FastAPI(
        title="eyespot", version=eyespot.__version__, docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan
    )
    app.add_exception_handler(RequestError, _refused)
    app.add_exception_handler(HTTPException, _unknown)
    app.add_exception_handler(Exception, _failed)

    @app.get("/model")
    async def model() -> Response:
        return as_json(service.described())

    @app.get("/healthz")
    async def health() -> Response:
        return as_json({"status": "ok", "model": service.name, "fingerprint": service.served.fingerprint})

    @app.get("/")
    async def index() -> Response:
        return _page_file(INDEX)

    @app.get("/page/{name}")
    async def page(name: str) -> Response:
        return _page_file(name)

    async def predict(request: Request) -> Response:
        return await predicting.predict(service, request)

    app.add_route("/predict", predict, methods=["POST"])  # without FastAPI's reading of arguments, which takes time
    return app


def as_json(value: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A response with the value as JSON."""
    return Response(json.dumps(value), status_code=status, headers=headers, media_type="application/json")


def _page_file(name: str) -> Response:
    if name not in page_files():
        raise HTTPException(404)
    content_type, content = page_files()[name]
    return Response(content, headers={"content-type": content_type, "cache-control": "no-cache", **PAGE_HEADERS})


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    headers = {"retry-after": str(RETRY_SECONDS)} if error.status == 503 else None
    return as_json({"error": str(error)}, status=error.status, headers=headers)


async def _unknown(request: Request, error: Exception) -> Response:
    """What the framework itself refuses: an unknown path, another method."""
    assert isinstance(error, HTTPException)
    said = {404: "there is nothing at this address", 405: "this address has another method"}
    sentence = said.get(error.status_code, "the request cannot be answered")
    return as_json({"error": sentence}, status=error.status_code, headers=dict(error.headers or {}))


async def _failed(request: Request, error: Exception) -> Response:
    return as_json({"error": "the server failed: its log says more"}, status=500)
