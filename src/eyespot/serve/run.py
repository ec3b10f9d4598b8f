"""`serve`: a server in this process, until it is told to stop."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eyespot.errors import EyespotError, MachineError, MissingExtra, OptionError
from eyespot.keywords import as_record
from eyespot.serve.clients import proxies_of
from eyespot.serve.options import ServeOptions
from eyespot.serve.safety import require_token
from eyespot.serve.sharing import (
    Certificate,
    certificate,
    qr_lines,
    reached_at,
    who_reaches,
    with_token,
)
from eyespot.words import counted

if TYPE_CHECKING:
    from eyespot.serve.painting import ServedPainter
    from eyespot.serve.service import Service


def serve(
    run: str | Path, *, say: Callable[[str], None] = print, draw: Callable[[str], None] = print, **options: Any
) -> None:
    """Serves the model in `run` until SIGTERM or Ctrl-C; what was accepted by then is still answered.

    say: told what a person should know. draw: shown the lines of a QR code, which command a terminal's colors.
    options: those of ServeOptions.
    Raises OptionError, MachineError (the port is in use), MissingExtra, BundleError; KeyboardInterrupt after Ctrl-C.
    """
    chosen = as_record(ServeOptions, options, verb=serve)
    require_extra()
    if chosen.style:
        require_style()
    chosen = chosen.settled()
    sockets = listening(chosen.host, chosen.port, token=chosen.token)
    try:
        signed = certificate([reached_at(str(each.getsockname()[0])) for each in sockets]) if chosen.https else None
        _serve(run, Door(sockets, chosen, signed), say=say, draw=draw)
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


@dataclass(frozen=True)
class Door:
    """Where clients come in."""

    sockets: list[socket.socket]
    options: ServeOptions
    certificate: Certificate | None

    @property
    def addresses(self) -> Iterator[str]:
        """Of the page; where it is shared, with the token."""
        scheme = "https" if self.certificate else "http"
        for each in self.sockets:
            host, port = reached_at(str(each.getsockname()[0])), each.getsockname()[1]
            address = f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
            yield with_token(address, str(self.options.token)) if self.options.share else address


def _serve(run: str | Path, door: Door, *, say: Callable[[str], None], draw: Callable[[str], None]) -> None:
    from eyespot.serve.app import make_app
    from eyespot.serve.process import Server
    from eyespot.serve.swap import Watcher

    options = door.options
    service = _service(run, options)
    watcher = Watcher(service, say=say)

    def introduce() -> None:
        for label, text in _introduction(service, run, door):
            say(f"{label:11} {text}")
            if label == "Page" and options.share:
                for line in qr_lines(text):
                    draw(line)

    server = Server(
        make_app(service, token=options.token),
        started=introduce,
        hang_up=watcher.look_now,
        ends=service.end_long_work,
        tls=door.certificate.context if door.certificate else None,
        proxies=proxies_of(options.proxies),
    )
    host, port = door.sockets[0].getsockname()[:2]
    watcher.start()
    try:
        server.run(door.sockets)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise _no_port(error, host, port) from error
    finally:
        watcher.stop()
    say(f"Stopped     after {counted(server.accepted, 'request')}, {server.answered} answered")
    if server.was_interrupted:
        raise KeyboardInterrupt


def _service(run: str | Path, options: ServeOptions) -> Service:
    from eyespot.recipes.explain import Explainer
    from eyespot.serve.service import Service, decoding_processes

    return Service(
        run,
        queue=options.queue,
        deadline=options.deadline,
        explain=Explainer,
        painter=_painter() if options.style else None,
        decoding=decoding_processes(options.decode_seconds),
    )


def _introduction(service: Service, run: str | Path, door: Door) -> Iterator[tuple[str, str]]:
    from eyespot.bundle.files import notes_on

    options = door.options
    yield "Serving", f"{service.name}, {len(service.served.classes)} classes, from {run}"
    for note in notes_on(service.served.bundle):
        yield "Note", note
    for address in door.addresses:
        yield "Page", address
    if service.painter is not None:
        yield "Paints", f"photos at once{' and in steps' if service.finer else '; in steps with the extra `train`'}"
    if options.share:
        yield "Open to", who_reaches(str(door.sockets[0].getsockname()[0]))
    elif options.token is not None:
        yield "Token", "clients send the header `Authorization: Bearer TOKEN`; the page asks for it"
    if door.certificate:
        yield "Certificate", "made by this computer just now, so browsers warn; go on where they show this SHA-256:"
        yield "", door.certificate.fingerprint
    elif options.share:
        yield (
            "Not secret",
            "others in the network can read along; --https prevents that, and phones' cameras need it",
        )
    yield "Stop", "Ctrl-C" + ("; the next start has another token" if options.share else "")


def _painter() -> ServedPainter:
    from eyespot import machine
    from eyespot.engine.compiled import compiled_folder
    from eyespot.serve.painting import ServedPainter

    return ServedPainter(cache_folder=compiled_folder(machine.cache_folder()))


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
