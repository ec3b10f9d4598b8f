"""Runs a graph that takes one decoded picture of any size, with OpenVINO on the CPU."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from eyespot import machine
from eyespot.engine.compiled import compile_graph
from eyespot.engine.run import HINTS, Requests, openvino_core
from eyespot.records import PrecisionName

T = TypeVar("T")


class WholeEngine:
    """A graph that resizes pictures itself, compiled for this machine: a picture in, named arrays out."""

    def __init__(
        self, graph: bytes, *, weights: bytes = b"", precision: PrecisionName = "fp32", cache_folder: Path | None = None
    ) -> None:
        """graph: ONNX with one input `picture`, uint8 (H, W, C), or OpenVINO's XML with its `weights`.
        precision: number format of the network; the resize counts in whole numbers in any.
        cache_folder: where compiled graphs are kept, so that the next process starts at once.
        """
        streams = machine.cores()
        options: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": streams,
            "INFERENCE_NUM_THREADS": streams,
            "INFERENCE_PRECISION_HINT": HINTS[precision],
        }
        compiled = compile_graph(
            openvino_core(), graph, weights=weights, shape=None, options=options, cache_folder=cache_folder
        )
        self._requests = Requests(compiled, count=streams)

    def stream(self, pictures: Iterable[tuple[T, np.ndarray]]) -> Iterator[tuple[T, dict[str, np.ndarray]]]:
        """The outputs for each picture (H, W, C), each array of one row, with the tag it came with, in order."""
        return self._requests.stream(pictures)
