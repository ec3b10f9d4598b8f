"""Runs a graph with OpenVINO on the CPU: a frozen one on batches of images, or a whole one on pictures of any size."""

from __future__ import annotations

import importlib
import math
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar, cast

import numpy as np

from eyespot import machine
from eyespot.engine.compiled import compile_graph
from eyespot.records import PrecisionName

BATCH = 16
"""Pictures that are handled together, at most: more are no faster, and fewer start sooner."""
PIXELS = 2 * 224**2
"""Of a batch in full precision: what a layer makes of it then stays near the processor. Of 224 pixels a side two were
1.1 to 1.2 times as fast as 16, of 128 four 1.2 times; of 64 sixteen are fastest.
`eyespot benchmark NET --batches 2,16` measures it."""
HINTS: dict[PrecisionName, str] = {"fp32": "f32", "bf16": "bf16"}
_IMPORTING = Lock()
T = TypeVar("T")


class Engine:
    """A graph compiled for this machine: batches of pictures in, named arrays out."""

    def __init__(
        self,
        graph: bytes,
        *,
        image_hwc: tuple[int, ...],
        precision: PrecisionName,
        batch: int | None = None,
        streams: int | None = None,
        cache_folder: Path | None = None,
        foreign: Path | None = None,
    ) -> None:
        """graph: ONNX with one input `images`, uint8 (N, H, W, C).
        image_hwc: height, width and channels of every image; the shape of one row where it takes no images.
        precision: number format of the arithmetic; bf16 only where `available_precisions` has it.
        batch: images per run, by default `usual_batch`; the last run of a stream is filled up with zeros.
        streams: runs at a time, a core each, which share the cores with whatever else goes on; by default all cores
            belong to the engine and work on a single image, or on several runs of more.
        cache_folder: where compiled graphs are kept, so that the next process starts at once.
        foreign: where a graph is that may be from elsewhere; see `compile_graph`.
        """
        batch = batch or usual_batch(image_hwc, precision)
        self.batch, self.image_hwc = batch, image_hwc
        at_once = streams or (1 if batch == 1 else min(machine.cores(), 2 * batch))
        options = _options(precision, hint="LATENCY" if batch == at_once == 1 else "THROUGHPUT", at_once=at_once)
        if streams is not None:  # what shares the cores with decoding would wait for a core that it is tied to
            options |= {"ENABLE_CPU_PINNING": False, "INFERENCE_NUM_THREADS": streams}
        self._compiled = compile_graph(
            openvino_core(),
            graph,
            shape=(batch, *image_hwc),
            options=options,
            cache_folder=cache_folder,
            foreign=foreign,
        )
        self._requests = Requests(self._compiled, count=at_once)

    @property
    def row_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each output for one image."""
        shapes = (tuple(output.shape)[1:] for output in self._compiled.outputs)
        return dict(zip(self._requests.names, shapes, strict=True))

    def run(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """The graph's outputs for images (N, H, W, C), N at most the engine's batch; each array has N rows.

        Safe to call from several threads at once.
        """
        outputs = self._requests.run(self._filled(images))
        return {name: array[: len(images)] for name, array in outputs.items()}

    def stream(self, batches: Iterable[tuple[T, np.ndarray]]) -> Iterator[tuple[T, dict[str, np.ndarray]]]:
        """The outputs of many batches, each with the tag it came with, in order.

        batches: (tag, images (N, H, W, C)); taken as the engine becomes free, so a generator that decodes
        pictures works while the engine does.
        """
        filled = (((tag, len(images)), self._filled(images)) for tag, images in batches)
        for (tag, count), outputs in self._requests.stream(filled):
            yield tag, {name: array[:count] for name, array in outputs.items()}

    def _filled(self, images: np.ndarray) -> np.ndarray:
        missing = self.batch - len(images)
        assert missing >= 0
        if not missing:
            return images
        return np.concatenate([images, np.zeros((missing, *images.shape[1:]), images.dtype)])


def usual_batch(image_hwc: tuple[int, ...], precision: PrecisionName) -> int:
    """How many images at a time are fastest, as far as was measured: at least two."""
    if precision != "fp32":
        return BATCH
    return max(2, min(BATCH, PIXELS // math.prod(image_hwc[:2])))


class WholeEngine:
    """A graph that resizes pictures itself, compiled for this machine: a picture in, named arrays out."""

    def __init__(
        self,
        graph: bytes,
        *,
        weights: bytes = b"",
        precision: PrecisionName = "fp32",
        cache_folder: Path | None = None,
        foreign: Path | None = None,
    ) -> None:
        """graph: ONNX with one input `picture`, uint8 (H, W, C), or OpenVINO's XML with its `weights`.
        precision: number format of the network; the resize counts in whole numbers in any.
        cache_folder: where compiled graphs are kept, so that the next process starts at once.
        foreign: where a graph is that may be from elsewhere; see `compile_graph`.
        """
        streams = machine.cores()
        options = _options(precision, hint="LATENCY", at_once=streams)
        compiled = compile_graph(
            openvino_core(),
            graph,
            weights=weights,
            shape=None,
            options=options,
            cache_folder=cache_folder,
            foreign=foreign,
        )
        self._requests = Requests(compiled, count=streams)

    def stream(self, pictures: Iterable[tuple[T, np.ndarray]]) -> Iterator[tuple[T, dict[str, np.ndarray]]]:
        """The outputs for each picture (H, W, C), each array of one row, with the tag it came with, in order."""
        return self._requests.stream(pictures)


class Requests:
    """Requests to a compiled graph, several at work at a time. Safe to use from several threads at once.

    They are taken in turn rather than put into OpenVINO's queue: that calls back into Python from its own threads,
    which can abort or block a process that ends.
    """

    def __init__(self, compiled: Any, *, count: int) -> None:
        """count: inputs that the graph works on at once."""
        self._compiled, self._count = compiled, count
        results = [output.node.friendly_name for output in compiled.outputs]
        self.names = [name.removesuffix("/sink_port_0") for name in results]  # a tensor can have other names, too
        self._free: deque[Any] = deque()  # those made before; to make one costs as much as a small network

    def run(self, array: np.ndarray) -> dict[str, np.ndarray]:
        """The outputs for one input array."""
        request = self._request()
        request.start_async([array])
        return self._finished(request)

    def stream(self, inputs: Iterable[tuple[T, np.ndarray]]) -> Iterator[tuple[T, dict[str, np.ndarray]]]:
        """The outputs for each input array, with the tag it came with, in order; taken as the graph becomes free."""
        running: deque[tuple[T, Any]] = deque()
        try:
            for tag, array in inputs:
                if len(running) > self._count:
                    yield self._first_of(running)
                request = self._request()
                request.start_async([array])
                running.append((tag, request))
            while running:
                yield self._first_of(running)
        finally:
            for _, request in running:
                request.wait()

    def _request(self) -> Any:
        try:
            return self._free.pop()
        except IndexError:
            return self._compiled.create_infer_request()

    def _first_of(self, running: deque[tuple[T, Any]]) -> tuple[T, dict[str, np.ndarray]]:
        tag, request = running.popleft()
        return tag, self._finished(request)

    def _finished(self, request: Any) -> dict[str, np.ndarray]:
        request.wait()
        arrays = (request.get_output_tensor(index).data for index in range(len(self.names)))
        outputs = {name: array.copy() for name, array in zip(self.names, arrays, strict=True)}
        self._free.append(request)
        return outputs


def _options(precision: PrecisionName, *, hint: str, at_once: int) -> dict[str, Any]:
    return {
        "PERFORMANCE_HINT": hint,
        "NUM_STREAMS": at_once,
        "INFERENCE_NUM_THREADS": machine.cores(),
        "INFERENCE_PRECISION_HINT": HINTS[precision],
    }


def in_batches(tagged: Iterable[tuple[T, np.ndarray]], size: int) -> Iterator[tuple[list[T], np.ndarray]]:
    """Tagged images (H, W, C), stacked in batches (N, H, W, C) of at most `size`."""
    source = iter(tagged)
    while chunk := list(islice(source, size)):
        yield [tag for tag, _ in chunk], np.stack([image for _, image in chunk])


def available_precisions() -> tuple[PrecisionName, ...]:
    """The number formats this machine's engine has, the fastest first."""
    capabilities = openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return ("bf16", "fp32") if "BF16" in capabilities else ("fp32",)


def engine_version() -> str:
    """Name and version of the engine, part of every feature's key."""
    return f"openvino {_openvino().get_version().split('-')[0]}"


def save_openvino(model: Any, path: Path) -> None:
    """Writes an OpenVINO model as `path`, XML, and a .bin beside it; no number changes."""
    _openvino().save_model(model, path, compress_to_fp16=False)


@cache
def openvino_core() -> Any:
    """OpenVINO's entry, one for the process.

    Snippets are off: they join operators that work number by number, of which convolutions have taken what helps. That
    takes them 10 s in a chain of 1,000. Networks are as fast without, to the bit, and compiled in half the time.
    """
    core = _openvino().Core()
    with suppress(RuntimeError):  # a version that does not know it
        core.set_property("CPU", {"SNIPPETS_MODE": "DISABLE"})
    return core


@cache
def _openvino() -> Any:
    """OpenVINO without its model converter, which is optional there: it costs half of the import and brings
    a telemetry module that would otherwise be loaded, though not used."""
    with _IMPORTING:
        if "openvino" in sys.modules:
            return importlib.import_module("openvino")  # which waits for one that another thread has begun
        converter, modules = "openvino.tools.ovc", cast("dict[str, object]", sys.modules)
        modules[converter] = None
        try:
            return importlib.import_module("openvino")
        finally:
            del modules[converter]
