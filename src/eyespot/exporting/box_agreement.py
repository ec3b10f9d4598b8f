"""How far an exported detector's boxes in one runtime lie from those of its bundle, on a person's own pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from eyespot import machine
from eyespot.bundle.boxes import Cut, boxes_of
from eyespot.bundle.exported import ExportedDetector
from eyespot.bundle.exported_detector import WholeDetector, found_by_graph
from eyespot.bundle.files import DetectorBundle
from eyespot.data.copies import Hashed
from eyespot.data.framed import Framed, Whole, read_framed, read_whole_pictures
from eyespot.engine.compiled import compiled_folder
from eyespot.engine.gate import BOXES, SCORES
from eyespot.engine.run import Engine
from eyespot.errors import BundleError, DataError
from eyespot.evaluate.box_matches import Found
from eyespot.evaluate.boxes import iou
from eyespot.exporting.agreement import AHEAD, OnnxRuntime
from eyespot.features.decode import MOST_WHOLE, decode_with
from eyespot.progress import Progress
from eyespot.records import Record
from eyespot.words import counted

CLOSE = 1e-3
"""Largest difference of a score, and of a box's place as a share of the picture's longer side."""

Wholes = Iterable[tuple[int, Whole]]
Finding = Callable[[Wholes], Iterator[tuple[int, Found | str]]]
"""Decoded pictures of any size to the boxes of each, by its number, or why it has none."""


class BoxCheck(Record):
    """How an exported detector's boxes compare with the run's, in one runtime."""

    runtime: str
    pictures: int
    boxes: int
    """That the run finds."""
    same: int
    """Pictures with the same boxes and classes."""
    largest_difference: float
    """Of any score."""
    largest_shift: float
    """Of any side of a box, as a share of its picture's longer side."""
    close: tuple[str, ...]
    """Pictures with a box more or less whose score, or overlap with another, lies at the threshold but for rounding."""
    different: tuple[str, ...]
    """All others with other boxes; none in fp32, or nothing is written."""

    def __str__(self) -> str:
        return (
            f"{self.same} of {counted(self.pictures, 'picture')} have the same {counted(self.boxes, 'box', 'boxes')}, "
            f"scores differ by at most {self.largest_difference:.1g}, places by {self.largest_shift:.1g} of the longer "
            "side"
        )

    @property
    def why_close(self) -> str:
        """What is true of each picture in `close`."""
        return "has a box whose score or overlap lies at the threshold but for rounding, and it comes or goes"


@dataclass(frozen=True)
class Expected:
    """What the run finds in a picture."""

    found: Found
    picture_hw: tuple[int, int]


def boxes_of_bundle(bundle: DetectorBundle, pictures: Sequence[Hashed], progress: Progress) -> dict[int, Expected]:
    """The boxes in fp32 of every picture that has an answer, by its number."""
    preprocess = bundle.manifest.preprocess
    engine = Engine(
        bundle.graph,
        image_hwc=(*preprocess.crop_hw, preprocess.channels),
        precision="fp32",
        batch=1,
        cache_folder=compiled_folder(machine.cache_folder()),
    )
    work = [(each.picture, each.content) for each in pictures]
    decoded = decode_with(read_framed, work, preprocess, {}, ahead=AHEAD)
    expected: dict[int, Expected] = {}
    tagged = (((number, framed), framed.image[None]) for number, framed in decoded)
    for done, ((number, framed), outputs) in enumerate(engine.stream(tagged), start=1):
        found = _found_by_bundle(bundle, framed, outputs)
        if found is not None:
            expected[number] = Expected(found, framed.picture_hw)
        progress("asking the run", done, len(pictures))
    return expected


def in_onnx_runtime(runtime: OnnxRuntime) -> Finding:
    """The graph that is in there, asked for boxes."""

    def finding(pictures: Wholes) -> Iterator[tuple[int, Found | str]]:
        tagged = (((number, whole), whole.image) for number, whole in pictures)
        for (number, whole), outputs in runtime.stream(tagged):
            yield number, found_by_graph(outputs, whole)

    return finding


def in_openvino(exported: ExportedDetector) -> Finding:
    """An exported file, asked as whoever reads it will ask it."""

    return partial(WholeDetector(exported, cache_folder=None).stream, cut=Cut.of(exported.manifest))


def box_agreement(
    finding: Finding,
    expected: dict[int, Expected],
    *,
    runtime: str,
    pictures: Sequence[Hashed],
    bundle: DetectorBundle,
    progress: Progress,
    close: float = CLOSE,
) -> BoxCheck:
    """How the boxes of a model that takes whole pictures compare with the `expected` ones.

    finding: the model; runtime: its name, for the person who reads. bundle: the run's. close: see `CLOSE`.
    """
    cut, preprocess = Cut.of(bundle.manifest), bundle.manifest.preprocess
    work = [(each.picture, each.content) for each in pictures]
    decoded = decode_with(read_whole_pictures, work, preprocess, {}, ahead=MOST_WHOLE)
    compared: dict[int, Compared] = {}
    for done, (number, found) in enumerate(finding(decoded), start=1):
        if number in expected:  # others can be read only now
            compared[number] = compare_found(found, expected[number], cut, close=close)
        progress(f"asking {runtime}", done, len(pictures))
    if len(compared) < len(expected):
        raise DataError(
            f"{counted(len(expected) - len(compared), 'picture')} could be read for the run and not for {runtime}: "
            "nothing can be compared while pictures change or go: export again"
        )
    return _check(runtime, compared, expected, pictures)


def _check(
    runtime: str, compared: dict[int, Compared], expected: dict[int, Expected], pictures: Sequence[Hashed]
) -> BoxCheck:
    """What came out of all pictures, in that runtime."""
    named = {
        verdict: tuple(pictures[number].picture.name for number, each in compared.items() if each.verdict == verdict)
        for verdict in ("same", "close", "different")
    }
    return BoxCheck(
        runtime=runtime,
        pictures=len(expected),
        boxes=sum(len(np.asarray(each.found.scores)) for each in expected.values()),
        same=len(named["same"]),
        largest_difference=max((each.difference for each in compared.values()), default=0.0),
        largest_shift=max((each.shift for each in compared.values()), default=0.0),
        close=named["close"],
        different=named["different"],
    )


def require_box_agreement(check: BoxCheck) -> None:
    """Raises BundleError if the boxes of a picture are others."""
    if check.different:
        raise BundleError(
            f"the exported model finds other boxes than the run in {check.runtime}, in {len(check.different)} of "
            f"{check.pictures} pictures, {check.different[0]} among them, so nothing was written: please report it"
        )


@dataclass(frozen=True)
class Compared:
    """The boxes of one picture beside those of the run."""

    verdict: Literal["same", "close", "different"]
    difference: float = 0.0
    """The largest of any score, of boxes that are in both."""
    shift: float = 0.0
    """Of any side, as a share of the picture's longer side."""


def compare_found(found: Found | str, expected: Expected, cut: Cut, *, close: float = CLOSE) -> Compared:
    """Whether both say the same, but for rounding; close where a box is in one of them alone, and rounding decides."""
    if isinstance(found, str):
        return Compared("different")
    ours, theirs = _Rows.of(expected.found), _Rows.of(found)
    side = max(expected.picture_hw)
    pairs = _pairs(ours, theirs, side, close)
    difference = max((abs(float(ours.scores[a] - theirs.scores[b])) for a, b in pairs), default=0.0)
    shift = max((float(np.abs(ours.xyxy[a] - theirs.xyxy[b]).max()) / side for a, b in pairs), default=0.0)
    alone = ours.without([a for a, _ in pairs]).and_also(theirs.without([b for _, b in pairs]))
    if not len(alone.scores):
        return Compared("same", difference, shift)
    decided = _decided_by_rounding(alone, ours.and_also(theirs), cut, close)
    return Compared("close" if decided else "different", difference, shift)


@dataclass(frozen=True)
class _Rows:
    """The same as arrays."""

    xyxy: NDArray[np.float64]
    scores: NDArray[np.float64]
    labels: NDArray[np.int64]

    @classmethod
    def of(cls, found: Found) -> _Rows:
        return cls(
            np.asarray(found.xyxy, float).reshape(-1, 4), np.asarray(found.scores, float), np.asarray(found.labels)
        )

    def without(self, rows: list[int]) -> _Rows:
        left = np.delete(np.arange(len(self.scores)), rows)
        return _Rows(self.xyxy[left], self.scores[left], self.labels[left])

    def and_also(self, other: _Rows) -> _Rows:
        return _Rows(
            np.concatenate([self.xyxy, other.xyxy]),
            np.concatenate([self.scores, other.scores]),
            np.concatenate([self.labels, other.labels]),
        )


def _pairs(ours: _Rows, theirs: _Rows, side: int, close: float) -> list[tuple[int, int]]:
    """Rows that are the same box: of one class, score and place no further apart than `close`."""
    free = np.ones(len(theirs.scores), bool)
    pairs = []
    for row in range(len(ours.scores)):
        shift = np.abs(theirs.xyxy - ours.xyxy[row]).max(axis=1, initial=0) / side
        difference = np.abs(theirs.scores - ours.scores[row])
        fits = free & (theirs.labels == ours.labels[row]) & (shift <= close) & (difference <= close)
        if fits.any():
            best = int(np.where(fits, shift + difference, np.inf).argmin())
            free[best] = False
            pairs.append((row, best))
    return pairs


def _decided_by_rounding(alone: _Rows, all_boxes: _Rows, cut: Cut, close: float) -> bool:
    """Whether every box that only one of both has is there, or not, because of rounding.

    Its score lies at the threshold, or at the last one that is answered; or it overlaps another box of its class by as
    much as is allowed, or by more one that only one of both has, too, because of rounding.
    """
    pairs = (len(all_boxes.scores) - len(alone.scores)) // 2
    last = all_boxes.scores.min() if pairs + len(alone.scores) > cut.most else cut.threshold
    decided = (np.abs(alone.scores - cut.threshold) <= close) | (np.abs(alone.scores - last) <= close)
    overlaps = np.asarray(iou(alone.xyxy, all_boxes.xyxy)) * (alone.labels[:, None] == all_boxes.labels)
    decided |= (np.abs(overlaps - cut.iou) <= close).any(axis=1)
    among = np.asarray(iou(alone.xyxy, alone.xyxy)) * (alone.labels[:, None] == alone.labels) > cut.iou
    while True:
        more = decided | (among & decided).any(axis=1)
        if (more == decided).all():
            return bool(decided.all())
        decided = more


def _found_by_bundle(bundle: DetectorBundle, framed: Framed, outputs: dict[str, np.ndarray]) -> Found | None:
    boxes, scores = outputs[BOXES][0], outputs[SCORES][0]
    if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
        return None
    return boxes_of(framed, boxes, scores, Cut.of(bundle.manifest))
