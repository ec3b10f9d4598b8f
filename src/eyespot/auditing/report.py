"""The page of an audit: the first pictures of each kind, small, beside what is said of them. It runs no script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eyespot.auditing.examine import Examined
from eyespot.auditing.gathered import Gathered
from eyespot.auditing.result import AuditResult
from eyespot.data.copies import Hashed
from eyespot.data.pictures import thumbnail
from eyespot.errors import UnreadablePicture
from eyespot.evaluate.doubts import Doubt
from eyespot.files import write_whole
from eyespot.records import Levels
from eyespot.reporting.curve import curve_svg
from eyespot.reporting.page import rendered

MOST_THUMBNAILS = 240
"""Of 128 pixels: about 4 kB each, so that the page stays below 2 MB."""
SIDE = 128
MOST_SAVED, MOST_SERIES, MOST_OF_ONE, MOST_DOUBTS, MOST_ODD, MOST_POOR = 10, 10, 5, 20, 15, 15
"""Shown of each kind; all are in audit.json."""


@dataclass(frozen=True)
class Small:
    """A picture as the page shows it."""

    name: str
    label: str
    """Its class; empty where it has none."""
    jpeg: bytes


@dataclass(frozen=True)
class Shown:
    """A row of small pictures, and what is said of them."""

    pictures: tuple[Small, ...]
    words: str


def write_report(path: Path, result: AuditResult, gathered: Gathered, examined: Examined) -> None:
    """The page at `path`, whole or not there."""
    write_whole(path, render(result, gathered, examined).encode())


def render(result: AuditResult, gathered: Gathered, examined: Examined) -> str:
    """The page as HTML."""
    from markupsafe import Markup

    draw = _Drawing(gathered.pictures, gathered.levels)
    return rendered(
        "auditing/audit.html.jinja",
        result=result,
        title=gathered.name,
        contradictory=[draw.files(same[:MOST_OF_ONE]) for same in gathered.contradictory[:MOST_SAVED]],
        saved=[draw.row((each.kept, *each.copies)[:MOST_OF_ONE]) for each in examined.saved[:MOST_SAVED]],
        doubts=[
            draw.row((each.row, *each.nearest), _doubt_words(each, gathered.classes))
            for each in examined.doubts[:MOST_DOUBTS]
        ],
        series=[draw.row(rows[:MOST_OF_ONE]) for rows in series_rows(examined, gathered)[:MOST_SERIES]],
        most_of_one=MOST_OF_ONE,
        odd=list(draw.each(examined.odd[:MOST_ODD])),
        poor=list(draw.each([each.row for each in examined.poor[:MOST_POOR]])),
        curve=Markup(curve_svg(examined.more)) if examined.more else None,
    )


def series_rows(examined: Examined, gathered: Gathered) -> list[list[int]]:
    """The rows of each series, the largest first."""
    found: dict[str, list[int]] = {}
    for row, each in enumerate(gathered.pictures):
        if each.content in examined.series.of:
            found.setdefault(examined.series.of[each.content], []).append(row)
    return sorted(found.values(), key=lambda rows: (-len(rows), rows))


def _doubt_words(doubt: Doubt, classes: Sequence[str]) -> str:
    likelier = f"{classes[doubt.likelier]} ({doubt.likelier_probability:.2f})"
    own = f"{doubt.agreeing} of the {doubt.neighbours} pictures most like it {'has' if doubt.agreeing == 1 else 'have'}"
    return f"{likelier} is likelier than its own class ({doubt.probability:.2f}), which {own}"


class _Drawing:
    """Small pictures, at most so many, each drawn once."""

    def __init__(self, pictures: Sequence[Hashed], levels: Levels | None) -> None:
        """levels: what is black and white in pictures with more than 8 bits."""
        self._pictures, self._levels = pictures, levels
        self._drawn: dict[int, Small | None] = {}

    def row(self, rows: Sequence[int], words: str = "") -> Shown:
        """Those pictures side by side."""
        return Shown(tuple(self.each(rows)), words)

    def files(self, same: Sequence[Hashed]) -> Shown:
        """Files of one content side by side, each with its class."""
        drawn = self._draw(same[0])
        named = ((each.picture.name, str(each.picture.label)) for each in same)
        return Shown(tuple(replace(drawn, name=name, label=label) for name, label in named if drawn), "")

    def each(self, rows: Sequence[int]) -> Iterator[Small]:
        """Those of the pictures that can be read, as long as there is room."""
        for row in rows:
            if row not in self._drawn and len(self._drawn) < MOST_THUMBNAILS:
                self._drawn[row] = self._draw(self._pictures[row])
            small = self._drawn.get(row)
            if small is not None:
                yield small

    def _draw(self, hashed: Hashed) -> Small | None:
        picture = hashed.picture
        try:
            return Small(picture.name, picture.label or "", thumbnail(picture.read(), SIDE, self._levels))
        except (OSError, UnreadablePicture):
            return None  # gone since it was read
