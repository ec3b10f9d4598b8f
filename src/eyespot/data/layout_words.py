"""What is said about folders that can be read in two ways, or not at all, and about those that are left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from eyespot.data.data_set import PARTS
from eyespot.data.listing import Folder, Place
from eyespot.errors import UnclearFolders
from eyespot.records import Part
from eyespot.words import counted, some

_TABLE = re.compile(r"\.(csv|tsv|jsonl|parquet)$", re.IGNORECASE)
_LIKELY = re.compile("train|label|annot|class|meta", re.IGNORECASE)
_MASK = re.compile(r"[ _-](mask|segmentation|seg|gt)\.\w+$", re.IGNORECASE)


def notes_on_nested(place: Place) -> Iterator[str]:
    """A sentence on folders in class folders, where these hold nothing else."""
    inside = [place.inside(name) for name in place.folders if place.inside(name).only_holds_folders]
    inner = {name for each in inside for name in each.folders}
    if any(len(each.folders) > 1 for each in inside):
        deeper = ": --layout any/class makes these the classes" if len(inside) == len(place.folders) else ""
        yield (
            f"the classes are {some(place.folders)}; the folders in them ({some(sorted(inner))}) are no classes of "
            f"their own{deeper if not place.at else ''}"
        )


def notes_on_parts(
    place: Place, parts: Mapping[str, Part], ways: Mapping[str, Folder], others: list[str]
) -> Iterator[str]:
    if any(name.casefold() not in PARTS for name in parts):
        yield f"read as parts: {said(parts)}"
    for name in parts:
        if name not in ways:
            pictures = counted(place.inside(name).count, "picture")
            yield f"the folder '{name}' holds {pictures} and no class folders: it is left out, predict answers for it"
    yield from notes_on_nested(place.inside(*next(way for name, way in ways.items() if parts[name] == "train")))
    if others:
        are = "is" if len(others) == 1 else "are"
        yield f"{slashed(others)} {are} left out beside train/, val/ and test/"


def notes_on_masks(place: Place) -> Iterator[str]:
    masks = [name for name in place.listing.names if _MASK.search(name)]
    if len(masks) > len(place.listing.names) / 10:
        yield f"pictures such as {masks[0]} are learned like all others: move them away if they are masks"


def hint(place: Place) -> str:
    """What else may say the classes: a table, files of boxes, or the pictures' own names."""
    others = place.listing.others
    above = [replace(place, at=place.at[:depth]) for depth in range(len(place.at), -1, -1)]
    tables = [f"{each.name}/{name}" for each in above for name in each.files(others) if _TABLE.search(name)]
    if tables:
        likely = next((table for table in tables if _LIKELY.search(table.split("/")[-1])), tables[0])
        return f" ({likely} lies there, too: give its name to learn what it lists)"
    boxes = [name for name in place.files(others) if re.search(r"\.xml$|annotations.*json$", name, re.IGNORECASE)]
    if boxes:
        return f" ({counted(len(boxes), 'file')} beside them, as {boxes[0]}, may hold boxes, in no format that is read)"
    below = "".join(f"{name}/" for name in place.at)
    names = [name.split("/")[-1] for name in place.listing.names if name.startswith(below)]
    stems = [name.rpartition(".")[0] for name in names]
    words = {match[0] for stem in stems if stem[-1:].isdigit() and (match := re.match(r".*[^\W\d_]", stem))}
    if not 2 <= len(words) <= len(names) / 2:
        return ""
    return f" (their names begin with {some(sorted(words))}: if these are the classes, make a folder for each)"


def question(place: Place, what: str, answers: str) -> UnclearFolders:
    """What can be read in two ways, and how to say which one is meant."""
    return UnclearFolders(f"{place.name} can be read in two ways: {what}; give {answers}")


def slashed(folders: list[str]) -> str:
    return some([f"{name}/" for name in folders])


def said(parts: Mapping[str, Part]) -> str:
    return some([f"{name} is {part}" for name, part in sorted(parts.items())], most=8)
