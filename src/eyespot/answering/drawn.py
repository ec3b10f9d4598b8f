"""Boxes drawn into copies of their pictures and cut out of them, whoever found them; a detector's also as texts.

Those have the probability of each box as a sixth column. `labels` writes the texts of estimated boxes, without it.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from eyespot.answering.detections import BoxOptions, Detections
from eyespot.answering.detector import Detector
from eyespot.answering.opened import Opened
from eyespot.data.data_set import Picture
from eyespot.data.pictures import read_small, read_whole
from eyespot.errors import CannotWrite, UnreadablePicture
from eyespot.evaluate.lettering import drawable, font_for, own_font
from eyespot.files import make_folder, require_writable, write_chosen
from eyespot.names import as_file_name, told_apart
from eyespot.palette import Color, color_of
from eyespot.records import Levels

LARGEST_SIDE = 1600
"""Of a drawn copy, pixels: enough to judge by, and a few hundred kilobytes."""
QUALITY = 90
"""Of the JPEGs."""


def draw(picture: Image.Image, boxes: Sequence[tuple[Sequence[float], Color, str]]) -> Image.Image:
    """A copy with boxes and their words. boxes: each left, top, right and bottom in its pixels, color and words."""
    drawn = picture.convert("RGB")
    pen = ImageDraw.Draw(drawn)
    line = max(2, round(max(drawn.size) / 400))
    for xyxy, color, _ in boxes:
        left, top, right, bottom = xyxy
        pen.rectangle((left, top, max(left, right - 1), max(top, bottom - 1)), outline=color, width=line)
    name_boxes(drawn, boxes)  # after all lines, so that none crosses them
    return drawn


def name_boxes(drawn: Image.Image, boxes: Sequence[tuple[Sequence[float], Color, str]]) -> None:
    """Writes the words of boxes into the picture, above each or at its top; see `draw`."""
    pen, size = ImageDraw.Draw(drawn), max(11, round(max(drawn.size) / 55))
    for xyxy, color, words in boxes:
        font = font_for(words, size) or own_font(size)
        width, height = font.getlength(words) + 6, size + 4
        left = min(max(0.0, xyxy[0]), max(0.0, drawn.width - width))
        top = xyxy[1] - height if xyxy[1] >= height else xyxy[1]
        pen.rectangle((left, top, left + width, top + height), fill=color)
        pen.text((left + 3, top + height / 2), words, "white", font, anchor="lm")


def drawn_answer(
    data: bytes, answer: Detections, classes: Sequence[str], levels: Levels | None = None, *, remark: str = ""
) -> Image.Image:
    """The picture, at most `LARGEST_SIDE` pixels long, with what was found. Raises UnreadablePicture.

    remark: goes on after the probability of each box.
    """
    small = read_small(data, LARGEST_SIDE, levels)
    across, down = small.width / answer.width, small.height / answer.height
    boxes = [
        (
            [side * factor for side, factor in zip(box.xyxy, (across, down, across, down), strict=True)],
            color_of(classes.index(box.class_)),
            f"{drawable(box.class_, classes.index(box.class_))} {box.probability:.2f}{remark}",
        )
        for box in reversed(answer.detections)  # the surest on top
    ]
    return draw(small, boxes)


def require_room(options: BoxOptions) -> None:
    """Makes the folders that are to be written to. Raises CannotWrite, before any work."""
    for folder in (options.draw, options.save_txt, options.save_crop):
        if folder is not None:
            make_folder(Path(folder))


def write_answers(
    where: BoxOptions,
    answers: Sequence[Detections],
    sources: Mapping[str, Picture],
    model: Detector | Opened,
    *,
    remark: str = "",
) -> None:
    """Writes what was asked for, of each picture in which boxes were looked for. Raises CannotWrite.

    sources: the pictures by the names that they have in the answers. remark: see `drawn_answer`.
    """
    looked_at = [answer for answer in answers if answer.set_aside is None]
    stems = told_apart(as_file_name(Path(answer.picture).stem) for answer in looked_at)
    for answer, stem in zip(looked_at, stems, strict=True):
        writing = _Writing(answer, stem, model.classes, where.overwrite)
        if where.save_txt is not None:
            writing.text(Path(where.save_txt))
        if where.draw is None and where.save_crop is None:
            continue
        try:
            data = sources[answer.picture].read()
            levels = model.manifest.preprocess.levels
            if where.draw is not None:
                writing.drawn(Path(where.draw), drawn_answer(data, answer, model.classes, levels, remark=remark))
            if where.save_crop is not None and answer.detections:
                writing.crops(Path(where.save_crop), Image.fromarray(read_whole(data, "rgb", levels)))
        except (OSError, UnreadablePicture) as error:
            raise CannotWrite(f"{answer.picture} cannot be read again, to be drawn: {error}") from error


@dataclass(frozen=True)
class _Writing:
    """One answer, and the name of its files."""

    answer: Detections
    stem: str
    classes: Sequence[str]
    overwrite: bool

    def text(self, folder: Path) -> None:
        lines = [
            f"{self.answer.yolo_line(box, self.classes.index(box.class_))} {box.probability:.6f}\n"
            for box in self.answer.detections
        ]
        self._write(folder / f"{self.stem}.txt", "".join(lines).encode())

    def drawn(self, folder: Path, picture: Image.Image) -> None:
        self._write(folder / f"{self.stem}.jpg", _jpeg(picture))

    def crops(self, folder: Path, picture: Image.Image) -> None:
        for number, box in enumerate(self.answer.detections, start=1):
            left, top, right, bottom = (round(side) for side in box.xyxy)
            left, top = min(left, picture.width - 1), min(top, picture.height - 1)  # the last pixel, not beyond it
            cut = picture.crop((left, top, max(right, left + 1), max(bottom, top + 1)))
            kind = folder / as_file_name(box.class_)
            make_folder(kind)
            self._write(kind / f"{self.stem}-{number}.jpg", _jpeg(cut))

    def _write(self, path: Path, data: bytes) -> None:
        require_writable(path, overwrite=self.overwrite)
        write_chosen(path, data)


def _jpeg(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
