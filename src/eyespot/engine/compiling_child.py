"""The process that compiles a graph from elsewhere; `compiled_apart` begins it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from eyespot.engine.compiled import compile_graph
from eyespot.engine.compiled_apart import NO_GRAPH
from eyespot.engine.own_limits import limit_memory, limit_processor
from eyespot.engine.run import openvino_core


def main() -> None:
    """The process of its own: what it is told is its argument, the graph and its weights come on its input."""
    said = json.loads(sys.argv[1])
    data = sys.stdin.buffer.read()
    graph, weights = data[: said["graph"]], data[said["graph"] :]
    shape = None if said["shape"] is None else tuple(said["shape"])
    core = openvino_core()
    limit_processor(said["seconds"])
    limit_memory(said["memory"])
    try:
        compile_graph(
            core, graph, weights=weights, shape=shape, options=said["options"], cache_folder=Path(said["folder"])
        )
    except RuntimeError as error:
        print(error, file=sys.stderr)
        sys.exit(NO_GRAPH)
