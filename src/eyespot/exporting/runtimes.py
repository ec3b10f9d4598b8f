"""An exported model in the runtimes that others use, so that its answers there can be compared."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np

from eyespot import machine
from eyespot.engine.gate import PICTURE
from eyespot.errors import MissingExtra

T = TypeVar("T")


class OnnxRuntime:
    """An ONNX file in ONNX Runtime, on the CPU."""

    def __init__(self, graph: bytes) -> None:
        """Raises MissingExtra if ONNX Runtime is not installed."""
        try:
            runtime = importlib.import_module("onnxruntime")
        except ImportError as error:
            raise MissingExtra("exporting with proof", extra="export") from error
        options = runtime.SessionOptions()
        options.intra_op_num_threads = machine.cores()
        options.log_severity_level = 3  # only errors
        self.version = f"ONNX Runtime {runtime.__version__}"
        self._session = runtime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._names = [output.name for output in self._session.get_outputs()]

    def stream(self, pictures: Iterable[tuple[T, np.ndarray]]) -> Iterator[tuple[T, dict[str, np.ndarray]]]:
        """The outputs for each picture (H, W, C), with its tag."""
        for tag, picture in pictures:
            outputs = self._session.run(self._names, {PICTURE: picture})
            yield tag, dict(zip(self._names, outputs, strict=True))
