"""Rows of the failure zoo: folders, lists, labels and splits."""

from __future__ import annotations

import csv
import os
import random
import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path

from PIL import Image, ImageChops, ImageEnhance
from zoo_ground import CLASSES, IN_PARTS, TRAIN, VAL, Case, Ground, Row, must, noted, only_those, set_aside

PAIRS, BURSTS, FRAMES = 30, 80, 3
"""Pictures that are saved twice; bursts of each class, and how many pictures one has."""


def _link_circle(ground: Ground, folder: Path) -> Case:
    data = ground.parts(folder / "data")
    (data / "train" / "circle" / "again").symlink_to(data, target_is_directory=True)
    return Case(data, ("train/circle/again",))


def _once(ground: Ground, case: Case) -> str:
    result = ground.train(case.data)
    must(result["pictures"]["used"] == IN_PARTS, f"{result['pictures']['used']} of {IN_PARTS} pictures were used")
    must(list(set_aside(result)) == list(case.odd), f"set aside: {set_aside(result)}")
    return f"each picture once; the link {set_aside(result)[case.odd[0]]}"


def _wrapped(ground: Ground, folder: Path) -> Case:
    ground.parts(folder / "data" / "photos" / "photos")
    return Case(folder / "data", ("photos/photos",))


def _gone_into(ground: Ground, case: Case) -> str:
    result = ground.train(case.data)
    must(result["classes"] == list(CLASSES), f"the classes are {result['classes']}")
    return noted(result, "all pictures lie in", "photos/photos")


def _empty_and_one(ground: Ground, folder: Path) -> Case:
    data = ground.parts(folder / "data")
    (data / "train" / "hexagon").mkdir()
    (data / "train" / "star").mkdir()
    shutil.copyfile(ground.photos("circle")[40], data / "train" / "star" / "1.jpg")
    return Case(data, ("train/hexagon", "train/star"))


def _both_named(ground: Ground, case: Case) -> str:
    result = ground.train(case.data)
    must(result["classes"] == sorted([*CLASSES, "star"]), f"the classes are {result['classes']}")
    return f"{noted(result, 'hexagon', 'no pictures')}; {noted(result, 'star', 'one picture')}"


def _numbers(ground: Ground, folder: Path) -> Case:
    return Case(ground.parts(folder / "data", classes=("1", "2", "10")))


def _by_number(ground: Ground, case: Case) -> str:
    result = ground.train(case.data)
    must(result["classes"] == ["1", "2", "10"], f"the classes are {result['classes']}")
    answers = ground.eyespot("predict", result["run"], case.data / "train" / "10", "--topk", "1", "--json").json
    right = sum(each["predictions"][0]["class"] == "10" for each in answers)
    must(right > TRAIN // 2, f"{right} of {TRAIN} pictures of folder 10 are called 10")
    return f"in the order 1, 2, 10; {right} of {TRAIN} pictures of folder 10 are called 10"


def _across(ground: Ground, folder: Path) -> Case:
    data = ground.parts(folder / "data")
    for number, path in enumerate(sorted((data / "val" / "circle").iterdir())[:3]):
        shutil.copyfile(path, data / "train" / "circle" / f"copy-{number}.jpg")
    return Case(data, tuple(f"train/circle/copy-{number}.jpg" for number in range(3)))


def _copies_out(ground: Ground, case: Case) -> str:
    return only_those(ground.train(case.data), case.odd, of=IN_PARTS + 3, word="copy")


def _two_labels(ground: Ground, folder: Path) -> Case:
    data = ground.parts(folder / "data")
    for label in ("circle", "square"):
        shutil.copyfile(ground.photos("circle")[40], data / "train" / label / "same.jpg")
    return Case(data, ("train/circle/same.jpg", "train/square/same.jpg"))


def _neither(ground: Ground, case: Case) -> str:
    return only_those(ground.train(case.data), case.odd, of=IN_PARTS + 2, word="two labels")


def _saved_again(ground: Ground, folder: Path) -> Case:
    """240 photos in a folder per class, of which 30 are there once more, a little smaller and with other settings."""
    data, chance = folder / "data", random.Random(0)
    shutil.copytree(ground.sample / "photos", data)
    chosen = chance.sample(sorted(data.glob("*/*")), PAIRS)
    for path in chosen:
        with Image.open(path) as picture:
            smaller = picture.resize((picture.width * 9 // 10, picture.height * 9 // 10))
            smaller.save(path.with_name(f"{path.stem}-shared.jpg"), quality=70)
    return Case(
        data, tuple(f"{path.parent.name}/{path.stem}{more}" for path in chosen for more in (path.suffix, "-shared.jpg"))
    )


def _bursts(ground: Ground, folder: Path) -> Case:
    """720 photos in bursts of three: the hand shakes, the light changes, half a second lies between."""
    chance, names = random.Random(0), list[str]()
    for day, label in enumerate(CLASSES, start=4):
        place = folder / "data" / label
        place.mkdir(parents=True)
        for burst, path in enumerate(ground.photos(label)[:BURSTS]):
            with Image.open(path) as picture:
                first = picture.convert("RGB")
            for frame in range(FRAMES):
                shaken = ImageChops.offset(first, chance.randrange(-3, 4), chance.randrange(-3, 4))
                lit = ImageEnhance.Brightness(shaken).enhance(chance.uniform(0.95, 1.05))
                exif = Image.Exif()
                exif[0x0132] = f"2026:05:{day:02} {9 + burst // 6:02}:{burst % 6 * 10:02}:{frame // 2:02}"
                lit.save(place / f"{burst:02}-{frame}.jpg", quality=90, exif=exif)
                names.append(f"{label}/{burst:02}-{frame}.jpg")
    return Case(folder / "data", tuple(names))


def torn(parts: dict[str, str], names: Iterable[str], size: int) -> int:
    """How many groups have pictures in more than one part. names: `size` of a group lie in a row."""
    listed = [parts.get(name, "") for name in names]
    return sum(len(set(listed[at : at + size]) - {""}) > 1 for at in range(0, len(listed), size))


def _kept_together(size: int) -> object:
    def act(ground: Ground, case: Case) -> str:
        out = case.data.parent / "out"
        result = ground.train(case.data, "--out", out, "--name", "split")
        with (out / "train" / "split" / "split.csv").open(encoding="utf-8", newline="") as file:
            parts = {row["picture"]: row["part"] for row in csv.DictReader(file)}
        must(set(parts.values()) == {"train", "val", "test"}, f"the parts are {set(parts.values())}")
        count, groups = torn(parts, case.odd, size), len(case.odd) // size
        must(count == 0, f"{count} of {groups} lie in two parts")
        must(result["test"] is not None, "nothing was tested")
        return f"0 of {groups} lie in two parts"

    return act


def _lists(ground: Ground, folder: Path) -> Case:
    """A CSV that names three pictures that are not there; and one of which no column is known."""
    data = ground.parts(folder / "data")
    paths = sorted(each.relative_to(data).as_posix() for each in data.rglob("*.*"))
    gone = tuple(f"train/circle/gone-{number}.jpg" for number in range(3))
    for name, head in (("labels.csv", "image_path,label"), ("other.csv", "what,ever")):
        lines = [f"{path},{path.split('/')[1]}" for path in (*paths, *gone)]
        (data / name).write_text("\n".join([head, *lines, ""]), encoding="utf-8")
    return Case(data / "labels.csv", gone)


def _by_line(ground: Ground, case: Case) -> str:
    named = [f"{name} ({case.data.name}, line {IN_PARTS + 2 + n})" for n, name in enumerate(case.odd)]
    words = only_those(ground.train(case.data), named, of=IN_PARTS + 3, word="does not exist")
    refused = ground.eyespot("train", case.data.with_name("other.csv"), "--quiet").refused("what", "ever")
    return f"{words}; of the other: {refused}"


def _boxes(ground: Ground, folder: Path) -> Case:
    """Boxes in YOLO's format: one partly outside, one wholly; and in another folder one of a class without a name."""
    for name, line in (("outside", "0 0.95 0.5 0.2 0.2\n0 1.4 0.5 0.1 0.1\n"), ("nameless", "7 0.5 0.5 0.2 0.2\n")):
        for part in ("train", "val"):
            for kind in ("images", "labels"):
                (folder / name / kind / part).mkdir(parents=True)
            for number, path in enumerate(ground.photos("circle" if part == "train" else "square")[:4]):
                shutil.copyfile(path, folder / name / "images" / part / f"{part}-{number}{path.suffix}")
                text = line if (part, number) == ("train", 0) else "0 0.5 0.5 0.4 0.4\n"
                (folder / name / "labels" / part / f"{part}-{number}.txt").write_text(text)
        yaml = f"path: {folder / name}\ntrain: images/train\nval: images/val\nnames: [ball, box, tent]\n"
        (folder / name / "data.yaml").write_text(yaml)
    return Case(folder / "outside", ("labels/train/train-0.txt",))


def _cut_and_named(ground: Ground, case: Case) -> str:
    out = case.data.with_name("converted")
    result = ground.eyespot("convert", "boxes", case.data, "--to", "coco", "--out", out, "--json").json
    must(sum(result["pictures"].values()) == 8, f"the pictures are {result['pictures']}")
    cut = noted(result, "cut")
    left_out = noted(result, "train-0.txt")
    nameless = case.data.with_name("nameless")
    refused = ground.eyespot("convert", "boxes", nameless, "--to", "coco", "--out", out.with_name("no")).refused(
        "train-0.txt", "7"
    )
    return f"{cut}; {left_out}; the other: {refused}"


def _other_order(ground: Ground, folder: Path) -> Case:
    """Pictures to validate on that lack the first class: the others' numbers are others now."""
    data = ground.parts(folder / "data")
    shutil.rmtree(data / "val" / "circle")
    return Case(data)


def _by_name(ground: Ground, case: Case) -> str:
    answers = ground.predict(case.data / "val")
    right = sum(Path(each["picture"]).parent.name == each["predictions"][0]["class"] for each in answers)
    result = ground.eyespot("val", ground.run, case.data / "val", "--json").json
    must(result["n"] == 2 * VAL, f"{result['n']} pictures were measured on")
    must(round(result["accuracy"] * result["n"]) == right, f"accuracy {result['accuracy']}, and {right} are right")
    return f"{right} of {2 * VAL} right, as the names of the folders say"


def _same_pictures(ground: Ground, folder: Path) -> Case:
    data = ground.parts(folder / "data")
    shutil.rmtree(data / "val")
    shutil.copytree(data / "train", data / "val")
    return Case(data)


def _told(ground: Ground, case: Case) -> str:
    out = case.data.parent / "out"
    ground.train(case.data / "train", "--out", out, "--name", "one")
    said = ground.eyespot("val", out / "train" / "one", case.data / "val", "--json")
    if said.status:
        return said.refused("trained on")
    return noted(said.json, "trained on")


def _zip(ground: Ground, folder: Path) -> Case:
    """An archive with a name that leads out of it and a link to a file of the machine."""
    path = folder / "inside" / "photos.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        for label in CLASSES:
            for photo in ground.photos(label)[:TRAIN]:
                archive.write(photo, f"{label}/{photo.name}")
        archive.write(ground.photos("circle")[40], "../../outside.jpg")
        link = zipfile.ZipInfo("circle/link.jpg")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, os.fspath(ground.photos("circle")[41]))
    return Case(path, ("../../outside.jpg", "circle/link.jpg"))


def _stays_inside(ground: Ground, case: Case) -> str:
    words = only_those(ground.train(case.data), case.odd, of=3 * TRAIN + 2)
    there = {each.name for each in case.data.parents[1].rglob("*")}
    must(there == {"inside", "photos.zip"}, f"there is now {sorted(there)}")
    return f"{words}; nothing was unpacked"


ROWS = (
    Row(
        "link-circle",
        "a link in a class folder leads to the folder around it",
        "engineer",
        "status 0; each picture is used once, the link is named",
        _link_circle,
        _once,
        "train",
    ),
    Row(
        "wrapped",
        "the unpacked folder lies in a folder in a folder",
        "student",
        "the three classes are found; a note says where",
        _wrapped,
        _gone_into,
        "train",
    ),
    Row(
        "empty-class",
        "a class has no picture, another one",
        "teacher",
        "status 0; both are named in a note, the empty one is no class",
        _empty_and_one,
        _both_named,
        "train",
    ),
    Row(
        "numeric-classes",
        "classes are called 1, 2 and 10",
        "student",
        "in the order 1, 2, 10; most pictures of folder 10 are called 10",
        _numbers,
        _by_number,
        "train",
    ),
    Row(
        "copy-across",
        "pictures to validate on lie among those to train on, too",
        "student",
        "exactly the copies in train are set aside",
        _across,
        _copies_out,
        "train",
    ),
    Row(
        "two-labels",
        "the same picture lies in two classes",
        "teacher",
        "exactly both files are set aside, with the reason",
        _two_labels,
        _neither,
        "train",
    ),
    Row(
        "near-copies",
        "30 of 240 photos are there again, smaller and saved anew",
        "teacher",
        "no pair lies in two parts of the split",
        _saved_again,
        _kept_together(2),
        "split",
    ),
    Row(
        "bursts",
        "720 photos were taken in bursts of three",
        "teacher",
        "no burst lies in two parts of the split",
        _bursts,
        _kept_together(FRAMES),
        "split",
    ),
    Row(
        "wrong-list",
        "a list names files that are not there; another is the wrong file",
        "student",
        "each missing file is set aside, all others are used; of the other one sentence names its columns",
        _lists,
        _by_line,
        "list",
    ),
    Row(
        "wrong-boxes",
        "boxes lie outside the picture, or are of a class without a name",
        "engineer",
        "the first are cut or left out and named; the second is one sentence with file and number",
        _boxes,
        _cut_and_named,
        "boxes",
    ),
    Row(
        "other-order",
        "the folder to validate on lacks the first class",
        "engineer",
        "the accuracy is that which the folders' names give",
        _other_order,
        _by_name,
        "train",
    ),
    Row(
        "val-on-train",
        "a model is measured on the pictures that it was trained on",
        "student",
        "a sentence says so",
        _same_pictures,
        _told,
        "train",
    ),
    Row(
        "zip",
        "an archive has names that lead out of it, and links",
        "engineer",
        "both are set aside, all others used, nothing is unpacked",
        _zip,
        _stays_inside,
        "has none",
    ),
)
