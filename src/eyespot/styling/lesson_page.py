"""The lesson of a painted picture as a folder: each figure as a file, and a page that tells it in order."""

from __future__ import annotations

import io
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from eyespot import machine
from eyespot.errors import CannotWrite, OptionError
from eyespot.files import make_folder, require_writable, write_chosen
from eyespot.names import printable
from eyespot.progress import Progress
from eyespot.reporting.lines import plot_png, plot_svg
from eyespot.reporting.page import rendered
from eyespot.styling.losses import Losses
from eyespot.styling.options import StylizeOptions

if TYPE_CHECKING:
    from eyespot.styling.colors import Pixels
    from eyespot.styling.lesson import Figure, Subject

PAGE = "index.html"
SHOWN_SIDE = 512
"""Longer side of photo, painting and result on the page, pixels."""
QUALITY = 85
"""Of the JPEGs on the page; the files in the folder are PNGs."""


@dataclass(frozen=True)
class Painted:
    """What the page says of how the picture was painted."""

    photo: str
    paintings: tuple[str, ...]
    options: StylizeOptions

    @property
    def title(self) -> str:
        """The photo's name without its folders."""
        return os.path.basename(self.photo)

    @property
    def changed_after(self) -> bool:
        """Whether colors were kept or a mask was used, which the figures know nothing of."""
        return self.options.keep_colors or self.options.mask is not None


def require_lesson_folder(folder: Path, *, apart: Collection[str], overwrite: bool) -> None:
    """Makes the folder, known before any work to take a lesson.

    apart: real paths of what may not lie in the folder, not even by a link: pictures that are only read, or are
        written for themselves.
    Raises OptionError, CannotWrite.
    """
    make_folder(folder)
    try:
        held = {os.path.realpath(each) for each in folder.iterdir()}
    except OSError as error:
        raise CannotWrite(f"{folder} cannot be read: {error.strerror or error}") from error
    for each in sorted(apart):
        if each in held or os.path.dirname(each) == os.path.realpath(folder):
            raise OptionError(
                f"the option explain names {folder}, where {printable(os.path.basename(each))} lies, or is to lie: "
                "choose another folder"
            )
    if held and not overwrite:
        raise CannotWrite(f"{folder} is there and not empty: choose another folder, or add --overwrite")
    require_writable(folder / PAGE, overwrite=True)


def write_lesson(folder: Path, subject: Subject, losses: Losses, painted: Painted, *, progress: Progress) -> None:
    """Writes each figure as soon as it is done, and the page at the end, or where Ctrl-C comes, with what there is."""
    from eyespot.styling.lesson import count, figures

    total = count(subject.looking)
    plot = losses.plot()
    write_chosen(folder / "losses.csv", losses.csv())
    write_chosen(folder / "losses.png", plot_png(plot))
    done: list[Figure] = []
    try:
        progress("explaining", 0, total)
        for figure in figures(subject, seed=painted.options.seed):
            write_chosen(folder / figure.file, figure.png)
            done.append(figure)
            progress("explaining", len(done), total)
    finally:
        write_chosen(folder / PAGE, _page(subject, painted, done, plot_svg(plot), whole=len(done) == total).encode())


def _page(subject: Subject, painted: Painted, done: Sequence[Figure], plot: str, *, whole: bool) -> str:
    """The page as HTML."""
    from markupsafe import Markup

    from eyespot.styling.lesson import PARTS, SIDE, STEPS

    parts = {part: [each for each in done if each.part == part] for part in PARTS}
    return rendered(
        "styling/lesson.html.jinja",
        painted=painted,
        looking=subject.looking,
        photo=_jpeg(subject.photo),
        paintings=[_jpeg(pixels) for pixels, _ in subject.paintings],
        result=_jpeg(subject.result),
        parts=parts,
        plot=Markup(plot),
        whole=whole,
        side=SIDE,
        steps=STEPS,
        machine=machine.describe(),
        small=lambda png: _jpeg_of(Image.open(io.BytesIO(png))),
    )


def _jpeg(pixels: Pixels) -> bytes:
    picture = Image.fromarray(pixels)
    picture.thumbnail((SHOWN_SIDE, SHOWN_SIDE), Image.Resampling.LANCZOS)
    return _jpeg_of(picture)


def _jpeg_of(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
