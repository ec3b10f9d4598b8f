"""Pictures with boxes that belong together stay on one side of the split, and what a given split shares is counted."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from painted import KINDS, painted, turned

from eyespot.answering.box_evaluation import Judged
from eyespot.data.boxes.records import BoxedPicture
from eyespot.detecting.prepare import PreparedBoxes, prepare_boxes
from eyespot.detecting.series import series_found, with_series
from eyespot.detecting.written import Written
from eyespot.distributed.world import ALONE
from eyespot.errors import DataError
from eyespot.evaluate.box_matches import Found, Truth
from eyespot.progress import silent
from eyespot.runs.job import Job
from eyespot.runs.options import train_options

THINGS = 20
BOX = "{} 0.5 0.5 0.4 0.4\n"


@pytest.fixture(scope="module")
def bursts(tmp_path_factory) -> Path:
    """Twenty things, two pictures of each, with a box; without parts."""
    folder = tmp_path_factory.mktemp("boxes") / "bursts"
    write(folder, range(THINGS), copies=1)
    return folder


def write(folder: Path, things: range, *, copies: int, part: str = ".") -> None:
    for kind in ("images", "labels"):
        (folder / part / kind).mkdir(parents=True, exist_ok=True)
    (folder / "data.yaml").write_text("names: [blue, red]\n")
    for thing in things:
        kind = thing % 2
        for copy in range(copies + 1):
            name = f"{thing:02}-{copy}"
            turned(KINDS[kind], thing, 2.0 * copy).save(folder / part / "images" / f"{name}.png")
            (folder / part / "labels" / f"{name}.txt").write_text(BOX.format(kind))


def found_in(folder: Path, cache: Path, **options: Any) -> PreparedBoxes:
    """The data set, as it is once series were looked for."""
    chosen = train_options(**options)
    job = cast(
        Job,
        SimpleNamespace(options=chosen, store=None, cache_folder=cache, precision="fp32", progress=silent, world=ALONE),
    )
    return with_series(prepare_boxes(folder, chosen), job)


def torn(prepared: PreparedBoxes) -> int:
    """Things whose pictures are in several parts."""
    parts: dict[str, set[str]] = {}
    for part, pictures in prepared.parts.items():
        for each in pictures:
            parts.setdefault(each.picture.name.split("/")[-1].split("-")[0], set()).add(part)
    return sum(len(each) > 1 for each in parts.values())


def answered(pictures: list[BoxedPicture] | tuple[BoxedPicture, ...], *, missed: int) -> Judged:
    """All boxes are found, but those of the last pictures."""
    truths = [Truth(each.boxes.xyxy, each.boxes.labels) for each in pictures]
    founds = [
        Found(each.boxes.xyxy, [0.9], each.boxes.labels)
        if number < len(pictures) - missed
        else Found(np.zeros((0, 4)), [], [])
        for number, each in enumerate(pictures)
    ]
    return Judged(list(pictures), truths, founds, [])


def test_no_series_is_torn_apart(bursts, shared_cache):
    prepared = found_in(bursts, shared_cache)
    assert (len(prepared.series), prepared.series.largest) == (THINGS, 2)
    assert torn(prepared) == 0
    assert {*prepared.parts} == {"train", "val", "test"}
    alone = found_in(bursts, shared_cache, group="off")
    assert (len(alone.series), torn(alone) > 0) == (0, True)


def test_small_images_have_no_signature(bursts, shared_cache):
    assert len(found_in(bursts, shared_cache, imgsz=64).series) == 0


def test_groups_of_a_file_stay_together_with_the_series(bursts, shared_cache, tmp_path):
    file = tmp_path / "people.csv"
    lines = [f"images/{thing:02}-0.png,person {thing // 2}\n" for thing in range(THINGS)]
    file.write_text("".join(["picture,group\n", *lines]))
    prepared = found_in(bursts, shared_cache, group=str(file))
    assert (len(prepared.series), prepared.series.largest, torn(prepared)) == (THINGS // 2, 4, 0)
    assert any("does not name 20 pictures" in note for note in prepared.notes)


def test_a_picture_that_cannot_be_decoded_is_set_aside_once(bursts, shared_cache, tmp_path):
    write(tmp_path, range(10), copies=0)
    images = sorted((tmp_path / "images").iterdir())
    images[3].write_bytes(images[3].read_bytes()[:-400])
    prepared = found_in(tmp_path, shared_cache)
    assert [each.picture for each in prepared.set_aside] == ["images/03-0.png"]
    assert prepared.used == 9
    for broken in images:
        broken.write_bytes(broken.read_bytes()[:-400])
    with pytest.raises(DataError, match=r"has 0 pictures with 0 boxes to train on"):
        found_in(tmp_path, shared_cache)


def test_parts_that_a_folder_gives_stay_and_what_they_share_is_counted(tmp_path, shared_cache):
    for part, things in (("train", range(12)), ("val", range(20, 24)), ("test", range(30, 35))):
        write(tmp_path, things, copies=0, part=part)
    for part, thing in (("val", 1), ("test", 0)):
        turned(KINDS[thing], thing, 3).save(tmp_path / part / "images" / "zz.png")
        (tmp_path / part / "labels" / "zz.txt").write_text(BOX.format(thing))
    prepared = found_in(tmp_path, shared_cache)
    assert {part: len(pictures) for part, pictures in prepared.parts.items()} == {"train": 12, "val": 5, "test": 6}
    manifest = cast(Any, SimpleNamespace(classes=prepared.classes, threshold=0.5, most=100))
    judged = answered(prepared.part("test"), missed=1)  # the picture that is shared
    found = series_found(prepared, Written(manifest, {"test": judged}))
    assert (found.series, found.pictures, found.shared, found.shared_val) == (2, 4, 1, 1)
    assert found.apart.value == 1.0
    assert judged.scores(prepared.classes, threshold=0.5, most=100).map50.value < 1.0
    assert series_found(prepared, Written(manifest, {})).apart is None


def test_what_is_painted_has_no_series(tmp_path, shared_cache):
    write(tmp_path, range(10), copies=0)
    painted("red", 99).save(tmp_path / "images" / "10-0.png")
    assert len(found_in(tmp_path, shared_cache).series) == 0
