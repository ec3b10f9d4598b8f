"""Which pictures are used, by their content: a person's decisions, copies, and the parts that a run gave them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eyespot.bundle.files import read_bundle
from eyespot.bundle.manifest import Exclusion
from eyespot.data.changes import Changes
from eyespot.data.copies import Hashed, without_copies
from eyespot.data.deciding import Decided, decide
from eyespot.data.decisions import read_decisions
from eyespot.names import printable
from eyespot.records import Part, SetAside
from eyespot.words import counted


@dataclass(frozen=True)
class Judged:
    """Pictures by what becomes of them; each content once."""

    kept: list[Hashed]
    """With the class that the person decided on, and the part that is known of them."""
    left_out: list[Hashed]
    """By the person."""
    relabelled: frozenset[str]
    """Contents that have another class now."""
    set_aside: list[SetAside]
    notes: list[str]
    exclusion: Exclusion | None
    """None where no list was given."""

    def notes_on_test(self, parted: Sequence[Hashed]) -> Iterator[str]:
        """A sentence where what is tested is no longer what the folders hold. parted: all pictures with their parts."""
        gone = {each.content for each in self.left_out}
        test = {each.content for each in parted if each.picture.part == "test"}
        if test & (gone | self.relabelled):
            yield (
                f"of the pictures to test on, your list leaves out {len(test & gone)} and gives "
                f"{len(test & self.relabelled)} another class: the figures on test are on pictures as you judged them, "
                "so they cannot be compared with those of a run without the list"
            )


def judge_pictures(hashed: Sequence[Hashed], classes: Sequence[str], changes: Changes) -> Judged:
    """The pictures judged. classes: those of the data.

    Raises DataError and OptionError for a list that cannot be followed, BundleError where the run cannot be read.
    """
    decided, exclusion = _decided(hashed, classes, changes)
    kept, copies = without_copies(decided.kept)
    left_out = list({each.content: each for each in decided.left_out}.values())
    notes: list[str] = []
    if changes.parts_of is not None:
        known, notes = _with_parts_of(changes.parts_of, [*kept, *left_out])
        kept, left_out = known[: len(kept)], known[len(kept) :]
    return Judged(
        kept, left_out, decided.relabelled, [*decided.set_aside, *copies], [*decided.notes, *notes], exclusion
    )


def _decided(hashed: Sequence[Hashed], classes: Sequence[str], changes: Changes) -> tuple[Decided, Exclusion | None]:
    """The pictures after the person's decisions, and what came of these; as they are where there is no list."""
    if changes.exclude is None:
        return Decided(list(hashed), [], frozenset(), [], []), None
    decisions = read_decisions(changes.exclude, classes=classes)
    found = decide(hashed, decisions, yes=changes.yes)
    return found, Exclusion(sha256=decisions.sha256, left_out=len(found.left_out), relabelled=len(found.relabelled))


def _with_parts_of(run: Path, hashed: Sequence[Hashed]) -> tuple[list[Hashed], list[str]]:
    """Each picture in the part that it had in the run, in order; those that were not there as they are. And notes."""
    known, where = read_bundle(run).manifest.pictures, printable(str(run))
    held_out: tuple[Part, ...] = ("val", "test")
    if not any(map(known.count, held_out)):
        return list(hashed), [f"{where} held no pictures out, so the parts are drawn anew"]
    parts = known.parts(each.content for each in hashed)
    test = known.count("test") - parts.count("test")
    notes = [f"{counted(test, 'picture')} that {where} was tested on {'is' if test == 1 else 'are'} not there any more"]
    return [
        replace(each, picture=replace(each.picture, part=part)) if part else each
        for each, part in zip(hashed, parts, strict=True)
    ], notes if test else []
