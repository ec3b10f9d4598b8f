"""The options of `predict` as keywords of Python, with the types that each takes: editors complete and check them.

What each means stands in `RuleOptions` and `BoxOptions`, which have the same names; a test holds that.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypedDict

from eyespot.data.read_as import ReadKeywords


class ClusterKeywords(ReadKeywords, total=False):
    """How data are read, and where is computed."""

    cluster: str | None


class PredictKeywords(TypedDict, total=False):
    """None stands for the model's own default."""

    refuse: float | None
    threshold: float | Literal["auto"] | None
    set: float | None
    iou: float | None
    max_boxes: int | None
    draw: str | Path | None
    save_txt: str | Path | None
    save_crop: str | Path | None
    overwrite: bool
