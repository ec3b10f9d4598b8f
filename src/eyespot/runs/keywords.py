"""The options of `train` as keywords of Python, with the types that each takes: editors complete and check them.

What each means stands in `TrainOptions`, which has the same names; a test holds that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict

from eyespot.data.read_as import Layout

if TYPE_CHECKING:
    from torch import nn


class TrainKeywords(TypedDict, total=False):
    """None stands for the regime's own default."""

    model: str | nn.Module
    weights: str | Path | None
    imgsz: int | None
    regime: Literal["auto", "frozen", "partial", "full", "scratch"]
    freeze: str | int | None
    replace_tail: str | None
    time: float | str | None
    views: int | None
    head: Sequence[int]
    output: Literal["softmax", "sigmoid"]
    class_weight: Literal["auto", "none"]
    mirror: Literal["auto", "yes", "no"]
    augment: Literal["auto", "none", "photos", "photos-unmirrored", "small-photos", "digits", "shift"]
    growing: Literal["auto", "no"]
    epochs: int | None
    batch: int | None
    lr: float | None
    optimizer: Literal["sgd", "adam", "adamw", "muon"] | None
    schedule: Literal["one-cycle", "cosine", "linear", "step", "constant"] | None
    warmup: float | None
    weight_decay: float | None
    stage_factor: float | None
    smoothing: float | None
    mixup: float | None
    cutmix: float | None
    average: float | None
    dropout: float | None
    auxiliary: Literal["auto", "no"]
    patience: int | None
    device: Literal["auto", "cpu", "cuda", "mps"]
    layout: Layout
    image_column: str | None
    label_column: str | None
    split_column: str | None
    more: str | Path | Iterable[str | Path]
    exclude: str | Path | None
    yes: bool
    group: str | Path
    parts_of: str | Path | None
    seed: int
    precision: Literal["auto", "fp32", "bf16"]
    name: str | None
    out: str | Path
