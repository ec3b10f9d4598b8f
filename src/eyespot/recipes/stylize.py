"""`stylize`: a photo painted as a painting, in one pass, or in steps within a time."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from eyespot import machine
from eyespot.data.data_set import Picture
from eyespot.data.pictures import naming, read_named, read_small
from eyespot.data.ranges import levels_of
from eyespot.data.sources import list_pictures
from eyespot.engine.compiled import compiled_folder
from eyespot.errors import CannotWrite, DataError, OptionError
from eyespot.files import chosen_file, require_writable, write_chosen
from eyespot.keywords import as_record
from eyespot.names import printable
from eyespot.progress import Progress, silent
from eyespot.records import SetAside
from eyespot.styling.colors import Pixels, where_masked, with_colors_of
from eyespot.styling.options import LEAST_SIDE, StylizedFolder, StylizeOptions, StylizeResult
from eyespot.styling.painter import Painter, Painting

LARGEST_PAINTING = 4096
"""Pixels of a painting's longer side; a larger one is reduced first."""


def stylize(
    photo: str | Path,
    *,
    style: str | Path | Sequence[str | Path],
    out: str | Path,
    overwrite: bool = False,
    progress: Progress = silent,
    **options: Any,
) -> StylizeResult | StylizedFolder:
    """A photo painted in the style of a painting, written as a PNG; or all photos of a folder.

    style: a painting, or several; a weight may follow each after a colon, `waves.jpg:0.3`.
    out: the PNG to write, or the folder, for a folder; one that is there is replaced only with `overwrite`. Painting
        in steps writes a picture several times, coarse to fine, so that there is one whenever you stop.
    options: those of StylizeOptions: `time` or `steps` for painting in steps, `strength`, `keep_colors`, ...
    Raises OptionError, DataError for a picture that cannot be read, MissingExtra.

    >>> eyespot.stylize("bridge.jpg", style="waves.jpg", out="painted.png").way
    'fast'
    """
    started = time.monotonic()
    chosen = as_record(StylizeOptions, options, verb=stylize)
    named = [style] if isinstance(style, str | Path) else list(style)
    is_folder = os.path.isdir(os.path.expanduser(photo))
    path = Path(os.path.expanduser(out)) if is_folder else chosen_file(out, ".png", option="out", overwrite=overwrite)
    paintings = _paintings(named)
    painter = Painter(paintings, chosen, cache_folder=compiled_folder(machine.cache_folder()))
    if is_folder:
        return _folder(photo, path, painter, chosen, overwrite=overwrite, progress=progress)
    _require_apart(path, photo, paintings)
    name, data = read_named(photo)
    return _one(name, data, path, painter, chosen, started=started, progress=progress)


def _one(
    name: str,
    data: bytes,
    path: Path,
    painter: Painter,
    options: StylizeOptions,
    *,
    started: float,
    progress: Progress,
) -> StylizeResult:
    """One photo, painted into `path`."""
    photo = _pixels(name, data, most=options.imgsz)
    write = _writing(photo, path, _mask(options.mask, photo), keep_colors=options.keep_colors)
    last = painter.paint(photo, write, started=started, progress=progress)
    return StylizeResult(
        photo=name,
        paintings=painter.names,
        out=printable(str(path)),
        way=options.way,
        width=photo.shape[1],
        height=photo.shape[0],
        steps=last.number if last else 0,
        style=round(last.style, 4) if last else None,
        content=round(last.content, 4) if last else None,
        seconds=round(time.monotonic() - started, 2),
    )


def _folder(
    folder: str | Path, out: Path, painter: Painter, options: StylizeOptions, *, overwrite: bool, progress: Progress
) -> StylizedFolder:
    """Every photo of a folder, each painted into a file of its name in `out`; one that cannot be is set aside."""
    found, left = list_pictures([folder])
    targets = _targets(found, out, overwrite=overwrite)
    read = {os.path.realpath(os.path.expanduser(each)) for each in painter.names}
    read |= {os.path.realpath(each.path) for each in found if each.path is not None}
    painted_over = next((each for each in targets if os.path.realpath(each) in read), None)
    if painted_over is not None:
        raise OptionError(f"{painted_over} is one of the pictures to paint with: choose another folder as out")
    done: list[StylizeResult] = []
    aside = list(left)
    for number, (picture, target) in enumerate(zip(found, targets, strict=True), start=1):

        def told(step: str, at: int, total: int, number: int = number) -> None:
            progress(f"{number} of {len(found)}, {step}", at, total)

        try:
            data = picture.read()
            done.append(_one(picture.name, data, target, painter, options, started=time.monotonic(), progress=told))
        except (DataError, OSError) as error:
            aside.append(SetAside(picture=picture.name, reason=str(error)))
        progress("painting", number, len(found))
    return StylizedFolder(pictures=tuple(done), set_aside=tuple(aside))


def _targets(pictures: Sequence[Picture], out: Path, *, overwrite: bool) -> list[Path]:
    """Where each is written to, known to be possible before any work. Raises CannotWrite, OptionError."""
    targets = [out / f"{Path(each.name).stem}.png" for each in pictures]
    twice = next((each for number, each in enumerate(targets) if each in targets[:number]), None)
    if twice is not None:
        raise OptionError(f"two photos would be painted into {twice}: give them different names, or paint them apart")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(f"{out} cannot be made: {error.strerror or error}") from error
    for target in targets:
        require_writable(target, overwrite=overwrite)
    return targets


def _writing(photo: Pixels, path: Path, mask: Pixels | None, *, keep_colors: bool) -> Callable[[Pixels], None]:
    """What writes a painted picture whole, as it is now."""

    def write(painted: Pixels) -> None:
        if keep_colors:
            painted = with_colors_of(photo, painted)
        if mask is not None:
            painted = where_masked(photo, painted, mask)
        file = io.BytesIO()
        Image.fromarray(painted).save(file, "PNG")
        write_chosen(path, file.getvalue())

    return write


def _paintings(given: Sequence[str | Path]) -> list[Painting]:
    """What is named, each with its weight. Raises OptionError, DataError."""
    if not given:
        raise OptionError("the option style must name at least one painting")
    paintings = []
    for each in given:
        path, weight = _path_and_weight(str(each))
        name, data = read_named(path)
        paintings.append(Painting(name, _pixels(name, data), weight))
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
