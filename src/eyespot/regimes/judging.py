"""Which pictures are used, by their content: a person's decisions, copies, and the parts that a run gave them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from eyespot.bundle.files import read_bundle
from eyespot.bundle.manifest import Exclusion
from eyespot.data.changes import Changes
from eyespot.data.copies import Hashed, without_copies
from eyespot.data.deciding import Decided, decide
from eyespot.data.decisions import read_decisions
from eyespot.data.joined import split_joined
from eyespot.data.split import ALONE
from eyespot.names import printable
from eyespot.records import Part, SetAside
from eyespot.words import counted


@dataclass(frozen=True)
class Judged:
    """Pictures by what becomes of them; each content once."""

    kept: list[Hashed] = field(default_factory=list)
    """With the class that the person decided on, and the part that is known of them."""
    left_out: list[Hashed] = field(default_factory=list)
    """By the person."""
    relabelled: Mapping[str, str] = field(default_factory=dict)
    """Contents that have another class now, and the one that they had."""
    as_found: list[Hashed] = field(default_factory=list)
    """What would be used without the person's list, with the classes of the data; empty where nothing comes of it."""
    set_aside: list[SetAside] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    exclusion: Exclusion | None = None
    """None where no list was given."""

    def split(self, *, seed: int, group_of: Mapping[str, str] = ALONE) -> list[Hashed]:
        """Those that are kept and those that are left out, in the parts that they would have without the person's list.

        group_of: the group of each content that has one: its pictures come into the same part.
        """
        everything = [*self.kept, *self.left_out]
        decided = {each.content: str(each.picture.label) for each in everything}
        as_found = [_of_class(each, self.relabelled) for each in everything]
        return [_of_class(each, decided) for each in split_joined(as_found, seed=seed, group_of=group_of)]

    def apart(self, split: Sequence[Hashed]) -> tuple[list[Hashed], list[Hashed]]:
        """Of the pictures in their parts, those that are kept, and those that are left out."""
        gone = {each.content for each in self.left_out}
        return [each for each in split if each.content not in gone], [each for each in split if each.content in gone]


def judge_pictures(hashed: Sequence[Hashed], classes: Sequence[str], changes: Changes) -> Judged:
    """The pictures judged. classes: those of the data.

    Raises DataError and OptionError for a list that cannot be followed, BundleError where the run cannot be read.
    """
    decided, exclusion = _decided(hashed, classes, changes)
    kept, copies = without_copies(decided.kept)
    left_out = list({each.content: each for each in decided.left_out}.values())
    notes: list[str] = []
    if changes.parts_of is not None:
        known, notes = _with_parts_of(changes.parts_of, [*kept, *left_out], there={each.content for each in hashed})
        kept, left_out = known[: len(kept)], known[len(kept) :]
    return Judged(
        kept=kept,
        left_out=left_out,
        relabelled=decided.relabelled,
        as_found=without_copies(hashed)[0] if left_out or decided.relabelled else [],
        set_aside=[*decided.set_aside, *copies],
        notes=[*decided.notes, *notes],
        exclusion=exclusion,
    )


def _decided(hashed: Sequence[Hashed], classes: Sequence[str], changes: Changes) -> tuple[Decided, Exclusion | None]:
    """The pictures after the person's decisions, and what came of these; as they are where there is no list."""
    if changes.exclude is None:
        return Decided(list(hashed), [], {}, [], []), None
    decisions = read_decisions(changes.exclude, classes=classes)
    found = decide(hashed, decisions, yes=changes.yes)
    return found, Exclusion(sha256=decisions.sha256, left_out=len(found.left_out), relabelled=len(found.relabelled))


def _of_class(each: Hashed, class_of: Mapping[str, str]) -> Hashed:
    """The picture with the class that is known of its content, where one is."""
    label = class_of.get(each.content, each.picture.label)
    return each if label == each.picture.label else replace(each, picture=replace(each.picture, label=label))


def _with_parts_of(run: Path, hashed: Sequence[Hashed], *, there: set[str]) -> tuple[list[Hashed], list[str]]:
    """Each picture in the part that it had in the run, in order; those that were not there as they are. And notes.

    there: the contents of all files, those that are not used among them.
    """
    known, where = read_bundle(run).manifest.pictures, printable(str(run))
    held_out: tuple[Part, ...] = ("val", "test")
    if not any(map(known.count, held_out)):
        return list(hashed), [f"{where} held no pictures out, so the parts are drawn anew"]
    parts = known.parts(each.content for each in hashed)
    unused = sorted(there - {each.content for each in hashed})
    aside = known.parts(unused).count("test")
    gone = known.count("test") - parts.count("test") - aside
    return [
        replace(each, picture=replace(each.picture, part=part)) if part else each
        for each, part in zip(hashed, parts, strict=True)
    ], [
        f"{counted(count, 'picture')} that {where} was tested on {'is' if count == 1 else 'are'} {what}"
        for count, what in ((gone, "not there any more"), (aside, "set aside now: see why under Set aside"))
        if count
    ]
