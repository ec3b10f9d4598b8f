"""`studio`: the studio's server in this process, until Ctrl-C."""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from eyespot.data.decoding import apart
from eyespot.data.pictures import read_named
from eyespot.errors import DataError, MachineError, MissingExtra, OptionError, RequestError
from eyespot.files import from_home
from eyespot.names import printable
from eyespot.places import HOST, PORT, fragment, place_of
from eyespot.serve.run import listening, require_extra

if TYPE_CHECKING:
    from fastapi import FastAPI

    from eyespot.studio.desk import Desk

DECODE_SECONDS = 5.0


def studio(
    network: str | Path | None = None,
    pictures: Sequence[str | Path] = (),
    *,
    port: int = PORT,
    at: str | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Serves the studio to this computer alone, until SIGTERM or Ctrl-C.

    network: a run folder or bundle, or a network of the catalogue with its published weights. Of a run that has no
        model yet only the training is shown. None opens the list of the runs below the current folder, where new ones
        are made, too, from pictures that are collected there.
    pictures: files that lie on the desk from the start.
    port: 0 is a free one.
    at: a screen, such as "errors", or what stands behind the # of an address here: the browser is opened there.
    say: told what a person should know.
    Raises NetworkError, BundleError, WeightsError, DataError, OptionError, MachineError, MissingExtra;
    KeyboardInterrupt after Ctrl-C.
    """
    _require_extras()
    if not 0 <= port < 2**16:
        raise OptionError(f"the option port must lie between 0 and {2**16 - 1}, not {port}")
    if network is None and pictures:
        raise OptionError("pictures lie on a network's desk: name a run before them")
    place = None if at is None else place_of(at)
    from eyespot.studio.subject import has_no_model_yet

    door = _Door(port, place, say)
    if network is not None and has_no_model_yet(network):
        if pictures:
            raise OptionError(f"{network} has no model yet that could look at pictures: name none, or wait for it")
        _serve_training(from_home(network), door)
    else:
        _serve_network(network, pictures, door)


def _require_extras() -> None:
    """Raises MissingExtra, which names all that is missing."""
    missing = [] if find_spec("torch") else ["train"]
    try:
        require_extra()
    except MissingExtra as error:
        missing.append(error.extra)
    if missing:
        raise MissingExtra("the studio", extra=",".join(missing))


@dataclass(frozen=True)
class _Door:
    """Where the page is reached, and at which place it opens."""

    port: int
    place: Mapping[str, str] | None
    """In the browser, which is opened; None leaves that to the person."""
    say: Callable[[str], None]


def _serve_network(network: str | Path | None, pictures: Sequence[str | Path], door: _Door) -> None:
    from eyespot.serve.service import decoding_processes
    from eyespot.studio.app import make_app
    from eyespot.studio.desk import Desk
    from eyespot.studio.subject import opened

    desk = None if network is None else Desk(opened(network))
    decoding = decoding_processes(DECODE_SECONDS)
    apart.use(decoding)
    try:
        laid = [_laid(desk, each) for each in pictures] if desk else []
        app = make_app(desk)
        name = desk.subject.name if desk else f"runs in {printable(Path.cwd().name)}"

        def end() -> None:
            running = app.state.lobby.close()
            if running:
                door.say(f"{'Lab':11} {running} is stopped; its finished rounds are kept")

        def start() -> None:
            if desk:
                desk.own.begin()
            else:
                threading.Thread(target=_import_what_opens, name="eyespot-imports").start()

        _serve(app, name, {"picture": laid[0]} if laid else {}, door, started=start, ends=end)
    finally:
        apart.release()
        decoding.stop()


def _serve_training(run: Path, door: _Door) -> None:
    from eyespot.studio.app import make_app_of_training
    from eyespot.studio.history import History

    history = History(run)
    name = f"{run.name}, which has no model yet"
    _serve(make_app_of_training(history), name, {"screen": "training"}, door, ends=history.stop)


def _serve(
    app: FastAPI,
    name: str,
    place: Mapping[str, str],
    door: _Door,
    *,
    ends: Callable[[], None],
    started: Callable[[], None] = lambda: None,
) -> None:
    from eyespot.serve.process import Server

    sockets = listening(HOST, door.port, token=None)

    def introduce() -> None:
        address = f"http://{HOST}:{sockets[0].getsockname()[1]}/{fragment({**place, **(door.place or {})})}"
        door.say(f"{'Studio':11} {name}: {address}")
        door.say(f"{'Stop':11} Ctrl-C")
        if door.place is not None:
            threading.Thread(target=_show, args=(address, door.say), name="eyespot-browser", daemon=True).start()
        started()

    server = Server(app, started=introduce, hang_up=lambda: None, ends=ends)
    try:
        server.run(sockets)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise MachineError(f"port {door.port} of {HOST} is in use: give another with --port") from error
    finally:
        for each in sockets:
            each.close()
    if server.was_interrupted:
        raise KeyboardInterrupt


def _show(address: str, say: Callable[[str], None]) -> None:
    """Opens the browser there, or says that there is none. It may take as long as the browser does to begin."""
    import webbrowser

    if not (_has_screen() and webbrowser.open(address)):
        say("there is no browser here that could be opened: open the address in one")


def _has_screen() -> bool:
    """False where only a browser for the terminal could be there, which would take that and cannot show the page."""
    named = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    return sys.platform in ("win32", "darwin") or any(os.environ.get(name) for name in named)


def _import_what_opens() -> None:
    """Imports what opening a run needs, while a person still chooses one or collects pictures."""
    with suppress(ImportError):  # told when a run is opened
        import torch  # noqa: F401

        import eyespot.studio.subject  # noqa: F401


def _laid(desk: Desk, picture: str | Path) -> str:
    """The number of a picture that was named at the start."""
    from eyespot.serve.pictures import read_sent

    name, data = read_named(picture)
    try:
        return desk.lay(read_sent(data, desk.subject.preprocess).image)
    except RequestError as error:
        raise DataError(f"{name}: {error}") from error
