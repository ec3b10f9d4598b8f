"""What an experiment comes to, as a record: `--json` prints it."""

from __future__ import annotations

from eyespot.labs.definition import Answer, Language
from eyespot.records import Record, SetAside


class LabEntry(Record):
    """A line of the list of labs."""

    name: str
    chapter: str
    """Of the course."""
    question: str
    claim: str
    seconds: int
    """On the embedded digits with five seeds, about; measured on two cores."""


class Measured(Record):
    """A measure of one setting: its mean over the seeds, and its 95 % interval."""

    mean: float | None
    """None where this setting has no such measure."""
    low: float | None
    """None where one seed has no interval."""
    high: float | None


class CellResult(Record):
    """One setting of an experiment, and what was measured of it."""

    setting: dict[str, str | int | float]
    measures: dict[str, Measured]
    seconds: float
    """That a trial of it took, on average."""


class LabResult(Record):
    """The outcome of an experiment."""

    lab: str
    language: Language
    question: str
    claim: str
    rule: str
    """What had to come out for which verdict, written before the experiment."""
    data: str
    pictures: int
    classes: int
    test_pictures: int
    """Of each seed."""
    seeds: tuple[int, ...]
    """Those that are finished."""
    cells: tuple[CellResult, ...]
    answer: Answer
    verdict: str
    guesses: tuple[str, ...]
    guess: int | None
    """That of the person, from 1; None where none was given."""
    right_guess: int | None
    """None where the experiment cannot tell."""
    ended: str
    """Why there are fewer seeds than were asked for: "time", "ctrl-c", or empty."""
    set_aside: tuple[SetAside, ...]
    notes: tuple[str, ...]
    folder: str
    table: str
    plot: str
    report: str
    code: str
    """The file that is this experiment."""
    seconds: float
