"""Boxes in the three formats, damaged in what they hold and as texts."""

from __future__ import annotations

from pathlib import Path
from random import Random

from fuzz.damage import NAMES, NUMBERS, as_json, changed, damaged_text
from fuzz.kinds import Kind
from fuzz.tables import put_pictures
from fuzz.verbs import read_data

PICTURES = ("train/images/a.png", "train/images/b.png", "val/images/c.png", "test/images/d.png")
BOX = "{} 0.5 0.5 0.25 0.5\n"


def _odd(chance: Random, text: str, likely: float = 0.5) -> bytes:
    return damaged_text(text, chance) if chance.random() < likely else text.encode("utf-8", "surrogatepass")


def write_yolo(chance: Random, folder: Path) -> Path:
    put_pictures(folder, PICTURES)
    for name in PICTURES:
        path = folder / name.replace("images", "labels").replace(".png", ".txt")
        path.parent.mkdir(exist_ok=True)
        lines = [BOX.format(chance.randrange(2)) for _ in range(chance.randrange(4))]
        if chance.random() < 0.3:
            lines.append(" ".join(chance.choice(NUMBERS) for _ in range(chance.choice((4, 5, 6, 7, 9)))) + "\n")
        path.write_bytes(_odd(chance, "".join(lines), 0.3))
    names = chance.choice(
        ("[cat, dog]", "{0: cat, 1: dog}", "\n  0: cat\n  1: dog", "\n- cat\n- 'dog'", '["cat", dog]')
    )
    if chance.random() < 0.2:
        names = f"[{chance.choice(NAMES)}, {chance.choice(NAMES)}]"
    parts = "train: train/images\nval: val/images\ntest: [test/images]\n"
    text = f"path: .\n{parts}nc: 2\nnames: {names}\n"
    if chance.random() < 0.1:
        (folder / "list.txt").write_bytes(_odd(chance, "".join(f"./{name}\n" for name in PICTURES)))
        text = text.replace("train/images\n", "list.txt\n", 1)
    if chance.random() < 0.9:
        (folder / "data.yaml").write_bytes(_odd(chance, text))
    else:
        (folder / "classes.txt").write_bytes(_odd(chance, "cat\ndog\n"))
    return folder


def write_coco(chance: Random, folder: Path) -> Path:
    put_pictures(folder, ("a.png", "b.png", "in/c.png"))
    document: object = {
        "images": [
            {"id": 1, "file_name": "a.png", "width": 8, "height": 6},
            {"id": 2, "file_name": "b.png", "width": 8, "height": 6},
            {"id": "3", "file_name": "in/c.png"},
        ],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 4, 3], "iscrowd": 0},
            {"id": 2, "image_id": 2, "category_id": 2, "bbox": [0.5, 0, 7.5, 6], "area": 45.0},
            {"id": 3, "image_id": "3", "category_id": 2, "bbox": [2, 2, 3, 3]},
        ],
        "categories": [{"id": 1, "name": "cat", "supercategory": "animal"}, {"id": 2, "name": "dog"}],
    }
    text = as_json(changed(document, chance) if chance.random() < 0.85 else document)
    path = folder / chance.choice(("_annotations.coco.json", "annotations/instances_train.json", "x.json"))
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(_odd(chance, text, 0.3))
    return folder


def write_voc(chance: Random, folder: Path) -> Path:
    names = ("JPEGImages/a.png", "JPEGImages/b.png", "JPEGImages/c.png")
    put_pictures(folder, names)
    (folder / "Annotations").mkdir()
    for name in names:
        numbers = [chance.choice(NUMBERS) if chance.random() < 0.1 else side for side in ("1", "1", "6", "5")]
        label = chance.choice(NAMES) if chance.random() < 0.15 else "cat"
        sides = "".join(
            f"<{side}>{n}</{side}>" for side, n in zip(("xmin", "ymin", "xmax", "ymax"), numbers, strict=True)
        )
        thing = f"<object><name>{label}</name><difficult>0</difficult><bndbox>{sides}</bndbox></object>"
        if chance.random() < 0.03:
            depth = chance.choice((31, 33, 1000, 100_000))
            thing = "<object>" * depth + thing + "</object>" * depth
        size = "<size><width>8</width><height>6</height><depth>3</depth></size>"
        text = f"<annotation><filename>{Path(name).name}</filename>{size}{thing}</annotation>\n"
        if chance.random() < 0.1:
            text = (
                chance.choice(('<?xml version="1.0" encoding="utf-7"?>', '<?xml version="1.0" encoding="x"?>')) + text
            )
        (folder / "Annotations" / f"{Path(name).stem}.xml").write_bytes(_odd(chance, text, 0.35))
    if chance.random() < 0.4:
        sets = folder / "ImageSets" / "Main"
        sets.mkdir(parents=True)
        for part in chance.sample(("train", "val", "test", "trainval"), 2):
            (sets / f"{part}.txt").write_bytes(_odd(chance, "a\nb 1\nc -1\n"))
    return folder


KINDS = {
    "yolo": Kind(write_yolo, read_data),
    "coco": Kind(write_coco, read_data),
    "voc": Kind(write_voc, read_data),
}
