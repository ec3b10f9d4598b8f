"""A graph from elsewhere, compiled for the first time: in a process of its own, which may end or take for ever.

What a graph asks of the engine's compiler shows when it asks, though the gate knows what it holds and computes: some
chains of operators take minutes, and a length that the compiler finds to be 0 ends the process. What was compiled lies
in the cache folder afterwards, where this process finds it. That takes a third of a second, once for each graph.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from eyespot.errors import BundleError

PROCESSOR_SECONDS = 8
"""Of the process, and one more for each `BYTES_A_SECOND` of the graph. EfficientNet-Lite0 takes less than one."""
BYTES_A_SECOND = 20 * 10**6
BUSY = 4
"""Times as long the process may take where the machine is busy with other things."""
MEMORY = 2 * 2**30
"""Bytes, and `COPIES` times the graph: what the engine holds of the weights as read, as sorted, and once more."""
COPIES = 6
_COMMAND = "from eyespot.engine.compiling_child import main; main()"
NO_GRAPH = 3
"""The status of a process in which the engine says what is wrong with the graph."""


def require_compiles(
    where: Path,
    graph: bytes,
    weights: bytes,
    *,
    shape: tuple[int, ...] | None,
    options: dict[str, Any],
    cache_folder: Path,
) -> None:
    """Raises BundleError for a graph of which a process of its own makes nothing, and RuntimeError, as the engine
    does, for one that the engine refuses. where: the model's place; the others are as for `compiled.compile_graph`.
    """
    seconds = PROCESSOR_SECONDS + (len(graph) + len(weights)) // BYTES_A_SECOND
    said = {
        "graph": len(graph),
        "shape": shape,
        "options": options,
        "folder": str(cache_folder),
        "seconds": seconds,
        "memory": MEMORY + COPIES * (len(graph) + len(weights)),
    }
    try:
        ended = _ended([json.dumps(said)], graph + weights, seconds=BUSY * seconds)
    except subprocess.TimeoutExpired:
        raise BundleError(
            f"the model in {where} was not ready within {BUSY * seconds} seconds: try again later"
        ) from None
    if ended.returncode == NO_GRAPH:
        raise RuntimeError(ended.stderr.decode("utf-8", "replace"))
    if ended.returncode:
        raise BundleError(
            f"the model in {where} cannot be used: making it ready ended the process that tried it, took more than "
            f"{seconds} seconds, or too much memory (status {ended.returncode}); ask whoever made it for another"
        )


def _ended(arguments: list[str], given: bytes, *, seconds: float) -> subprocess.CompletedProcess[bytes]:
    paths = os.pathsep.join(each for each in sys.path if each)
    return subprocess.run(
        [sys.executable, "-c", _COMMAND, *arguments],
        env={**os.environ, "PYTHONPATH": paths, "PYTHONSAFEPATH": "1"},
        input=given,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=seconds,
    )
