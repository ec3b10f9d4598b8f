"""Runs a frozen graph on batches of pictures, with OpenVINO on the CPU."""

from __future__ import annotations

import importlib
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from eyespot import machine
from eyespot.engine.compiled import compile_graph
from eyespot.records import PrecisionName

BATCH = 16
"""Pictures in a batch: measured fastest or equal for 224 px networks; smaller batches start sooner."""
HINTS: dict[PrecisionName, str] = {"fp32": "f32", "bf16": "bf16"}
T = TypeVar("T")


class Engine:
    """A graph compiled for this machine: batches of pictures in, named arrays out."""

    def __init__(
        self,
        graph: bytes,
        *,
        image_hwc: tuple[int, int, int],
        precision: PrecisionName,
        batch: int = BATCH,
        streams: int | None = None,
        cache_folder: Path | None = None,
    ) -> None:
        """graph: ONNX with one input `images`, uint8 (N, H, W, C).
        image_hwc: height, width and channels of every image.
        precision: number format of the arithmetic; bf16 only where `available_precisions` has it.
        batch: images per run; the last run of a stream is filled up with zeros.
        streams: runs at a time, which share the cores with whatever else goes on; by default all cores belong to the
            engine and work on a single image, or on several runs of more.
        cache_folder: where compiled graphs are kept, so that the next process starts at once.
        """
        self.batch, self.image_hwc = batch, image_hwc
        self._streams = streams or (1 if batch == 1 else min(machine.cores(), 2 * batch))
        options: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY" if batch == self._streams == 1 else "THROUGHPUT",
            "NUM_STREAMS": self._streams,
            "INFERENCE_NUM_THREADS": machine.cores(),
            "INFERENCE_PRECISION_HINT": HINTS[precision],
        }
        if streams is not None:  # what shares the cores with decoding would wait for a core that it is tied to
            options["ENABLE_CPU_PINNING"] = False
        self._compiled = compile_graph(
            _core(), graph, shape=(batch, *image_hwc), options=options, cache_folder=cache_folder
        )
        results = [output.node.friendly_name for output in self._compiled.outputs]
        self._names = [name.removesuffix("/sink_port_0") for name in results]  # a tensor can have other names, too
        self._free: deque[Any] = deque()  # requests that `run` made; to make one costs as much as a small network

    @property
    def row_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each output for one image."""
        shapes = (tuple(output.shape)[1:] for output in self._compiled.outputs)
        return dict(zip(self._names, shapes, strict=True))

    def run(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """The graph's outputs for images (N, H, W, C), N at most the engine's batch; each array has N rows.

        Safe to call from several threads at once.
        """
        try:
            request = self._free.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        request.infer([self._filled(images)])
        outputs = self._outputs(request, len(images))
        self._free.append(request)
        return outputs

    def stream(self, batches: Iterable[tuple[T, np.ndarray]]) -> Iterator[tuple[T, dict[str, np.ndarray]]]:
        """The outputs of many batches, each with the tag it came with, in order.

        batches: (tag, images (N, H, W, C)); taken as the engine becomes free, so a generator that decodes
        pictures works while the engine does.
        """
        # Requests in turn rather than OpenVINO's queue: that calls back into Python from its own threads, which can
        # abort or block a process that ends.
        free = [self._compiled.create_infer_request() for _ in range(self._streams + 1)]
        running: deque[tuple[T, int, Any]] = deque()
        try:
            for tag, images in batches:
                if not free:
                    yield self._finished(running, free)
                request = free.pop()
                request.start_async([self._filled(images)])
                running.append((tag, len(images), request))
            while running:
                yield self._finished(running, free)
        finally:
            for _, _, request in running:
                request.wait()

    def _finished(self, running: deque[tuple[T, int, Any]], free: list[Any]) -> tuple[T, dict[str, np.ndarray]]:
        tag, count, request = running.popleft()
        request.wait()
        outputs = self._outputs(request, count)
        free.append(request)
        return tag, outputs

    def _filled(self, images: np.ndarray) -> np.ndarray:
        missing = self.batch - len(images)
        assert missing >= 0
        if not missing:
            return images
        return np.concatenate([images, np.zeros((missing, *images.shape[1:]), images.dtype)])

    def _outputs(self, request: Any, count: int) -> dict[str, np.ndarray]:
        arrays = (request.get_output_tensor(index).data for index in range(len(self._names)))
        return {name: array[:count].copy() for name, array in zip(self._names, arrays, strict=True)}


def in_batches(tagged: Iterable[tuple[T, np.ndarray]], size: int) -> Iterator[tuple[list[T], np.ndarray]]:
    """Tagged images (H, W, C), stacked in batches (N, H, W, C) of at most `size`."""
    source = iter(tagged)
    while chunk := list(islice(source, size)):
        yield [tag for tag, _ in chunk], np.stack([image for _, image in chunk])


def available_precisions() -> tuple[PrecisionName, ...]:
    """The number formats this machine's engine has, the fastest first."""
    fastest = machine.fastest_precision(_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
    return ("bf16", "fp32") if fastest == "bf16" else ("fp32",)


def engine_version() -> str:
    """Name and version of the engine, part of every feature's key."""
    return f"openvino {_openvino().get_version().split('-')[0]}"


@cache
def _core() -> Any:
    return _openvino().Core()


@cache
def _openvino() -> Any:
    """OpenVINO without its model converter, which is optional there: it costs half of the import and brings
    a telemetry module that would otherwise be loaded, though not used."""
    converter = "openvino.tools.ovc"
    if "openvino" in sys.modules:
        return sys.modules["openvino"]
    modules = cast("dict[str, object]", sys.modules)
    modules[converter] = None
    try:
        return importlib.import_module("openvino")
    finally:
        del modules[converter]
