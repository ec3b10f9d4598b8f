"""`studio`: the studio's server in this process, until Ctrl-C."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eyespot.data.decoding import apart
from eyespot.data.pictures import read_named
from eyespot.errors import DataError, MachineError, OptionError, RequestError
from eyespot.files import from_home
from eyespot.serve.run import listening, require_extra

if TYPE_CHECKING:
    from fastapi import FastAPI

    from eyespot.studio.desk import Desk

HOST, PORT = "127.0.0.1", 8765
DECODE_SECONDS = 5.0


def studio(
    network: str | Path, pictures: Sequence[str | Path] = (), *, port: int = PORT, say: Callable[[str], None] = print
) -> None:
    """Serves the studio of a network to this computer alone, until SIGTERM or Ctrl-C.

    network: a run folder or bundle, or a network of the catalogue with its published weights. Of a run that has no
        model yet only the training is shown.
    pictures: files that lie on the desk from the start.
    port: 0 is a free one. say: told what a person should know.
    Raises NetworkError, BundleError, WeightsError, DataError, OptionError, MachineError, MissingExtra;
    KeyboardInterrupt after Ctrl-C.
    """
    require_extra()
    if not 0 <= port < 2**16:
        raise OptionError(f"the option port must lie between 0 and {2**16 - 1}, not {port}")
    from eyespot.serve.service import decoding_processes
    from eyespot.studio.app import make_app, make_app_of_training
    from eyespot.studio.desk import Desk
    from eyespot.studio.history import History
    from eyespot.studio.subject import has_no_model_yet, opened

    if has_no_model_yet(network):
        if pictures:
            raise OptionError(f"{network} has no model yet that could look at pictures: name none, or wait for it")
        history = History(from_home(network))
        app, name = make_app_of_training(history), from_home(network).name
        _serve(app, f"{name}, which has no model yet", "#screen=training", port=port, say=say, ends=history.stop)
        return
    desk = Desk(opened(network))
    decoding = decoding_processes(DECODE_SECONDS)
    apart.use(decoding)
    try:
        laid = [_laid(desk, each) for each in pictures]
        place = f"#picture={laid[0]}" if laid else ""
        begin, end = desk.own.begin, desk.history.stop
        _serve(make_app(desk), desk.subject.name, place, port=port, say=say, started=begin, ends=end)
    finally:
        desk.own.stop()
        apart.release()
        decoding.stop()


def _serve(
    app: FastAPI,
    name: str,
    place: str,
    *,
    port: int,
    say: Callable[[str], None],
    ends: Callable[[], None],
    started: Callable[[], None] = lambda: None,
) -> None:
    from eyespot.serve.process import Server

    sockets = listening(HOST, port, token=None)

    def introduce() -> None:
        say(f"{'Studio':11} {name}: http://{HOST}:{sockets[0].getsockname()[1]}/{place}")
        say(f"{'Stop':11} Ctrl-C")
        started()

    server = Server(app, started=introduce, hang_up=lambda: None, ends=ends)
    try:
        server.run(sockets)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise MachineError(f"port {port} of {HOST} is in use: give another with --port") from error
    finally:
        for each in sockets:
            each.close()
    if server.was_interrupted:
        raise KeyboardInterrupt


def _laid(desk: Desk, picture: str | Path) -> str:
    """The number of a picture that was named at the start."""
    from eyespot.serve.pictures import read_sent

    name, data = read_named(picture)
    try:
        return desk.lay(read_sent(data, desk.subject.preprocess).image)
    except RequestError as error:
        raise DataError(f"{name}: {error}") from error
