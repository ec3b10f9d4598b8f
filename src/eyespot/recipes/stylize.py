"""`stylize`: a photo painted as a painting, in one pass, or in steps within a time."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from eyespot import machine
from eyespot.data.pictures import naming, read_named, read_small
from eyespot.data.ranges import levels_of
from eyespot.engine.compiled import compiled_folder
from eyespot.errors import DataError, OptionError
from eyespot.files import chosen_file, write_chosen
from eyespot.keywords import as_record
from eyespot.names import printable
from eyespot.progress import Progress, silent
from eyespot.styling.colors import Pixels, where_masked, with_colors_of
from eyespot.styling.fast import FastPainter, blended
from eyespot.styling.options import LEAST_SIDE, StylizeOptions, StylizeResult
from eyespot.styling.published import is_installed

if TYPE_CHECKING:
    from eyespot.styling.optimise import Budget, Step

LARGEST_PAINTING = 4096
"""Pixels of a painting's longer side; more is reduced first."""
LEFT_FOR_WRITING = 0.3
"""Seconds of a time that are kept for the last picture's way to the disk."""


@dataclass(frozen=True)
class Painting:
    """A painting, and how much it counts beside others."""

    name: str
    data: bytes
    weight: float


@dataclass(frozen=True)
class Canvas:
    """A photo, and where it is painted to."""

    photo: Pixels
    path: Path
    mask: Pixels | None
    """White where the photo is painted."""
    keep_colors: bool
    started: float
    """What `time.monotonic` said."""

    def write(self, painted: Pixels) -> None:
        """Writes the picture as it is now, whole. Raises CannotWrite."""
        if self.keep_colors:
            painted = with_colors_of(self.photo, painted)
        if self.mask is not None:
            painted = where_masked(self.photo, painted, self.mask)
        file = io.BytesIO()
        Image.fromarray(painted).save(file, "PNG")
        write_chosen(self.path, file.getvalue())


def stylize(
    photo: str | Path,
    *,
    style: str | Path | Sequence[str | Path],
    out: str | Path,
    overwrite: bool = False,
    progress: Progress = silent,
    **options: Any,
) -> StylizeResult:
    """A photo painted in the style of a painting, written as a PNG.

    style: a painting, or several; a weight may follow each after a colon, `waves.jpg:0.3`.
    out: the PNG to write; one that is there is replaced only with `overwrite`. Painting in steps writes it several
        times, coarse to fine, so that there is one whenever you stop.
    options: those of StylizeOptions: `time` or `steps` for painting in steps, `strength`, `keep_colors`, ...
    Raises OptionError, DataError for a picture that cannot be read, MissingExtra.

    >>> eyespot.stylize("bridge.jpg", style="waves.jpg", out="painted.png").way
    'fast'
    """
    started = time.monotonic()
    chosen = as_record(StylizeOptions, options, verb=stylize)
    path = chosen_file(out, ".png", option="out", overwrite=overwrite)
    paintings = _paintings([style] if isinstance(style, str | Path) else list(style))
    name, data = read_named(photo)
    _require_apart(path, photo, paintings)
    own = _pixels(name, data, most=chosen.imgsz)
    canvas = Canvas(own, path, _mask(chosen.mask, own), chosen.keep_colors, started)
    last = None
    if chosen.strength == 0:
        canvas.write(own)
    elif chosen.way == "fast":
        canvas.write(_in_one_pass(own, paintings, chosen.strength))
    else:
        last = _in_steps(canvas, paintings, chosen, progress)
    return StylizeResult(
        photo=name,
        paintings=tuple(each.name for each in paintings),
        out=printable(str(path)),
        way=chosen.way,
        width=own.shape[1],
        height=own.shape[0],
        steps=last.number if last else 0,
        style=round(last.style, 4) if last else None,
        content=round(last.content, 4) if last else None,
        seconds=round(time.monotonic() - started, 2),
    )


def _in_one_pass(photo: Pixels, paintings: Sequence[Painting], strength: float) -> Pixels:
    painter = FastPainter(cache_folder=compiled_folder(machine.cache_folder()))
    style = blended([(painter.style_of(_pixels(each.name, each.data)), each.weight) for each in paintings])
    if strength < 1:
        style = blended([(style, strength), (painter.style_of(photo), 1 - strength)])
    return painter.painted(photo, style)


def _in_steps(canvas: Canvas, paintings: Sequence[Painting], options: StylizeOptions, progress: Progress) -> Step:
    """Paints onto the canvas after each size; the last step."""
    from eyespot.building.create import require_torch

    require_torch("painting in steps")
    from eyespot.styling.looking import opened
    from eyespot.styling.optimise import How, painted, sized

    begin = None
    if is_installed():
        begin = _in_one_pass(canvas.photo, paintings, options.strength)
        canvas.write(begin)  # the first preview
    looking = opened(options.network, options.stages)
    how = How(looking.stages, looking.content_stage, options.content, options.strength, options.strokes, options.seed)
    most = max(canvas.photo.shape)
    sources = [(sized(_pixels(each.name, each.data, most=most)), each.weight) for each in paintings]
    photo, budget = sized(canvas.photo), _budget(options, canvas.started)
    for step in painted(photo, sources, looking.see, how, budget, begin=None if begin is None else sized(begin)(1)):
        progress(f"painting: style {step.style:.2f}, content {step.content:.2f}", round(100 * step.spent), 100)
        if step.ends_size:
            canvas.write(step.picture)
    return step


def _budget(options: StylizeOptions, started: float) -> Budget:
    """The steps or the time that there is, from now on."""
    from eyespot.styling.optimise import StepBudget, TimeBudget

    if options.seconds is None:
        assert options.steps is not None
        return StepBudget(options.steps)
    return TimeBudget(time.monotonic(), started + options.seconds - LEFT_FOR_WRITING)


def _paintings(given: Sequence[str | Path]) -> list[Painting]:
    """What is named, each with its weight. Raises OptionError, DataError."""
    if not given:
        raise OptionError("the option style must name at least one painting")
    paintings = []
    for each in given:
        path, weight = _path_and_weight(str(each))
        name, data = read_named(path)
        paintings.append(Painting(name, data, weight))
    return paintings


def _path_and_weight(given: str) -> tuple[str, float]:
    path, colon, number = given.rpartition(":")
    if not colon or os.path.exists(os.path.expanduser(given)):
        return given, 1.0
    try:
        weight = float(number)
    except ValueError:
        return given, 1.0
    if not 0 < weight < float("inf"):
        raise OptionError(f"the weight of the painting {printable(path)} must be above 0, not {number}")
    return path, weight


def _require_apart(out: Path, photo: str | Path, paintings: Sequence[Painting]) -> None:
    """Raises OptionError where a picture is to be its own painting, or to be painted over."""
    own = os.path.realpath(os.path.expanduser(photo))
    for each in paintings:
        if os.path.realpath(os.path.expanduser(each.name)) == own:
            raise OptionError(f"{each.name} is both the photo and the painting: choose another painting")
    for path in (own, *(os.path.realpath(os.path.expanduser(each.name)) for each in paintings)):
        if os.path.realpath(out) == path:
            raise OptionError(f"the option out names {out}, which is one of the pictures to paint with: choose another")


def _pixels(name: str, data: bytes, *, most: int | None = None) -> Pixels:
    """A picture, upright, (H, W, 3), its longer side at most `most` pixels.

    Raises DataError if it cannot be read or is too small.
    """
    with naming(name):
        picture = read_small(data, most or LARGEST_PAINTING, levels_of(data))
    if min(picture.size) < LEAST_SIDE:
        raise DataError(
            f"{name} would have {picture.width} x {picture.height} pixels, and painting takes at least {LEAST_SIDE} on "
            "each side: choose a larger picture, or a larger --imgsz"
        )
    return np.asarray(picture)


def _mask(mask: str | Path | None, photo: Pixels) -> Pixels | None:
    """The mask at the photo's size, (H, W)."""
    if mask is None:
        return None
    name, data = read_named(mask)
    height, width = photo.shape[:2]
    with naming(name):
        picture = read_small(data, 2 * max(height, width), levels_of(data)).convert("L")
    if abs(picture.width * height - picture.height * width) > 0.02 * picture.width * height + max(height, width):
        raise OptionError(
            f"the mask {name} is {picture.width} x {picture.height} pixels, and the photo {width} x {height}: draw it "
            "on a copy of the photo, whose proportions it must have"
        )
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))
