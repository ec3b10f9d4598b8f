"""What a list of decisions does to a data set: pictures left out, pictures of another class. No file is touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from eyespot.data.copies import Hashed, without_copies
from eyespot.data.decisions import LEAVE_OUT, Decision, Decisions
from eyespot.data.written_lists import name_key
from eyespot.errors import DataError, OptionError
from eyespot.names import brief
from eyespot.records import SetAside
from eyespot.words import counted, some

MOST_WITHOUT_ASKING = 0.5
"""Of a class: who leaves out more has perhaps filled the wrong column."""


@dataclass(frozen=True)
class Decided:
    """The pictures after the decisions."""

    kept: list[Hashed]
    """In the order that they had, some with another class."""
    left_out: list[Hashed]
    relabelled: Mapping[str, str]
    """Contents of kept pictures that have another class now, and the one that they had."""
    set_aside: list[SetAside]
    """Those that were left out, with the reason."""
    notes: list[str]


def decide(hashed: Sequence[Hashed], decisions: Decisions, *, yes: bool) -> Decided:
    """The pictures as the list has them, copies still among them.

    yes: more than half of a class may be left out.
    Raises OptionError where that was not said, DataError where a class has nothing left to train on.
    """
    by_content = decisions.by_content
    doomed = [each for each in hashed if (found := by_content.get(each.content)) and found.leaves_out]
    gone = {each.content for each in doomed}
    before = [each for each in hashed if each.content not in gone]
    kept = [_relabelled(each, by_content.get(each.content)) for each in before]
    moved = [(old, new) for old, new in zip(before, kept, strict=True) if old is not new]
    if not yes:
        _require_most_stay(hashed, doomed, decisions.where)
    _require_no_class_emptied(hashed, kept, decisions.where)
    return Decided(
        kept=kept,
        left_out=doomed,
        relabelled={old.content: str(old.picture.label) for old, _ in moved},
        set_aside=[SetAside(picture=each.picture.name, reason=_reason(by_content[each.content])) for each in doomed],
        notes=[
            *_notes_on_x(doomed, hashed),
            *_notes_on_moved(moved, decisions.where),
            *_notes_on_unused(hashed, decisions),
        ],
    )


def _relabelled(each: Hashed, decision: Decision | None) -> Hashed:
    if decision is None or decision.do == each.picture.label:
        return each
    return replace(each, picture=replace(each.picture, label=decision.do))


def _reason(decision: Decision) -> str:
    why = f": {brief(decision.why)}" if decision.why else ""
    return f"was left out by you{why}"


def _require_most_stay(hashed: Sequence[Hashed], left_out: Sequence[Hashed], where: str) -> None:
    had, gone = _per_class(hashed), _per_class(left_out)
    for name, count in gone.items():
        if count > MOST_WITHOUT_ASKING * had[name]:
            raise OptionError(
                f"{where} leaves out {count} of the {counted(had[name], 'picture')} of {name!r}, more than half: if "
                "that is meant, give the option yes (--yes), else look at its column do"
            )


def _require_no_class_emptied(hashed: Sequence[Hashed], kept: Sequence[Hashed], where: str) -> None:
    had, has = (
        _per_class([each for each in without_copies(pictures)[0] if each.picture.part in (None, "train")])
        for pictures in (hashed, kept)
    )
    for name in had:
        if not has[name]:
            raise DataError(
                f"{where} leaves no picture of {name!r} to train on: let some stay, or move that class's folder away"
            )


def _per_class(hashed: Sequence[Hashed]) -> Counter[str]:
    return Counter(str(each.picture.label) for each in hashed)


def _notes_on_x(left_out: Sequence[Hashed], hashed: Sequence[Hashed]) -> Iterator[str]:
    if left_out and any(each.picture.label == LEAVE_OUT for each in hashed):
        yield f"{LEAVE_OUT} in the column do leaves a picture out: it does not give it the class {LEAVE_OUT!r}"


def _notes_on_moved(moved: Sequence[tuple[Hashed, Hashed]], where: str) -> Iterator[str]:
    if moved:
        named = [f"{old.picture.name} is {new.picture.label!r}" for old, new in moved]
        has = "has" if len(moved) == 1 else "have"
        yield f"{counted(len(moved), 'picture')} {has} the class that {where} says: {some(named, most=3)}"


def _notes_on_unused(hashed: Sequence[Hashed], decisions: Decisions) -> Iterator[str]:
    """Sentences on decisions that nothing came of."""
    contents = {each.content for each in hashed}
    names = {name_key(each.picture.name) for each in hashed}
    unused = [each for content, each in decisions.by_content.items() if content not in contents]
    changed = [brief(each.picture) for each in unused if name_key(each.picture) in names]
    gone = [brief(each.picture) for each in unused if name_key(each.picture) not in names]
    if changed:
        they = "it was" if len(changed) == 1 else "they were"
        have = "has" if len(changed) == 1 else "have"
        yield (
            f"{counted(len(changed), 'picture')} of {decisions.where} {have} changed since {they} listed, so nothing "
            f"was done about {some(changed, most=3)}: look again"
        )
    if gone:
        are = "is" if len(gone) == 1 else "are"
        yield f"{counted(len(gone), 'picture')} of {decisions.where} {are} not in the data: {some(gone, most=3)}"
