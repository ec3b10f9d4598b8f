"""A new model, compiled and asked in a process of its own before the server takes it.

What a model asks of the engine's compiler is not known before it has asked. So a process that may end tries it first,
for so long and with so much memory, and keeps what it compiled in the cache folder: the server finds it there. Windows
and macOS hold no process to its memory; there only the time is limited.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from eyespot.bundle.files import AnyBundle, read_any_bundle
from eyespot.errors import BundleError, EyespotError

SECONDS = 30.0
"""A process's start and the largest network of the zoo take less than half of it, with all cores at work."""
MEMORY = 2 * 2**30
"""Bytes, and `COPIES` times the graph: what the engine holds of the weights as read, as sorted, and once more."""
COPIES = 6
_LOOK_SECONDS = 0.05
_COMMAND = "from eyespot.serve.trial import main; main()"
_REFUSED = 3
"""The status of a process that says why on its error stream."""


def tried(bundle: AnyBundle, *, stopped: threading.Event | None = None, seconds: float = SECONDS) -> None:
    """Raises BundleError unless the bundle, which was read from its folder, answers in a process of its own.

    stopped: ends the trial when it is set.
    """
    command = [sys.executable, "-c", _COMMAND, str(bundle.folder), bundle.manifest.graph_sha256]
    paths = os.pathsep.join(each for each in sys.path if each)
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": paths, "PYTHONSAFEPATH": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    words: list[str] = []
    listener = threading.Thread(target=lambda: words.append(process.communicate()[1]), daemon=True)
    listener.start()
    try:
        ended = _waited(listener, stopped or threading.Event(), seconds)
    finally:
        process.kill()  # nothing where it has ended
        listener.join()
    if not ended:
        raise BundleError(f"the model in {bundle.folder} gave no answer within {seconds:g} seconds")
    _require(process.returncode, "".join(words), bundle.folder)


def _waited(listener: threading.Thread, stopped: threading.Event, seconds: float) -> bool:
    """Whether the process has ended by itself."""
    end = time.monotonic() + seconds
    while listener.is_alive() and time.monotonic() < end and not stopped.is_set():
        listener.join(_LOOK_SECONDS)
    return not listener.is_alive()


def _require(status: int, words: str, folder: Path) -> None:
    lines = words.strip().splitlines()
    if status == _REFUSED and lines:
        raise BundleError(lines[-1])
    if status:
        last = f": {lines[-1][:200]}" if lines else ""
        raise BundleError(f"the model in {folder} ended the process that tried it, or took too much memory{last}")


def main() -> None:
    """The process of its own: the bundle's folder, and its graph's hash, are its arguments."""
    from eyespot.engine.own_limits import limit_memory
    from eyespot.engine.run import openvino_core
    from eyespot.serve.loading import loaded

    folder, fingerprint = sys.argv[1:]
    try:
        bundle = read_any_bundle(folder)
        if bundle.manifest.graph_sha256 != fingerprint:
            raise BundleError(f"the model in {folder} is being replaced")
        openvino_core()
        limit_memory(MEMORY + COPIES * len(bundle.graph))
        loaded(bundle)
    except EyespotError as error:
        print(str(error).replace("\n", " "), file=sys.stderr)
        sys.exit(_REFUSED)
    except MemoryError:
        sys.exit(1)
