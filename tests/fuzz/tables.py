"""Tables that name pictures: a CSV of any separator, lines of JSON, and the table of a folder, damaged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from fuzz.damage import DEEP, NAMES, NUMBERS, as_json, changed, damaged_text
from fuzz.kinds import Kind
from fuzz.pictures import tiny
from fuzz.verbs import read_data

PICTURES = ("a.png", "b.png", "c.png", "in/d.png", "in/e.png", "ä.png")
LABELS = ("cat", "dog", "cat", "dog", "cat", "dog")
PARTS = ("train", "train", "val", "test", "train", "train")


def put_pictures(folder: Path, names: Sequence[str] = PICTURES) -> None:
    """Small sound pictures."""
    for name, data in zip(names, (*tiny(), *tiny()), strict=False):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def rows(chance: Random) -> list[list[str]]:
    """Of a table, the columns' names first; some with odd cells."""
    columns = chance.choice((["image_path", "label"], ["image_path", "label", "split"], ["id", "cat", "dog"], ["file"]))
    filled = {
        **dict.fromkeys(("image_path", "id", "file"), PICTURES),
        **{"label": LABELS, "split": PARTS, "cat": "101010", "dog": "010101"},
    }
    found = [columns, *([filled[name][at] for name in columns] for at in range(len(PICTURES)))]
    if chance.random() < 0.3:  # several labels in a cell
        found = [[cell.replace("dog", "dog|cat") for cell in row] for row in found]
    for _ in range(chance.choice((0, 1, 2, 5))):
        row = chance.choice(found)
        row[chance.randrange(len(row))] = chance.choice((*NAMES, *NUMBERS))
    if chance.random() < 0.15:
        for row in found:
            row.insert(chance.randrange(len(row) + 1), row[0])
    if chance.random() < 0.15:
        chance.choice(found).append("")
    return found


def csv_text(chance: Random) -> str:
    separator = chance.choice(",,,;\t|")
    start = chance.choice(("", "", "", "", "sep=;\n", "\ufeff", "# a remark\n"))

    def cell(text: str) -> str:
        needed = any(each in text for each in (separator, '"', "\n"))
        return '"' + text.replace('"', '""') + '"' if needed and chance.random() < 0.9 else text

    return start + "".join(separator.join(map(cell, row)) + "\n" for row in rows(chance))


def json_lines(chance: Random) -> str:
    names, *cells = rows(chance)
    lines: list[object] = [dict(zip(names, row, strict=False)) for row in cells]
    if chance.random() < 0.8:
        lines = [changed(line, chance) if chance.random() < 0.4 else line for line in lines]
    if chance.random() < 0.1:
        depth = chance.choice(DEEP)
        lines.append({"image_path": "a.png", "label": None, "split": None})
        return "".join(as_json(line) + "\n" for line in lines).replace("null", "[" * depth + "]" * depth)
    return "".join(as_json(line) + "\n" for line in lines)


def writer(text: Callable[[Random], str], *names: str) -> Callable[[Random, Path], Path]:
    """What writes such a text beside pictures, under one of these names."""

    def write(chance: Random, folder: Path) -> Path:
        put_pictures(folder)
        path = folder / chance.choice(names)
        path.write_bytes(damaged_text(text(chance), chance))
        return path

    return write


def write_metadata(chance: Random, folder: Path) -> Path:
    """A folder with a table, or with folders train and test with one each."""
    for place in chance.choice(((".",), (".",), ("train", "test"), ("train", "test", "other"))):
        inside = folder / place
        inside.mkdir(exist_ok=True)
        put_pictures(inside)
        name, text = chance.choice((("metadata.jsonl", json_lines), ("metadata.csv", csv_text)))
        (inside / name).write_bytes(damaged_text(text(chance), chance))
    return folder


KINDS = {
    "csv": Kind(writer(csv_text, "t.csv", "t.csv", "t.tsv", "t.txt", "T.CSV"), read_data),
    "jsonl": Kind(writer(json_lines, "t.jsonl"), read_data),
    "metadata": Kind(write_metadata, read_data),
}
