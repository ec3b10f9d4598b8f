"""What the recipes that look into networks hand back, as records: the JSON of `--json`."""

from __future__ import annotations

from eyespot.arithmetic.table import Layer, Total
from eyespot.records import Fraction, Preprocess, Record


class Summary(Record):
    """The arithmetic of a network, for one image."""

    network: str
    input: tuple[int, int, int]
    """Channels, height and width, pixels."""
    total: Total
    stages: tuple[Layer, ...]
    """The layers folded to stages, with sums."""
    layers: tuple[Layer, ...]
    drawing: str | None
    """The SVG file that was written."""


class PictureMade(Record):
    """A picture of what a network holds or computes, as `kernels` and `feature-maps` write it."""

    out: str
    stage: str
    """The convolution whose kernels are shown, or the stage whose maps are."""
    shape: tuple[int, ...]
    """Of the kernels (out, in, H, W), or of the maps (C, H, W)."""
    columns: int
    rows: int
    scaling: str
    """How numbers became colors, in words."""


class WeightsResult(Record):
    """One published set of weights, and whether it is on this computer."""

    name: str
    """What `create` takes as `weights`."""
    form: str
    accuracy: Fraction
    """Top-1 on ImageNet's validation pictures, as published."""
    classes: int
    class_source: str
    licence: str
    source: str
    preprocess: Preprocess
    """How a picture becomes what the network expects with these weights."""
    ready: bool
    file: str
    """Where the file is, or has to be put; empty if it comes with an extra that is not installed."""
    url: str
    """Where it can be downloaded; empty if it comes with an extra."""
    extra: str
    """The extra that brings it; empty if it has to be downloaded."""


class NetworkResult(Record):
    """One network in one form."""

    name: str
    parameters: int
    multiply_adds: int
    """For one image of `input_chw`."""
    input_chw: tuple[int, int, int]
    """Channels, height and width, pixels."""
    year: int
    paper: str
    weights: tuple[WeightsResult, ...]
