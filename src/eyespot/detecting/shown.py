"""What the report of a detector shows as pictures: what it got wrong, what it missed, what it found."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from eyespot.answering.box_evaluation import Judged
from eyespot.answering.drawn import draw, name_boxes
from eyespot.data.pictures import read_small
from eyespot.detecting.doubts import Doubts
from eyespot.errors import UnreadablePicture
from eyespot.evaluate.box_doubts import BoxDoubt, Why
from eyespot.evaluate.box_matches import Matches
from eyespot.evaluate.box_mistakes import missed_boxes, wrong_boxes
from eyespot.evaluate.lettering import drawable, shorten
from eyespot.palette import color_of
from eyespot.records import Levels

MOST = 12
"""Boxes of a kind that are shown, so that the report stays below a few megabytes."""
STRIP = 4
"""Pictures that show what was found."""
CROP_SIDE, STRIP_SIDE = 240, 420
"""Of the pictures in the report, pixels."""
AROUND = 3.0
"""What a cut-out shows is so many times as wide as its boxes."""
SMALLEST_CUT = 48
"""Of a picture's pixels, a side."""
QUALITY = 80
DASH = 6
"""Pixels of a broken line, and of its gaps."""
LONGEST_NAME = 40
"""Of a class, characters."""
DOUBTED: Mapping[Why, str] = {
    "another class": "Another class is found there",
    "nothing found": "Nothing is found there",
    "no box": "Something is found there, and no box",
}
WHY = {
    "duplicate": "found already by a surer box",
    "class": "lies on a thing of another class",
    "place": "lies beside a thing of its class",
    "nothing": "there is nothing of the kind, by the labels",
}


@dataclass(frozen=True)
class Cut:
    """A part of a picture with a box that somebody should look at."""

    picture: str
    label: str
    words: str
    image: bytes
    """A JPEG."""


@dataclass(frozen=True)
class Doubted:
    """Labels of one kind that somebody should look at."""

    title: str
    count: int
    """Of all of this kind."""
    cuts: tuple[Cut, ...]


@dataclass(frozen=True)
class Shown:
    """Pictures for the report."""

    wrong: tuple[Cut, ...]
    """The surest boxes that are wrong."""
    missed: tuple[Cut, ...]
    """The largest boxes that were missed."""
    found: tuple[Cut, ...]
    """Whole pictures with what was found in them."""


def shown(
    judged: Judged, matched: Matches, classes: Sequence[str], *, threshold: float, levels: Levels | None
) -> Shown:
    """matched: the matches of these pictures. threshold: boxes below this score are not answered."""
    wrong = wrong_boxes(judged.truths, judged.founds, matched, threshold=threshold)
    missed = missed_boxes(judged.truths, matched, threshold=threshold)
    drawing = _Drawing(judged, classes, threshold, levels)
    return Shown(
        wrong=tuple(
            drawing.cuts(
                (each.picture, each.truth, each.index, f"{each.score:.2f}: {WHY[each.kind]}") for each in wrong
            )
        ),
        missed=tuple(
            drawing.cuts(
                (
                    each.picture,
                    each.index,
                    None,
                    "no box" if each.score is None else f"only with a score of {each.score:.2f}",
                )
                for each in missed
            )
        ),
        found=tuple(drawing.strip()),
    )


def doubted(doubts: Doubts, classes: Sequence[str], *, threshold: float, levels: Levels | None) -> Iterator[Doubted]:
    """Kind after kind, the first of each as pictures."""
    drawing = _Drawing(doubts.judged, classes, threshold, levels)
    for why, title in DOUBTED.items():
        found = [each for each in doubts.found if each.why == why]
        cuts = drawing.cuts((each.picture, each.truth, each.found, drawing.words_on(each)) for each in found)
        if found:
            yield Doubted(title, len(found), tuple(cuts))


@dataclass(frozen=True)
class _Drawing:
    judged: Judged
    classes: Sequence[str]
    threshold: float
    levels: Levels | None

    def cuts(self, boxes: Iterator[tuple[int, int | None, int | None, str]]) -> Iterator[Cut]:
        """The first `MOST` whose pictures can be read: number of the picture, of its true box, of the answer, words."""
        made = 0
        for number, truth, answer, words in boxes:
            try:
                cut = self._cut(number, truth, answer, words)
            except (OSError, UnreadablePicture):
                continue  # gone since it was answered
            yield cut
            made += 1
            if made == MOST:
                return

    def words_on(self, doubt: BoxDoubt) -> str:
        """What is said of a doubtful label."""
        if doubt.found is None:
            return "by the label"
        if doubt.truth is None:
            return f"{doubt.score:.2f}: no box is there"
        label = int(np.asarray(self.judged.truths[doubt.picture].labels)[doubt.truth])
        return f"{doubt.score:.2f}: {shorten(self.classes[label], LONGEST_NAME)} by the label"

    def strip(self) -> Iterator[Cut]:
        """The first `STRIP` pictures that can be read, with what was found in them."""
        made = 0
        for number in range(len(self.judged.pictures)):
            if made == STRIP:
                return
            try:
                cut = self._whole(number)
            except (OSError, UnreadablePicture):
                continue  # gone since it was answered
            yield cut
            made += 1

    def _whole(self, number: int) -> Cut:
        """A picture with all that was found in it."""
        each, found = self.judged.pictures[number], self.judged.founds[number]
        small = read_small(each.picture.read(), STRIP_SIDE, self.levels)
        factors = np.tile([small.width / each.width, small.height / each.height], 2)
        sure = np.asarray(found.scores) >= self.threshold
        labels = np.asarray(found.labels)[sure].tolist()
        boxes = [
            (box, color_of(label), self._name(label))
            for box, label in zip((np.asarray(found.xyxy)[sure] * factors).tolist(), labels, strict=True)
        ]
        words = f"{len(labels)} found, {int((~each.boxes.ignored).sum())} by the labels"
        return Cut(each.picture.name, "", words, _jpeg(draw(small, boxes)))

    def _cut(self, number: int, truth: int | None, answer: int | None, words: str) -> Cut:
        """The true box is drawn with a broken line, the answer with a whole one."""
        each = self.judged.pictures[number]
        found, true = self.judged.founds[number], self.judged.truths[number]
        boxes = [np.asarray(found.xyxy)[answer]] if answer is not None else []
        labels = [int(np.asarray(found.labels)[answer])] if answer is not None else []
        if truth is not None:
            boxes.append(np.asarray(true.xyxy)[truth])
            labels.append(int(np.asarray(true.labels)[truth]))
        left, top, right, bottom = _around(np.array(boxes, float), each.width, each.height)
        whole = read_small(each.picture.read(), max(each.width, each.height), self.levels)
        piece = whole.crop((left, top, right, bottom))
        factor = CROP_SIDE / max(piece.size)
        piece = piece.resize((max(1, round(piece.width * factor)), max(1, round(piece.height * factor))))
        placed = [((box - [left, top, left, top]) * factor).tolist() for box in boxes]
        answered = [(placed[0], color_of(labels[0]), self._name(labels[0]))] if answer is not None else []
        drawn = draw(piece, answered)
        if truth is not None:
            _broken_line(drawn, placed[-1])
            name_boxes(drawn, answered)  # again, where the broken line crosses the name
        return Cut(each.picture.name, self.classes[labels[0]], words, _jpeg(drawn))

    def _name(self, label: int) -> str:
        return drawable(self.classes[label], label)


def _around(boxes: np.ndarray, width: int, height: int) -> tuple[int, int, int, int]:
    """A square part of the picture about the boxes (N, 4), cut to it: left, top, right, bottom."""
    low, high = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    side = max(SMALLEST_CUT, AROUND * float((high - low).max()))
    middle = (low + high) / 2
    left, top = (max(0, int(each - side / 2)) for each in middle)
    right, bottom = (min(most, int(each + side / 2) + 1) for each, most in zip(middle, (width, height), strict=True))
    return left, top, right, bottom


def _broken_line(image: Image.Image, box: Sequence[float]) -> None:
    """Draws a box in white and black pieces, which can be seen on anything."""
    pen, (left, top, right, bottom) = ImageDraw.Draw(image), box
    for number in range(int(max(right - left, bottom - top) // DASH) + 1):
        color, start = "white" if number % 2 else "black", number * DASH
        for y in (top, bottom - 1):
            if left + start < right:
                pen.line((left + start, y, min(right, left + start + DASH), y), color, 2)
        for x in (left, right - 1):
            if top + start < bottom:
                pen.line((x, top + start, x, min(bottom, top + start + DASH)), color, 2)


def _jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
