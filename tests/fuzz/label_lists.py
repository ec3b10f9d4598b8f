"""Lists of several labels in JSON, damaged in what they hold and as texts."""

from __future__ import annotations

from pathlib import Path
from random import Random

from fuzz.damage import as_json, changed, damaged_text
from fuzz.kinds import Kind
from fuzz.tables import LABELS, PICTURES, put_pictures
from fuzz.verbs import read_data


def documents() -> list[object]:
    """One of each form that is read."""
    listed = [
        {"file_name": name, "labels": [label, "wet"], "split": "train"}
        for name, label in zip(PICTURES, LABELS, strict=True)
    ]
    images = [{"id": number, "file_name": name} for number, name in enumerate(PICTURES)]
    annotations = [{"image_id": number % 6, "category_id": number % 2} for number in range(9)]
    return [
        listed,
        {"images": listed},
        {name: [label, "wet"] for name, label in zip(PICTURES, LABELS, strict=True)},
        {
            "images": images,
            "annotations": annotations,
            "categories": [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}],
        },
        [
            {"file_name": name, "attributes": {"wet": number % 2, "dark": -1 + 2 * (number % 3 == 0)}}
            for number, name in enumerate(PICTURES)
        ],
        [{"file_name": name, "tags": label} for name, label in zip(PICTURES, LABELS, strict=True)],
    ]


def write(chance: Random, folder: Path) -> Path:
    put_pictures(folder)
    document = chance.choice(documents())
    text = as_json(changed(document, chance) if chance.random() < 0.85 else document)
    path = folder / "labels.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass") if chance.random() < 0.7 else damaged_text(text, chance))
    return chance.choice((path, folder))


KINDS = {"label-json": Kind(write, read_data)}
