"""The process that compiles a graph from elsewhere; `compiled_apart` begins it."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path

from eyespot.engine.compiled import compile_graph
from eyespot.engine.compiled_apart import NO_GRAPH
from eyespot.engine.run import openvino_core


def main() -> None:
    """The process of its own: what it is told is its argument, the graph and its weights come on its input."""
    said = json.loads(sys.argv[1])
    data = sys.stdin.buffer.read()
    graph, weights = data[: said["graph"]], data[said["graph"] :]
    shape = None if said["shape"] is None else tuple(said["shape"])
    core = openvino_core()
    limit(said["seconds"], said["memory"])
    try:
        compile_graph(
            core, graph, weights=weights, shape=shape, options=said["options"], cache_folder=Path(said["folder"])
        )
    except RuntimeError as error:
        print(error, file=sys.stderr)
        sys.exit(NO_GRAPH)


def limit(seconds: int, more: int) -> None:
    """Lets this process work for so long, and have so many bytes more than it has; on Linux."""
    if not sys.platform.startswith("linux"):
        return
    import resource

    taken = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    limits = ((resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, taken + more), (resource.RLIMIT_CORE, 0))
    for what, most in limits:
        with contextlib.suppress(ValueError, OSError):  # a lower limit is in force
            resource.setrlimit(what, (most, most))
