"""The process that compiles a graph from elsewhere, and asks it; `compiled_apart` begins it."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

from eyespot.engine.compiled import compile_graph
from eyespot.engine.compiled_apart import NO_GRAPH, READY
from eyespot.engine.own_limits import limit_memory, limit_processor
from eyespot.engine.run import openvino_core

SIDE = 2_000
"""Of a picture for a graph that takes any: four megapixels, as most photos that are read have, or more."""


def main() -> None:
    """The process of its own: what it is told is its argument, the graph and its weights come on its input."""
    said = json.loads(sys.argv[1])
    data = sys.stdin.buffer.read()
    graph, weights = data[: said["graph"]], data[said["graph"] :]
    shape = None if said["shape"] is None else tuple(said["shape"])
    to_be_ready, for_a_picture = said["seconds"]
    core = openvino_core()
    limit_processor(to_be_ready)
    limit_memory(said["memory"])

    def compiled(shape: tuple[int, ...] | None, folder: Path | None) -> Any:
        return compile_graph(core, graph, weights=weights, shape=shape, options=said["options"], cache_folder=folder)

    try:
        asked = compiled(shape, Path(said["folder"]))
        if shape is not None and shape[0] > 1:  # a picture is one
            asked = compiled((1, *shape[1:]), None)
        sys.stdout.buffer.write(READY)
        sys.stdout.flush()
        limit_processor(for_a_picture)
        asked([_picture(asked.input(0))])
    except RuntimeError as error:
        print(error, file=sys.stderr)
        sys.exit(NO_GRAPH)


def _picture(port: Any) -> np.ndarray:
    """Every level there is, from dark to bright, again and again."""
    shape = [SIDE if side.is_dynamic else side.get_length() for side in port.partial_shape]
    return (np.arange(math.prod(shape)) % 256).reshape(shape).astype(port.element_type.to_dtype())
