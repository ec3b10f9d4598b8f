"""What `audit` returns; the keys are those of `--json` and of audit.json."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from eyespot.evaluate.learning_curve import FEWEST_PICTURES
from eyespot.evaluate.trust import MoreExpected
from eyespot.names import as_typed
from eyespot.records import Fraction, Metric, Part, Record, SetAside
from eyespot.words import counted, some

LIST = "exclude.csv"


class Contradictory(Record):
    """Files of the same bytes in several classes."""

    pictures: tuple[str, ...]
    classes: tuple[str, ...]
    """Of each."""


class SavedTwice(Record):
    """One picture that lies there several times, with other bytes."""

    pictures: tuple[str, ...]
    """The one to keep, and its copies."""
    classes: tuple[str, ...] | None
    """Of each; None where pictures have none."""


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
    neighbours: int
    """How many pictures most like it were asked."""
    agreeing: int
    """How many of those have its class."""


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
    reading: dict[str, str]
    """The options that say how it was read, of those that were given."""
    report: str
    list: str
    """Where a person decides what is left out."""
    pictures: int
    """Different ones, without those of `contradictory`."""
    classes: tuple[str, ...]
    """Of whole pictures, that have any."""
    parts: tuple[Part, ...]
    """That they are split into already."""
    boxes: tuple[BoxCount, ...]
    """Of each class, where the pictures have boxes; else empty."""
    identical: tuple[tuple[str, ...], ...]
    """Files that hold the same bytes."""
    contradictory: tuple[Contradictory, ...]
    """Those of them that stand in several classes, which decide nothing here."""
    saved_twice: tuple[SavedTwice, ...]
    small: int
    """Pictures that were too small to be compared."""
    series: tuple[tuple[str, ...], ...]
    """Pictures that show the same or were taken in a row, the largest series first."""
    torn: int
    """Series with pictures in several parts."""
    cut: int
    """Pictures that were so much alike that their weaker links were not believed."""
    doubtful: tuple[DoubtfulLabel, ...]
    """The most doubtful first."""
    odd: tuple[PoorPicture, ...]
    poor: tuple[PoorPicture, ...]
    warnings: tuple[str, ...]
    """What a network might learn instead of the thing."""
    by_files: Metric | None
    """How often a picture's class is told by its file alone: size, shape, bytes, camera; None where labels are not
    judged, or the pictures are no files of their own."""
    chance: Fraction | None
    """The same by guessing."""
    more: MoreExpected | None
    unjudged: str
    """Why labels were not judged; empty where they were."""
    too_few: tuple[str, ...]
    """Classes with too few pictures to judge a label of theirs."""
    untrainable: str
    """Why `train` would refuse the pictures; empty where nothing here says that it would."""
    decided: tuple[str, ...]
    """Pictures on which the list of an earlier audit decided, as the new one does."""
    set_aside: tuple[SetAside, ...]
    notes: tuple[str, ...]
    seconds: float

    @property
    def listed(self) -> int:
        """Pictures in the list."""
        doubtful = {each.picture for each in self.doubtful}
        odd = {each.picture for each in (*self.odd, *self.poor)}
        copies = {copy for each in self.saved_twice for copy in each.pictures[1:]}
        contradictory = {each.pictures[0] for each in self.contradictory}
        return len(doubtful | odd | copies | contradictory | {*self.decided})

    @property
    def on_list(self) -> str:
        """What the list is for, in words."""
        if self.boxes:
            return "the pictures to look at; a detector trains without one once it is out of the folder"
        if len(self.classes) < 2:
            return "the pictures to look at; once they have classes, an x in the column do leaves one out"
        if self.decided:
            earlier = counted(len(self.decided), "decision")
            return f"it has your {earlier} of an earlier list; put x, or another class, into the column do for others"
        return "put x, or another class, into the column do; nothing is left out until you do"

    @property
    def next_commands(self) -> tuple[tuple[str, str], ...]:
        """What to do now, as command, ready to be typed, and what it does."""
        reading = (f"--{name.replace('_', '-')} {as_typed(value)}" for name, value in self.reading.items())
        command = " ".join(["eyespot train", as_typed(self.data), *reading])
        if self.untrainable:
            return ()
        if self.boxes:
            return ((command, "this trains a detector, whose report shows which boxes to look at"),)
        if not self.listed:
            return ((command, "this trains on all of them"),)
        return ((f"{command} --exclude {as_typed(self.list)}", "this trains with what you write into the column do"),)

    @property
    def next_words(self) -> tuple[str, ...]:
        """The same in a line each."""
        do = "look at" if self.decided else "fill in"
        first = f"{do} the column do of {LIST}, then " if self.listed and not self.boxes else ""
        return tuple(f"{first}{command}" for command, _ in self.next_commands)

    def lines(self) -> Iterator[tuple[str, str]]:
        """A label and words for each thing that was found, in the order in which it matters."""
        yield from self._read_lines()
        yield from self._alike_lines()
        if self.unjudged:
            yield "Labels", self.unjudged
        elif self.doubtful:
            yield (
                "Labels",
                f"{counted(len(self.doubtful), 'picture')} whose label the others speak against: look at them",
            )
        else:
            yield "Labels", "none that the other pictures speak against"
        if self.too_few:
            few = some([repr(name) for name in self.too_few])
            yield "", f"those of {few} are not judged: fewer than five of their pictures show different things"
        if self.odd:
            yield "Odd", f"{counted(len(self.odd), 'picture')} unlike {'any class' if self.classes else 'the others'}"
        if self.poor:
            yield "Poor", f"{counted(len(self.poor), 'picture')} on which little can be seen"
        for warning in self.warnings:
            yield "Warning", warning
        if self.more:
            yield "More", str(self.more)
        elif not self.unjudged and self.pictures >= FEWEST_PICTURES:
            yield "More", f"too few to say: {FEWEST_PICTURES} pictures are needed, and those of a series count for few"

    def _read_lines(self) -> Iterator[tuple[str, str]]:
        read = counted(self.pictures, "picture")
        if self.classes:
            read += f" of {counted(len(self.classes), 'class', 'classes')}"
        if self.boxes:
            read += f" with {counted(sum(each.boxes for each in self.boxes), 'box', 'boxes')}"
        yield "Read", f"{read}, {self._copies_words()}"
        if self.boxes:
            yield "Boxes", some([f"{each.name} {each.boxes}" for each in sorted(self.boxes, key=lambda of: -of.boxes)])

    def _copies_words(self) -> str:
        """How many files are no further pictures: with the pictures, all that can be read."""
        torn = [name for each in self.contradictory for name in each.pictures]
        unused = {each.picture for each in self.set_aside} - {*torn}
        copies = counted(sum(name in unused for each in self.identical for name in each), "identical file")
        return f"{copies}, {counted(len(torn), 'file')} in several classes" if torn else copies

    def _alike_lines(self) -> Iterator[tuple[str, str]]:
        if self.contradictory:
            yield "Two classes", self._contradictory_words()
        if self.saved_twice:
            yield "Saved twice", self._saved_twice_words()
        if self.small:
            few = "picture is" if self.small == 1 else "pictures are"
            yield "Small", f"{self.small} {few} too small to be compared: no copies or series are looked for among them"
        if self.series:
            pictures = counted(sum(map(len, self.series)), "picture")
            said = f"{len(self.series)} series, {pictures} in all, that show the same or were taken in a row"
            yield "Series", f"{said}; {self.sides}"
        if self.cut:
            yield (
                "" if self.series else "Series",
                f"{counted(self.cut, 'picture')} are so much alike that only the likest are taken for series: --group "
                "says which belong together",
            )

    @property
    def sides(self) -> str:
        """What becomes of series where the pictures are split, in words."""
        if len(self.parts) < 2:
            return "train keeps each on one side"
        across = f"across your {some(self.parts)}"
        if not self.torn:
            return f"none lies {across}"
        return f"{self.torn} {'lies' if self.torn == 1 else 'lie'} {across}: what is tested there is nearly known"

    def _contradictory_words(self) -> str:
        count = counted(len(self.contradictory), "picture")
        stand = "stands" if len(self.contradictory) == 1 else "stand"
        named = [" with ".join(each.pictures) for each in self.contradictory]
        return (
            f"{count} {stand} in several classes with the same bytes: {some(named, most=2)}; train uses none of these "
            "files until the list says which class is right"
        )

    def _saved_twice_words(self) -> str:
        count = sum(len(each.pictures) - 1 for each in self.saved_twice)
        are = "picture is a copy of another" if count == 1 else "pictures are copies of others"
        torn = [
            f"{copy} with {each.pictures[0]}"
            for each in self.saved_twice
            for copy, label in zip(each.pictures[1:], (each.classes or ())[1:], strict=False)
            if each.classes and label != each.classes[0]
        ]
        in_other = f", and {len(torn)} in another class: {some(torn, most=2)}" if torn else ""
        return f"{count} {are}, with other bytes{in_other}"
