"""What `benchmark` measures: a network as a graph, and the engines here that can run it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eyespot import machine
from eyespot.building.create import create, require_torch
from eyespot.building.named import is_network, named_network, preprocess_of, read_run
from eyespot.bundle.run import Classifier, require_answer
from eyespot.engine.gate import INPUT
from eyespot.engine.run import Engine
from eyespot.records import PrecisionName, Preprocess
from eyespot.zoo.catalogue import TIMM
from eyespot.zoo.weights import of_network

if TYPE_CHECKING:
    from torch import nn

OPENVINO, ONNX_RUNTIME, TORCH = "openvino", "onnxruntime", "torch eager"

Batches = Callable[[int], None]
"""Answers this many batches, one after the other or several at a time, and returns when the last is done."""


@dataclass(frozen=True)
class Tested:
    """A network that is to be measured."""

    name: str
    weights: str
    """Where they come from, in words."""
    graph: bytes
    preprocess: Preprocess
    net: nn.Sequential | None
    """In torch; None for a run, which needs none."""

    @property
    def image_hwc(self) -> tuple[int, int, int]:
        return (*self.preprocess.crop_hw, self.preprocess.channels)


@dataclass(frozen=True)
class Contender:
    """An engine with a number format."""

    engine: str
    precision: PrecisionName
    batches: Callable[[np.ndarray], Batches]
    """Makes ready for batches like this one, uint8 (N, H, W, C)."""


def tested(network: str | Path) -> Tested:
    """A run or bundle with its weights, or a network of the catalogue with random ones.

    Raises NetworkError, with the nearest name, for what is neither; BundleError; MissingExtra.
    """
    if not is_network(network):
        bundle = read_run(network)
        manifest = bundle.manifest
        require_answer(Classifier(bundle, cache_folder=None).of_black(), bundle)
        return Tested(f"{manifest.name} ({manifest.network.name})", "trained", bundle.graph, manifest.preprocess, None)
    require_torch(f"looking into {network}")
    import torch

    from eyespot.engine.from_torch import to_onnx

    name = str(network)
    preprocess = _preprocess(name)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = create(name).eval()
    return Tested(name, "random: its speed is that of any weights", to_onnx(net, preprocess), preprocess, net)


def contenders(given: Tested, precisions: Sequence[PrecisionName]) -> tuple[list[Contender], list[str]]:
    """The engines that are installed, and sentences on those that are not."""
    found = [Contender(OPENVINO, each, _openvino(given, each)) for each in precisions]
    notes = []
    try:
        import onnxruntime

        found.append(Contender(ONNX_RUNTIME, "fp32", _onnx_runtime(given, onnxruntime)))
    except ModuleNotFoundError:
        notes.append("ONNX Runtime is not installed, so it was not measured: pip install onnxruntime")
    if given.net is not None:
        found += [Contender(TORCH, each, _torch(given, each)) for each in precisions]
    return found, notes


def _preprocess(name: str) -> Preprocess:
    """How images come to the network: as its published weights say, else plainly."""
    if name.startswith(TIMM) or of_network(name):
        return preprocess_of(name, None)
    channels, height, width = named_network(name).input_chw
    return Preprocess(
        short_side=max(height, width),
        crop_hw=(height, width),
        filter="bicubic",
        color="rgb" if channels == 3 else "gray",
        mean=(127.5,) * channels,
        scale=(127.5,) * channels,
    )


def _openvino(given: Tested, precision: PrecisionName) -> Callable[[np.ndarray], Batches]:
    def ready(images: np.ndarray) -> Batches:
        engine = Engine(given.graph, image_hwc=given.image_hwc, precision=precision, batch=len(images))
        return lambda count: _exhaust(engine.stream((None, images) for _ in range(count)))

    return ready


def _onnx_runtime(given: Tested, package: Any) -> Callable[[np.ndarray], Batches]:
    def ready(images: np.ndarray) -> Batches:
        options = package.SessionOptions()
        options.intra_op_num_threads = machine.cores()
        session = package.InferenceSession(given.graph, options, providers=["CPUExecutionProvider"])
        return lambda count: _exhaust(session.run(None, {INPUT: images}) for _ in range(count))

    return ready


def _torch(given: Tested, precision: PrecisionName) -> Callable[[np.ndarray], Batches]:
    """As most programs run a network: eager, channels first, normalised before; decoding is nobody's part here."""
    import torch

    net = given.net
    assert net is not None

    def ready(images: np.ndarray) -> Batches:
        mean, scale = (np.array(each, np.float32) for each in (given.preprocess.mean, given.preprocess.scale))
        x = torch.from_numpy(np.ascontiguousarray(((images - mean) / scale).transpose(0, 3, 1, 2)))  # (N, C, H, W)

        def batches(count: int) -> None:
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                for _ in range(count):
                    net(x)

        return batches

    return ready


def _exhaust(values: Any) -> None:
    deque(values, maxlen=0)
