"""Several data sets as one: pictures that come to a folder without being copied there, and the parts they get."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from eyespot.data.copies import FIRST_CLAIM, Hashed
from eyespot.data.data_set import DataSet, notes_on_case, sort_classes
from eyespot.data.handed_sets import Data, open_given
from eyespot.data.read_as import ReadAs
from eyespot.data.sources import open_data_set
from eyespot.data.split import ALONE, split
from eyespot.names import told_apart
from eyespot.records import Part, SetAside
from eyespot.words import counted, some


def open_joined(data: Data, how: ReadAs, *, more: Sequence[Path]) -> DataSet:
    """The labelled pictures of `data` and of all in `more`, under the name of the first. Raises DataError.

    how: how the first is to be read; of the others only its columns count, since their folders may lie otherwise.
    """
    data_set = open_given(data, how)
    for each in more:
        data_set = join(data_set, open_data_set(each, replace(how, layout="auto")))
    return data_set


def join(first: DataSet, second: DataSet) -> DataSet:
    """Both data sets under the name of the first one; the names of the second one's pictures begin with its name."""
    tops = sorted({each.name.partition("/")[0] for each in first.pictures})
    *_, above = told_apart([*tops, second.name])
    classes = sort_classes({*first.classes, *second.classes})
    return replace(
        first,
        pictures=(*first.pictures, *(replace(each, name=f"{above}/{each.name}") for each in second.pictures)),
        classes=classes,
        set_aside=(
            *first.set_aside,
            *(SetAside(picture=f"{above}/{each.picture}", reason=each.reason) for each in second.set_aside),
        ),
        notes=tuple(dict.fromkeys((*first.notes, *second.notes, *_notes(first, second), *notes_on_case(classes)))),
        mirror_changes_meaning=first.mirror_changes_meaning or second.mirror_changes_meaning,
    )


def split_joined(hashed: Sequence[Hashed], *, seed: int, group_of: Mapping[str, str] = ALONE) -> list[Hashed]:
    """The pictures with a part each. Those that have one keep it; the others are split as `split` does, into the parts
    that those have.

    group_of: the group of each content that has one. A picture without a part comes into the part of its group; of
    several into that which is read last, so that nothing that is tested has been seen.
    """
    by_claim = sorted(hashed, key=lambda each: FIRST_CLAIM[each.picture.part], reverse=True)
    home = {group_of[each.content]: each.picture.part for each in by_claim if each.content in group_of}
    hashed = [_in_part(each, each.picture.part or home.get(group_of.get(each.content, ""))) for each in hashed]
    placed = [each for each in hashed if each.picture.part is not None]
    rest = [each for each in hashed if each.picture.part is None]
    if not placed or not rest:
        return split(hashed, seed=seed, group_of=group_of)
    if all(each.picture.part != "test" for each in placed):
        rest = [_in_part(each, "train") for each in rest]
    parted = (*split(placed, seed=seed, group_of=group_of), *split(rest, seed=seed, group_of=group_of))
    by_content = {each.content: each for each in parted}
    return [by_content[each.content] for each in hashed]


def _in_part(each: Hashed, part: Part | None) -> Hashed:
    return each if part == each.picture.part else replace(each, picture=replace(each.picture, part=part))


def _notes(first: DataSet, second: DataSet) -> Iterator[str]:
    """Sentences on what comes to the first data set."""
    new = [repr(name) for name in second.classes if name not in first.classes]
    brings = f", with the new {'class' if len(new) == 1 else 'classes'} {some(new)}" if new else ""
    yield (
        f"{counted(len(second.pictures), 'picture')} of {second.name} {'is' if len(second.pictures) == 1 else 'are'} "
        f"read beside those of {first.name}{brings}; copies count once"
    )
