"""`serve`: a server in this process, until it is told to stop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from eyespot.errors import MissingExtra
from eyespot.serve.service import QUEUE, Service


def serve(
    run: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str | None = None,
    queue: int = QUEUE,
    say: Callable[[str], None] = print,
) -> None:
    """Serves the model in `run` until SIGTERM or Ctrl-C."""
    try:
        import uvicorn

        from eyespot.serve.app import make_app
    except ImportError as error:
        raise MissingExtra("the server", extra="serve") from error
    service = Service(run, queue=queue)
    uvicorn.run(make_app(service), host=host, port=port, access_log=False, log_level="warning")
