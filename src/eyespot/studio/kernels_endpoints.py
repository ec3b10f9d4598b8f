"""What the screen KERNELS asks for: the kernels of a convolution, those that were kept of every epoch, and which named
ones they are like."""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property

import numpy as np
from fastapi import FastAPI, Response
from numpy.typing import NDArray

from eyespot.errors import DataError, RequestError
from eyespot.runs.kernels import KernelHistory, read_kernels
from eyespot.serve.query import whole
from eyespot.serve.replies import as_json
from eyespot.studio.asking import add_question, text_of
from eyespot.studio.desk import Desk

MOST_SHOWN = 64
MOST_PLANES, MOST_EPOCH = 10**9, 10**9


def add_to(app: FastAPI, desk: Desk) -> None:
    endpoints = _Endpoints(desk)
    add_question(app, "kernel_history", endpoints.kernel_history, ())
    add_question(app, "planes", endpoints.planes, ("layer", "first", "epoch"))


class _Endpoints:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def kernel_history(self, asked: dict[str, str]) -> Response:
        """The epochs of which kernels were kept, and of which layer; or that there are none, and why."""
        try:
            kept = self._kept
        except DataError as error:
            return as_json({"layer": None, "epochs": [], "said": str(error)})
        if kept is None:
            return as_json({"layer": None, "epochs": [], "said": None})
        return as_json({"layer": kept.layer, "epochs": kept.epochs, "said": None})

    def planes(self, asked: dict[str, str]) -> Response:
        """Some planes of a convolution's kernels, map by map, each with the named kernels that it is most like.

        `epoch`: as they were after that one, where they were kept; else as they are in the model.
        """
        from eyespot.arithmetic.nearest_kernel import nearest_kernels

        layer = text_of(asked, "layer")
        weight, most = self._weight(layer, asked.get("epoch"))
        maps, seen, height, width = weight.shape
        first = whole("first", asked.get("first", "0"), low=0, high=MOST_PLANES)
        shown = weight.reshape(maps * seen, height, width)[first : first + MOST_SHOWN]
        plain, turned = (nearest_kernels(shown, turned=each) for each in (False, True))
        together = maps // max(1, self._inputs(layer) // seen)
        planes = [
            {
                "map": number // seen,
                "source": number // seen // together * seen + number % seen,
                "values": values.ravel().tolist(),
                "nearest": one and asdict(one),
                "turned": other and asdict(other),
            }
            for number, values, one, other in zip(range(first, first + len(shown)), shown, plain, turned, strict=True)
        ]
        return as_json({"of": maps * seen, "kernel": [height, width], "most": most, "planes": planes})

    def _weight(self, layer: str, epoch: str | None) -> tuple[NDArray[np.float32], float]:
        """Kernels (maps, input maps of each, height, width), and the largest number that their colours reach to."""
        from eyespot.walking.walk import weight_of

        now = weight_of(self._desk.subject.net, layer)
        if now.ndim != 4:
            raise RequestError(404, f"the layer {layer[:60]!r} has no kernels with rows and columns")
        kept = self._kept_of(layer, now)
        if epoch is None:
            return now, _largest(now) if kept is None else _largest(kept.kernels, now)
        number = whole("epoch", epoch, low=0, high=MOST_EPOCH)
        if kept is None or number not in kept.epochs:
            raise RequestError(404, f"no kernels of the layer {layer[:60]!r} were kept after epoch {number}")
        return kept.kernels[kept.epochs.index(number)], _largest(kept.kernels, now)

    def _kept_of(self, layer: str, now: NDArray[np.float32]) -> KernelHistory | None:
        try:
            kept = self._kept
        except DataError:
            return None
        return kept if kept is not None and kept.layer == layer and kept.kernels.shape[1:] == now.shape else None

    @cached_property
    def _kept(self) -> KernelHistory | None:
        """Raises DataError for a file that is damaged."""
        folder = self._desk.history.folder
        return None if folder is None else read_kernels(folder)

    def _inputs(self, layer: str) -> int:
        """Maps that a layer sees in all."""
        return next((row.input[0] for row in self._desk.subject.rows if row.name == layer), 1)


def _largest(*kernels: NDArray[np.float32]) -> float:
    return max(float(np.abs(each).max(initial=0.0)) for each in kernels) or 1.0
