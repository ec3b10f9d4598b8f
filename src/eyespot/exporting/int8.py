"""A model in 8-bit whole numbers, by NNCF's post-training quantisation, which sees the ranges of values on pictures."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import sys
from collections.abc import Iterable
from typing import Any, cast

import numpy as np

from eyespot.engine.run import openvino_core
from eyespot.errors import MissingExtra

MOST_PICTURES = 300
"""That the ranges are seen on: NNCF's own default."""
_NOT_THE_RESIZE = r"resize\..*"


def quantized(xml: bytes, weights: bytes, pictures: Iterable[np.ndarray]) -> Any:
    """The OpenVINO model with convolutions and dense layers in int8; the resize stays as exact as it was.

    xml, weights: its two files.
    pictures: decoded, uint8 (H, W, C), at least one; the first `MOST_PICTURES` are seen. Gone through several times.
    Raises MissingExtra if NNCF is not installed.
    """
    nncf = _nncf()
    nncf.set_log_level(logging.ERROR)
    with contextlib.redirect_stdout(io.StringIO()):  # it would print its own progress among our results
        return nncf.quantize(
            openvino_core().read_model(xml, weights),
            nncf.Dataset(pictures),
            subset_size=MOST_PICTURES,
            ignored_scope=nncf.IgnoredScope(patterns=[_NOT_THE_RESIZE]),
        )


def _nncf() -> Any:
    """NNCF without its telemetry module, which would otherwise send what was done to its maker."""
    telemetry = "openvino_telemetry"
    if "nncf" in sys.modules:
        return sys.modules["nncf"]
    modules = cast("dict[str, object]", sys.modules)
    before = modules.get(telemetry)
    modules[telemetry] = None
    try:
        nncf = importlib.import_module("nncf")
    except ImportError as error:
        raise MissingExtra("quantising to int8", extra="int8") from error
    finally:
        del modules[telemetry]
        if before is not None:
            modules[telemetry] = before
    return nncf
