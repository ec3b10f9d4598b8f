"""What `audit` returns; the keys are those of `--json` and of audit.json."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from eyespot.evaluate.trust import MoreExpected
from eyespot.names import as_typed
from eyespot.records import Fraction, Metric, Record, SetAside
from eyespot.words import counted, some


class SavedTwice(Record):
    """One picture that lies there twice, with other bytes."""

    pictures: tuple[str, str]
    classes: tuple[str, str] | None
    """Of the two; None where pictures have none."""


class DoubtfulLabel(Record):
    """A picture whose label the other pictures speak against."""

    picture: str
    class_: str = Field(serialization_alias="class")
    probability: Fraction
    """Of its class, by a head that had not trained on it."""
    likelier: str
    likelier_probability: Fraction
    nearest: tuple[str, ...]
    """The pictures most like it, with their classes: `dress (a.jpg)`."""


class PoorPicture(Record):
    """A picture of which little can be seen, or one unlike any class."""

    picture: str
    why: str


class BoxCount(Record):
    """The boxes of one class."""

    name: str
    boxes: int = Field(ge=0)
    """That are to be found."""


class AuditResult(Record):
    """What was found in a data set, without training a model on it."""

    data: str
    report: str
    list: str
    """Where a person decides what is left out."""
    pictures: int
    """Different ones."""
    classes: tuple[str, ...]
    """Of whole pictures."""
    boxes: tuple[BoxCount, ...]
    """Of each class, where the pictures have boxes; else empty."""
    identical: tuple[tuple[str, ...], ...]
    """Files that hold the same bytes."""
    saved_twice: tuple[SavedTwice, ...]
    series: tuple[tuple[str, ...], ...]
    """Pictures that show the same or were taken in a row, the largest series first."""
    cut: int
    """Pictures that were so much alike that their weaker links were not believed."""
    doubtful: tuple[DoubtfulLabel, ...]
    """The most doubtful first."""
    odd: tuple[PoorPicture, ...]
    poor: tuple[PoorPicture, ...]
    warnings: tuple[str, ...]
    """What a network might learn instead of the thing."""
    by_files: Metric | None
    """How often a picture's class is told by its file alone: size, shape, bytes, camera."""
    chance: Fraction | None
    """The same by guessing."""
    more: MoreExpected | None
    unjudged: str
    """Why labels were not judged; empty where they were."""
    set_aside: tuple[SetAside, ...]
    notes: tuple[str, ...]
    seconds: float

    @property
    def listed(self) -> int:
        """Pictures in the list."""
        doubtful = {each.picture for each in self.doubtful}
        twice = {each.pictures[1] for each in self.saved_twice}
        return len(doubtful | twice | {each.picture for each in (*self.odd, *self.poor)})

    @property
    def on_list(self) -> str:
        """What the list is for, in words."""
        if self.boxes:
            return "the pictures to look at; a detector trains without one once it is out of the folder"
        return "put x, or another class, into the column do; nothing is left out until you do"

    @property
    def next_commands(self) -> tuple[tuple[str, str], ...]:
        """What to do now, as command, ready to be typed, and what it does."""
        data = as_typed(self.data)
        if self.boxes:
            return ((f"eyespot train {data}", "trains a detector, whose report shows which boxes to look at"),)
        if len(self.classes) < 2:
            return ()
        command = f"eyespot train {data} --exclude {as_typed(self.list)}"
        return ((command, "trains with what you wrote into the column do of the list"),)

    def lines(self) -> Iterator[tuple[str, str]]:
        """A label and words for each thing that was found, in the order in which it matters."""
        yield from self._read_lines()
        if self.saved_twice:
            yield "Saved twice", self._saved_twice_words()
        if self.series:
            pictures = counted(sum(map(len, self.series)), "picture")
            yield (
                "Series",
                f"{len(self.series)} of {pictures} that show the same or were taken in a row; train keeps each on one "
                "side",
            )
        if self.cut:
            yield (
                "" if self.series else "Series",
                f"{counted(self.cut, 'picture')} are so much alike that only the likest are taken for series: --group "
                "says which belong together",
            )
        if self.unjudged:
            yield "Labels", self.unjudged
        elif self.doubtful:
            yield (
                "Labels",
                f"{counted(len(self.doubtful), 'picture')} whose label the others speak against: look at them",
            )
        else:
            yield "Labels", "none that the other pictures speak against"
        if self.odd:
            yield "Odd", f"{counted(len(self.odd), 'picture')} unlike {'any class' if self.classes else 'the others'}"
        if self.poor:
            yield "Poor", f"{counted(len(self.poor), 'picture')} on which little can be seen"
        for warning in self.warnings:
            yield "Warning", warning
        if self.more:
            yield "More", str(self.more)

    def _read_lines(self) -> Iterator[tuple[str, str]]:
        read = counted(self.pictures, "picture")
        if self.classes:
            read += f" of {len(self.classes)} classes"
        if self.boxes:
            read += f" with {counted(sum(each.boxes for each in self.boxes), 'box', 'boxes')}"
        yield "Read", f"{read}, {counted(sum(len(each) - 1 for each in self.identical), 'identical file')}"
        if self.boxes:
            yield "Boxes", some([f"{each.name} {each.boxes}" for each in sorted(self.boxes, key=lambda of: -of.boxes)])

    def _saved_twice_words(self) -> str:
        count = len(self.saved_twice)
        there = "picture lies there twice" if count == 1 else "pictures lie there twice"
        torn = [each for each in self.saved_twice if each.classes and len(set(each.classes)) > 1]
        if not torn:
            return f"{count} {there} with other bytes"
        named = [" and ".join(each.pictures) for each in torn]
        return f"{count} {there} with other bytes, and {len(torn)} in two classes: {some(named, most=2)}"
