"""`serve`: a server in this process, until it is told to stop."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eyespot.errors import EyespotError, MachineError, MissingExtra, OptionError
from eyespot.serve.batching import QUEUE
from eyespot.serve.safety import require_token
from eyespot.words import counted

if TYPE_CHECKING:
    from eyespot.serve.painting import ServedPainter
    from eyespot.serve.service import Service


def serve(
    run: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str | None = None,
    queue: int = QUEUE,
    style: bool = False,
    say: Callable[[str], None] = print,
) -> None:
    """Serves the model in `run` until SIGTERM or Ctrl-C; what was accepted by then is still answered.

    host, port: to listen on; port 0 is a free one.
    token: what clients must know; needed where the address is not this computer's own.
    queue: pictures that may wait or be worked on.
    style: whether photos are painted, too.
    say: told what a person should know.
    Raises OptionError, MachineError (the port is in use), MissingExtra, BundleError; KeyboardInterrupt after Ctrl-C.
    """
    _require(queue=queue, port=port)
    require_extra()
    if style:
        require_style()
    sockets = listening(host, port, token=token)
    try:
        _serve(run, sockets, token=token, queue=queue, style=style, say=say)
    finally:
        for each in sockets:
            each.close()


def require_extra() -> None:
    """Raises MissingExtra if the packages of the extra `serve` are missing."""
    try:
        import fastapi  # noqa: F401
        import httptools  # noqa: F401
        import prometheus_client  # noqa: F401
        import python_multipart  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise MissingExtra("serving a model", extra="serve") from error


def require_style() -> None:
    """Raises MissingExtra if the networks that paint at once are missing."""
    from eyespot.styling.published import is_installed

    if not is_installed():
        raise MissingExtra("painting photos", extra="style")


def listening(host: str, port: int, *, token: str | None) -> list[socket.socket]:
    """A socket for each address of `host`. Raises OptionError or MachineError if there cannot be one."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise OptionError(f"the option host cannot be {host!r}: this computer has no such address") from error
    places = list(dict.fromkeys((family, address) for family, _, _, _, address in found))[: 1 if port == 0 else None]
    require_token(token, [str(address[0]) for _, address in places])
    sockets: list[socket.socket] = []
    try:
        for family, address in places:
            sockets.append(_bound(family, address))
    except OSError as error:
        for each in sockets:
            each.close()
        raise _no_port(error, host, port) from error
    return sockets


def _serve(
    run: str | Path,
    sockets: list[socket.socket],
    *,
    token: str | None,
    queue: int,
    style: bool,
    say: Callable[[str], None],
) -> None:
    from eyespot.recipes.explain import Explainer
    from eyespot.serve.app import make_app
    from eyespot.serve.process import Server
    from eyespot.serve.service import Service
    from eyespot.serve.swap import Watcher

    service = Service(run, queue=queue, explain=Explainer, painter=_painter() if style else None)
    watcher = Watcher(service, say=say)

    def introduce() -> None:
        for label, text in _introduction(service, run, sockets, token):
            say(f"{label:11} {text}")

    server = Server(
        make_app(service, token=token), started=introduce, hang_up=watcher.look_now, ends=service.end_long_work
    )
    host, port = sockets[0].getsockname()[:2]
    watcher.start()
    try:
        server.run(sockets)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise _no_port(error, host, port) from error
    finally:
        watcher.stop()
    say(f"Stopped     after {counted(server.accepted, 'request')}, {server.answered} answered")
    if server.was_interrupted:
        raise KeyboardInterrupt


def _introduction(
    service: Service, run: str | Path, sockets: list[socket.socket], token: str | None
) -> Iterator[tuple[str, str]]:
    yield "Serving", f"{service.name}, {len(service.served.classes)} classes, from {run}"
    for each in sockets:
        yield "Page", _address(each)
    if service.painter is not None:
        yield "Paints", f"photos at once{' and in steps' if service.finer else '; in steps with the extra `train`'}"
    if token is not None:
        yield "Token", "clients send the header `Authorization: Bearer TOKEN`; the page asks for it"
    yield "Stop", "Ctrl-C"


def _painter() -> ServedPainter:
    from eyespot import machine
    from eyespot.engine.compiled import compiled_folder
    from eyespot.serve.painting import ServedPainter

    return ServedPainter(cache_folder=compiled_folder(machine.cache_folder()))


def _require(*, queue: int, port: int) -> None:
    if queue < 1:
        raise OptionError(f"the option queue must be at least 1, not {queue}")
    if not 0 <= port < 2**16:
        raise OptionError(f"the option port must lie between 0 and {2**16 - 1}, not {port}")


def _bound(family: int, address: tuple[Any, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # there it would let two servers have one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


def _no_port(error: OSError, host: str, port: int) -> EyespotError:
    if error.errno == errno.EADDRINUSE:
        return MachineError(f"port {port} of {host} is in use: stop what listens there, or give another with --port")
    if error.errno == errno.EACCES:
        return MachineError(f"port {port} may not be used by everybody: give one from 1024 on with --port")
    return OptionError(f"the option host cannot be {host!r}: {error.strerror or error}")


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
