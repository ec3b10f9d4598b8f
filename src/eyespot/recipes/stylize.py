"""`stylize`: a photo painted as a painting, in one pass, or in steps within a time."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from PIL import Image

from eyespot import machine
from eyespot.data.data_set import Picture
from eyespot.data.pictures import read_named
from eyespot.data.sources import list_pictures
from eyespot.engine.compiled import compiled_folder
from eyespot.errors import DataError, OptionError, Stopped
from eyespot.files import chosen_file, from_home, make_folder, require_writable, write_chosen
from eyespot.keywords import as_record
from eyespot.names import printable
from eyespot.progress import Progress, shows_progress, silent
from eyespot.records import SetAside
from eyespot.styling.colors import Pixels, where_masked, with_colors_of
from eyespot.styling.lesson_page import PAGE, Painted, require_lesson_folder, write_lesson
from eyespot.styling.losses import Losses
from eyespot.styling.notes import notes_on
from eyespot.styling.options import StylizedFolder, StylizeKeywords, StylizeOptions, StylizeResult
from eyespot.styling.painter import Painter, Painting
from eyespot.styling.reading import read_mask, read_paintings, read_pixels, require_mask
from eyespot.words import counted

if TYPE_CHECKING:
    from eyespot.styling.optimise import Step


@shows_progress
def stylize(
    photo: str | Path,
    *,
    style: str | Path | Sequence[str | Path],
    out: str | Path,
    overwrite: bool = False,
    progress: Progress = silent,
    **options: Unpack[StylizeKeywords],
) -> StylizeResult | Any:
    """A photo painted in the style of a painting, written as a PNG; or all photos of a folder.

    style: a painting, or several; a weight may follow each after a colon, `waves.jpg:0.3`.
    out: the PNG to write, or the folder, for a folder; one that is there is replaced only with `overwrite`. Painting
        in steps writes a picture several times, coarse to fine, so that there is one whenever you stop.
    Of a folder a StylizedFolder comes out.
    options: those of StylizeOptions: `time` or `steps` for painting in steps, `strength`, `keep_colors`, ...
    Raises OptionError, DataError for a picture that cannot be read, MissingExtra; Stopped on Ctrl-C, which says what is
    there.

    >>> eyespot.stylize("bridge.jpg", style="waves.jpg", out="painted.png").way
    'fast'
    """
    started = time.monotonic()
    chosen = as_record(StylizeOptions, options, verb=stylize)
    named = [style] if isinstance(style, str | Path) else list(style)
    is_folder = os.path.isdir(from_home(photo))
    path = from_home(out) if is_folder else chosen_file(out, ".png", option="out", overwrite=overwrite)
    paintings = read_paintings(named)
    painter = Painter(paintings, chosen, cache_folder=compiled_folder(machine.cache_folder()))
    if is_folder:
        return _folder(photo, path, painter, chosen, overwrite=overwrite, progress=progress)
    name, data = read_named(photo)
    files = _files(from_home(photo), path, paintings, chosen, overwrite=overwrite)
    return _one(name, data, files, painter, chosen, started=started, progress=progress)


@dataclass(frozen=True)
class _Files:
    """What is written of a photo: the picture, the losses, the folder of the lesson."""

    out: Path
    csv: Path | None = None
    explain: Path | None = None

    @property
    def page(self) -> Path | None:
        return self.explain / PAGE if self.explain else None


def _files(
    photo: Path, out: Path, paintings: Sequence[Painting], options: StylizeOptions, *, overwrite: bool
) -> _Files:
    """The files of one photo, known before any work to be possible and to take the place of no picture."""
    csv = None if options.csv is None else chosen_file(options.csv, ".csv", option="csv", overwrite=overwrite)
    explain = None if options.explain is None else from_home(options.explain)
    for each in paintings:
        if each.path is not None and os.path.realpath(each.path) == os.path.realpath(photo):
            raise OptionError(f"{each.name} is both the photo and the painting: choose another painting")
    read = _read_only(options, paintings, [photo])
    for option, file in (("out", out), ("csv", csv)):
        if file is not None and os.path.realpath(file) in read:
            raise OptionError(
                f"the option {option} names {file}, which is one of the pictures to paint with: choose another"
            )
    if explain is not None:
        require_lesson_folder(explain, apart={*read, os.path.realpath(out)}, overwrite=overwrite)
    return _Files(out, csv, explain)


def _read_only(options: StylizeOptions, paintings: Sequence[Painting], photos: Iterable[Path]) -> set[str]:
    """The files that are only read, each as it is without links."""
    mask = [] if options.mask is None else [from_home(options.mask)]
    named = [each.path for each in paintings if each.path is not None]
    return {os.path.realpath(each) for each in (*photos, *named, *mask)}


def _one(
    name: str,
    data: bytes,
    files: _Files,
    painter: Painter,
    options: StylizeOptions,
    *,
    started: float,
    progress: Progress,
) -> StylizeResult:
    """One photo, painted. Raises Stopped on Ctrl-C once there is a picture."""
    photo = read_pixels(name, data, most=options.imgsz)
    notes = notes_on(name, photo, {each.name: each.pixels for each in painter.paintings})
    losses = Losses(started)
    last = _painted(photo, files, painter, options, losses=losses, progress=progress)
    seconds = time.monotonic() - started
    if files.explain and last:
        _explain(photo, files, painter, Painted(name, painter.names, options), last, losses=losses, progress=progress)
    return StylizeResult(
        photo=name,
        paintings=painter.names,
        out=printable(str(files.out)),
        way=options.way,
        width=photo.shape[1],
        height=photo.shape[0],
        steps=last.number if last else 0,
        style=round(last.style, 4) if last else None,
        content=round(last.content, 4) if last else None,
        seconds=round(seconds, 2),
        csv=printable(str(files.csv)) if files.csv else None,
        explain=printable(str(files.page)) if files.page else None,
        notes=tuple(notes),
    )


def _painted(
    photo: Pixels, files: _Files, painter: Painter, options: StylizeOptions, *, losses: Losses, progress: Progress
) -> Step | None:
    """The last step, if there are steps; picture and losses are written, also where Ctrl-C comes."""
    result = _Result(photo, files.out, read_mask(options.mask, photo), options.keep_colors)
    try:
        return painter.paint(photo, result.write, started=losses.started, progress=progress, taken=losses.take)
    except KeyboardInterrupt:
        if result.is_there:
            raise Stopped(f"stopped: what was painted so far is in {files.out}") from None
        raise
    finally:
        if files.csv and losses.taken:
            write_chosen(files.csv, losses.csv())


def _explain(
    photo: Pixels,
    files: _Files,
    painter: Painter,
    painted: Painted,
    last: Step,
    *,
    losses: Losses,
    progress: Progress,
) -> None:
    """Writes the lesson on a picture that was painted in steps. Raises Stopped on Ctrl-C."""
    from eyespot.styling.lesson import Subject

    assert files.explain is not None
    paintings = [(each.pixels, each.weight) for each in painter.paintings]
    subject = Subject(photo, paintings, last.picture, painter.looking)
    try:
        write_lesson(files.explain, subject, losses, painted, progress=progress)
    except KeyboardInterrupt:
        raise Stopped(
            f"stopped: {files.out} is painted, and what there is of its explanation is in {files.page}"
        ) from None


def _folder(
    folder: str | Path, out: Path, painter: Painter, options: StylizeOptions, *, overwrite: bool, progress: Progress
) -> StylizedFolder:
    """Every photo of a folder, each painted into a file of its name in `out`; one that cannot be is set aside."""
    for option, given in (("csv", options.csv), ("explain", options.explain)):
        if given is not None:
            raise OptionError(f"the option {option} takes one photo, and {folder} is a folder: name one of its photos")
    require_mask(options.mask)
    found, left = list_pictures([folder])
    targets = _targets(found, out, overwrite=overwrite)
    read = _read_only(options, painter.paintings, (each.path for each in found if each.path is not None))
    painted_over = next((each for each in targets if os.path.realpath(each) in read), None)
    if painted_over is not None:
        raise OptionError(f"{painted_over} is one of the pictures to paint with: choose another folder as out")
    done: list[StylizeResult] = []
    aside = list(left)
    try:
        for number, (picture, target) in enumerate(zip(found, targets, strict=True), start=1):

            def told(step: str, at: int, total: int, number: int = number) -> None:
                progress(f"photo: {number} of {len(found)}, {step.removeprefix('painting: ')}", at, total)

            try:
                data, files = picture.read(), _Files(target)
                done.append(_one(picture.name, data, files, painter, options, started=time.monotonic(), progress=told))
            except (DataError, OSError) as error:
                aside.append(SetAside(picture=picture.name, reason=str(error).removeprefix(f"{picture.name} ")))
            progress("painting", number, len(found))
    except (KeyboardInterrupt, Stopped):
        raise Stopped(f"stopped: {len(done)} of {counted(len(found), 'photo')} are painted, in {out}") from None
    return StylizedFolder(pictures=tuple(done), set_aside=tuple(aside))


def _targets(pictures: Sequence[Picture], out: Path, *, overwrite: bool) -> list[Path]:
    """Where each is written to, known to be possible before any work. Raises CannotWrite, OptionError."""
    targets = [out / f"{Path(each.name).stem}.png" for each in pictures]
    twice = next((each for number, each in enumerate(targets) if each in targets[:number]), None)
    if twice is not None:
        raise OptionError(f"two photos would be painted into {twice}: give them different names, or paint them apart")
    make_folder(out)
    for target in targets:
        require_writable(target, overwrite=overwrite)
    return targets


@dataclass(eq=False)
class _Result:
    """The picture that is written, as often as it is painted anew."""

    photo: Pixels
    path: Path
    mask: Pixels | None
    keep_colors: bool
    is_there: bool = False

    def write(self, painted: Pixels) -> None:
        """Writes it whole, as it is now, at the photo's size."""
        height, width = self.photo.shape[:2]
        if painted.shape != self.photo.shape:  # of a smaller size, while it is painted from coarse to fine
            painted = np.asarray(Image.fromarray(painted).resize((width, height), Image.Resampling.BICUBIC))
        if self.keep_colors:
            painted = with_colors_of(self.photo, painted)
        if self.mask is not None:
            painted = where_masked(self.photo, painted, self.mask)
        file = io.BytesIO()
        Image.fromarray(painted).save(file, "PNG")
        write_chosen(self.path, file.getvalue())
        self.is_there = True
