"""What a person may say about an export, and what is told of one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from eyespot.data.handed_sets import Data
from eyespot.exporting.agreement import ExportCheck
from eyespot.exporting.box_agreement import BoxCheck
from eyespot.exporting.quantize import Int8Check
from eyespot.exporting.web import WebPage
from eyespot.records import Record


@dataclass(frozen=True)
class ExportOptions:
    """What only some formats take, or all of them seldom need."""

    int8: bool = False
    """Try 8-bit numbers; kept where they are as good and faster on this machine. Only for OpenVINO's files."""
    data: Data | None = None
    """Where the pictures are that the run was made on, if not where its `args.json` says."""
    runtime: str | Path | None = None
    """A folder with onnxruntime-web's files, for a page; None for those in eyespot's cache."""
    download: bool = False
    """Fetch those that the cache lacks."""


class ExportKeywords(TypedDict, total=False):
    """The options of ExportOptions as keywords of Python."""

    int8: bool
    data: Data | None
    runtime: str | Path | None
    download: bool


class ExportResult(Record):
    """The exported files, and the proof that they answer as the run does."""

    files: tuple[str, ...]
    bytes: int
    part: str
    """The run's pictures that were compared: val, where it has some."""
    checks: tuple[ExportCheck | BoxCheck, ...]
    """In fp32, a detector's of boxes; where int8 is kept, of the model that it was made from."""
    bf16: ExportCheck | None
    """None if this machine has no such arithmetic, and for a detector, whose places need fp32."""
    int8: Int8Check | None
    """None if it was not asked for."""
    web: WebPage | None
    """None but for a page."""
    notes: tuple[str, ...]
    seconds: float

    @property
    def is_detector(self) -> bool:
        return any(isinstance(check, BoxCheck) for check in self.checks)
