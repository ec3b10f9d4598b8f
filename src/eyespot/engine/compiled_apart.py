"""A graph from elsewhere, compiled and asked for the first time: in a process of its own, which may end or never end.

What a graph asks of the engine shows when it asks, though the gate knows what it holds and computes: some chains of
operators are compiled for minutes, a length that the compiler finds to be 0 ends the process, and how long a picture
takes depends on the machine. What was compiled lies in the cache folder afterwards, where this process finds it. That
takes a third of a second and a picture, once for each graph.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from eyespot.engine.own_limits import OUT_OF_TIME
from eyespot.errors import BundleError, MachineError

PROCESSOR_SECONDS = 8
"""Of the process until the graph is ready, and one more for each `BYTES_A_SECOND`. EfficientNet-Lite0 takes one."""
BYTES_A_SECOND = 20 * 10**6
PICTURE_SECONDS = 2
"""Of the process for a picture. EfficientNet-Lite0 takes 0.01, VGG-19 0.2."""
BUSY = 4
"""Times as long the process may take where the machine is busy with other things."""
MEMORY = 2 * 2**30
"""Bytes, and `COPIES` times the graph: what the engine holds of the weights as read, as sorted, and once more."""
COPIES = 6
PATIENCE_VARIABLE = "EYESPOT_PATIENCE"
"""How many times as long it may take, from somebody who knows the model, or has a slow machine."""
_COMMAND = "from eyespot.engine.compiling_child import main; main()"
NO_GRAPH = 3
"""The status of a process in which the engine says what is wrong with the graph."""
READY = b"ready"
"""What the process says when the graph is compiled and will be asked."""


def require_answers(
    where: Path,
    graph: bytes,
    weights: bytes,
    *,
    shape: tuple[int, ...] | None,
    options: dict[str, Any],
    cache_folder: Path,
) -> None:
    """Raises BundleError for a graph that a process of its own cannot compile and ask within its limits, RuntimeError,
    as the engine does, for one that the engine refuses, MachineError where the patience is no number.

    where: the model's place; the others are as for `compiled.compile_graph`.
    """
    patience, size = _patience(), len(graph) + len(weights)
    seconds = {
        "making it ready": patience * (PROCESSOR_SECONDS + size // BYTES_A_SECOND),
        "a picture": patience * PICTURE_SECONDS,
    }
    said = {
        "graph": len(graph),
        "shape": shape,
        "options": options,
        "folder": str(cache_folder),
        "seconds": [*seconds.values()],
        "memory": MEMORY + COPIES * size,
    }
    longest = BUSY * sum(seconds.values())
    try:
        ended = _ended([json.dumps(said)], graph + weights, seconds=longest)
    except subprocess.TimeoutExpired:
        raise BundleError(f"the model in {where} gave no answer within {longest:g} seconds: try again later") from None
    if ended.returncode == NO_GRAPH:
        raise RuntimeError(ended.stderr.decode("utf-8", "replace"))
    if ended.returncode:
        what = "a picture" if ended.stdout == READY else "making it ready"
        raise BundleError(f"the model in {where} cannot be used: {what} {_fault(ended.returncode, seconds[what])}")


def _fault(status: int, seconds: float) -> str:
    if -status in OUT_OF_TIME:
        return (
            f"takes more than {seconds:g} seconds of a processor here; if you know the model, {PATIENCE_VARIABLE}=10 "
            "allows it ten times as long"
        )
    return (
        f"ended the process that tried it, or took too much memory (status {status}); ask whoever made it for another"
    )


def _patience() -> float:
    given = os.environ.get(PATIENCE_VARIABLE, "1")
    try:
        patience = float(given)
    except ValueError:
        patience = 0.0
    if not 1 <= patience <= 1_000:
        raise MachineError(f"{PATIENCE_VARIABLE} is {given!r}: give a number from 1 to 1000, as {PATIENCE_VARIABLE}=10")
    return patience


def _ended(arguments: list[str], given: bytes, *, seconds: float) -> subprocess.CompletedProcess[bytes]:
    paths = os.pathsep.join(each for each in sys.path if each)
    return subprocess.run(
        [sys.executable, "-c", _COMMAND, *arguments],
        env={**os.environ, "PYTHONPATH": paths, "PYTHONSAFEPATH": "1"},
        input=given,
        capture_output=True,
        timeout=seconds,
    )
