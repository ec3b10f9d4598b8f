"""Compiled graphs, and what else can be made again, kept in the cache folder so that the next process starts at once.

Each file has a checksum: a damaged one counts as missing. A compiled graph of another machine is compiled again.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from pathlib import Path
from typing import Any

from eyespot.engine.compiled_apart import require_answers
from eyespot.files import write_whole

CHECKSUM_BYTES = 32
"""SHA-256 in front of the content: 15 MB take about 10 ms where the processor has instructions for it."""
MOST_FILES = 64
"""Compiled graphs that are kept; beyond, the ones used longest ago go."""
MOST_KNOWN = 1_000
"""Graphs of which it is known that they answer."""


def compiled_folder(cache_folder: Path) -> Path:
    """Where compiled graphs are kept, below eyespot's cache folder."""
    return cache_folder / "compiled"


def compile_graph(
    core: Any,
    graph: bytes,
    *,
    shape: tuple[int, ...] | None,
    options: dict[str, Any],
    cache_folder: Path | None,
    weights: bytes = b"",
    foreign: Path | None = None,
) -> Any:
    """The graph compiled for the CPU, by OpenVINO's `core`, from the cache folder where it was compiled before.

    graph: ONNX, or OpenVINO's XML with its `weights`.
    shape: of the graph's input, or None where it is to stay open; options: OpenVINO's.
    foreign: where a model is that may be from elsewhere: a process of its own compiles and asks it first, if there is a
        cache folder.
    Raises BundleError where it cannot.
    """
    if cache_folder is None:
        return _compile(core, graph, weights, shape, options)
    path = cache_folder / f"{_name(core, graph + weights, shape, options)}.blob"
    if foreign is not None and not _known(cache_folder, graph, weights).exists():
        require_answers(foreign, graph, weights, shape=shape, options=options, cache_folder=cache_folder)
        know(cache_folder, graph, weights)
    kept = read_kept(path)
    if kept is not None:
        with contextlib.suppress(RuntimeError):  # another processor or version than the name says: compiled again
            return core.import_model(kept, "CPU", options)
    compiled = _compile(core, graph, weights, shape, options)
    file = io.BytesIO()
    compiled.export_model(file)
    keep(path, file.getvalue())
    _forget_oldest(cache_folder, f"*{path.suffix}", MOST_FILES)
    return compiled


def know(cache_folder: Path, graph: bytes, weights: bytes = b"") -> None:
    """Notes that the graph is one that answers, as each that was trained here: none is tried in vain."""
    path = _known(cache_folder, graph, weights)
    keep(path, b"")
    _forget_oldest(cache_folder, f"*{path.suffix}", MOST_KNOWN)


def _known(cache_folder: Path, graph: bytes, weights: bytes) -> Path:
    digest = hashlib.sha256(graph)
    digest.update(weights)
    return cache_folder / f"{digest.hexdigest()[:32]}.known"


def read_kept(path: Path) -> bytes | None:
    """What was kept at `path`; None where nothing was, or where it is not what was written."""
    try:
        with path.open("rb") as file:
            checksum, content = file.read(CHECKSUM_BYTES), file.read()
        path.touch()  # so that what is not used goes first
    except OSError:
        return None
    return content if hashlib.sha256(content).digest() == checksum else None


def keep(path: Path, content: bytes) -> None:
    """Keeps a file; where that is impossible the next process makes it again, which is merely slower."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, hashlib.sha256(content).digest() + content)


def _compile(core: Any, graph: bytes, weights: bytes, shape: tuple[int, ...] | None, options: dict[str, Any]) -> Any:
    model = core.read_model(graph, weights) if weights else core.read_model(graph)
    if shape is not None:
        model.reshape(list(shape))
    return core.compile_model(model, "CPU", options)


def _name(core: Any, graph: bytes, shape: tuple[int, ...] | None, options: dict[str, Any]) -> str:
    """Changes with the graph, the shape, the options, the engine's version and the processor."""
    machine = core.get_property("CPU", "FULL_DEVICE_NAME"), str(core.get_versions("CPU")["CPU"].build_number)
    digest = hashlib.sha256(repr((shape, sorted(options.items()), machine)).encode())  # processors have it built in
    digest.update(graph)
    return digest.hexdigest()[:32]


def _forget_oldest(folder: Path, names: str, most: int) -> None:
    with contextlib.suppress(OSError):
        by_use = sorted(folder.glob(names), key=lambda each: each.stat().st_mtime, reverse=True)
        for old in by_use[most:]:
            old.unlink(missing_ok=True)
