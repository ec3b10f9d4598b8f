"""Descriptions of data with one thing other than it is meant: each odd value at each place, each encoding."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from random import Random

from fuzz.damage import ENCODINGS, NAMES, NUMBERS, Raw, as_json, encoded
from fuzz.kinds import Kind
from fuzz.label_lists import documents
from fuzz.lists import read_config, read_decided, read_grouped
from fuzz.tables import LABELS, PARTS, PICTURES, put_pictures
from fuzz.verbs import read_data

Write = Callable[[Path], Path]
VALUES: tuple[object, ...] = (
    *(None, True, -1, 2**53 + 1, 10**300, float("nan"), "", " ", "x" * 20_000, "\u202eä\n\x1b", "../a.png", "\ud800"),
    *([], {}, [[]], {"": {}}, [None, "a", 1], Raw("[" * 985 + "]" * 985), Raw('{"a":' * 960 + "1" + "}" * 960)),
    *(Raw("1" * 4_000), Raw("1" * 5_000), Raw("1e999"), Raw("-0.0")),
)
"""What stands where another JSON value was meant."""
_CSV = "image_path,label,split\n" + "".join(f"{','.join(row)}\n" for row in zip(PICTURES, LABELS, PARTS, strict=True))
_FLAGS = "image_path,cat,dog\n" + "".join(f"{name},{at % 2},{1 - at % 2}\n" for at, name in enumerate(PICTURES))
_DECISIONS = "content_hash,picture,class,why,likelier_class,do\n" + f"{'0' * 32},a.png,cat,odd,dog,x\n" * 2
_GROUPS = "picture,group\na.png,Anna\nin/b.png,Ben\n"
_CONFIG = "data: photos\nmodel: lenet5\nhead: [256, 128]\nlr: 0.01\n"
TEXTS = {
    "csv": ("t.csv", _CSV),
    "metadata": ("metadata.csv", _CSV.replace("image_path", "file_name")),
    "decisions": ("decisions.csv", _DECISIONS),
    "groups": ("groups.csv", _GROUPS),
    "config": ("train.yaml", _CONFIG),
}


def texts() -> Iterator[tuple[str, str, Write]]:
    """The kind, what is odd, and what writes it."""
    for kind, (name, text) in TEXTS.items():
        for what, data in _as_bytes(text):
            yield kind, what, _file(kind, name, data)
        for what, other in _other_texts(text, "," if kind != "config" else ": "):
            yield kind, what, _file(kind, name, other.encode("utf-8", "surrogatepass"))
    for what, other in _other_texts(_FLAGS, ","):
        yield "csv", f"flags: {what}", _file("csv", "t.csv", other.encode("utf-8", "surrogatepass"))


def values() -> Iterator[tuple[str, str, Write]]:
    """The same of JSON: each place of each document with each odd value, left out, and twice."""
    for number, document in enumerate(documents()):
        for what, text in _other_documents(document):
            yield "label-json", f"form {number}: {what}", _file("label-json", "labels.json", _utf8(text))
    for what, text in _other_documents(_coco()):
        yield "coco", what, _boxes(_utf8(text))
    row = {"image_path": "a.png", "label": "cat", "split": "train", "more": 1}
    sound = "".join(json.dumps({**row, "image_path": name}) + "\n" for name in PICTURES)
    for what, text in _other_documents(row):
        yield "jsonl", what, _file("jsonl", "t.jsonl", _utf8(f"{text}\n{sound}"))


def _as_bytes(text: str) -> Iterator[tuple[str, bytes]]:
    for encoding in ENCODINGS:
        yield encoding, encoded(text, encoding)
        yield f"{encoding} cut", encoded(text, encoding)[:-1]
    yield "two encodings", text.encode() + text.encode("utf-16")
    yield "two marks", b"\xef\xbb\xbf" * 2 + text.encode()
    yield "a mark of another", b"\xff\xfe" + text.encode()
    yield "nothing", b""
    yield "zeros", bytes(1000)
    yield "no text", bytes(range(256)) * 4


def _other_texts(text: str, separator: str) -> Iterator[tuple[str, str]]:
    first, rest = text.split("\n", 1)
    for end in ("\r\n", "\r", "\n\r", "\n\n", "\x85", "\u2028", "\x0b", "\0"):
        yield f"ends {end!r}", text.replace("\n", end)
        yield f"one end {end!r}", text.replace("\n", end, 1)
        yield f"in a line {end!r}", text.replace(separator, end + separator, 4)
    yield "no last end", text.rstrip("\n")
    yield "only the first line", first + "\n"
    yield "without the first line", rest
    yield "the first line twice", f"{first}\n{text}"
    yield "its columns twice", "".join(f"{line}{separator}{line}\n" for line in text.splitlines())
    yield "a quote that does not end", text.replace(separator, f'{separator}"', 3)
    yield "quotes over lines", text.replace("\n", '\n"\n"', 2)
    yield "one long line", text.replace("\n", separator)
    yield "a long word", text.replace(separator, "x" * 20_000 + separator, 2)
    yield "many columns", "".join(f"{line}{separator * 2001}x\n" for line in text.splitlines())
    for name in (*NAMES, *NUMBERS):
        yield f"first {name[:20]!r}", text.replace(separator, name + separator, 1)
        yield f"last {name[:20]!r}", text[: text.rindex(separator)] + separator + name + "\n"
        yield f"the word {name[:20]!r}", f"{first}\n{name}{rest[rest.index(separator) :]}"


def _other_documents(document: object) -> Iterator[tuple[str, str]]:
    for place in _places(document):
        for value in VALUES:
            yield f"{place} is {str(value)[:20]!r}", as_json(_with(document, place, value))
        if place:
            yield f"{place} is left out", as_json(_with(document, place, _NOTHING))
            yield f"{place} is called otherwise", as_json(_with(document, place, _NOTHING, more={"x" * 9000: 1}))
    text = as_json(document)
    yield "cut", text[:-1]
    yield "twice", text * 2
    yield "after a mark", "\ufeff" + text
    yield "a key twice", text.replace("{", '{"file_name": 1, "file_name": [], ', 1)


def write(chance: Random, folder: Path) -> Path:
    """Any of them."""
    return chance.choice(_all())[2](folder)


@cache
def _all() -> tuple[tuple[str, str, Write], ...]:
    return (*texts(), *values())


def read(path: Path) -> None:
    """As what the file's name says."""
    readers = {"decisions.csv": read_decided, "groups.csv": read_grouped, "train.yaml": read_config}
    readers.get(path.name, read_data)(path)


KINDS = {"structures": Kind(write, read)}
_NOTHING = object()


def _places(value: object, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The document, and what lies in it; of a list its first entry stands for all."""
    yield place
    if isinstance(value, dict):
        for key in value if len(value) < 6 else [next(iter(value))]:
            yield from _places(value[key], (*place, key))
    elif isinstance(value, list) and value:
        yield from _places(value[0], (*place, 0))


def _with(document: object, place: tuple[str | int, ...], value: object, more: object = None) -> object:
    if not place:
        return value
    key, *others = place
    if isinstance(document, dict):
        inner = _with(document[str(key)], tuple(others), value, more)
        kept = {name: each for name, each in document.items() if name != key or inner is not _NOTHING}
        return (kept | {key: inner}) if inner is not _NOTHING else {**kept, **(more if isinstance(more, dict) else {})}
    assert isinstance(document, list)
    inner = _with(document[int(key)], tuple(others), value, more)
    return [*([] if inner is _NOTHING else [inner]), *document[1:]]


def _coco() -> object:
    return {
        "images": [{"id": 1, "file_name": "a.png", "width": 8, "height": 6}, {"id": 2, "file_name": "in/d.png"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 4, 3], "iscrowd": 0},
            {"id": 2, "image_id": 2, "category_id": 2, "bbox": [0.5, 0, 7.5, 6]},
        ],
        "categories": [{"id": 1, "name": "cat", "supercategory": "animal"}, {"id": 2, "name": "dog"}],
    }


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _file(kind: str, name: str, data: bytes) -> Write:
    def write(folder: Path) -> Path:
        if kind in ("csv", "jsonl", "metadata", "label-json"):
            put_pictures(folder)
        (folder / name).write_bytes(data)
        return folder if kind == "metadata" else folder / name

    return write


def _boxes(data: bytes) -> Write:
    def write(folder: Path) -> Path:
        put_pictures(folder, ("a.png", "in/d.png"))
        (folder / "_annotations.coco.json").write_bytes(data)
        return folder

    return write
