"""`audit` of pictures with boxes, in each layout: all but the labels, which a detector has to judge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from painted import KINDS, painted, turned
from PIL import Image

import eyespot
from eyespot.auditing.result import BoxCount
from eyespot.cli.main import main
from eyespot.data.boxes.reading import read_boxes
from eyespot.data.boxes.writing import FORMATS, write_boxes

EACH = 12


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """Pictures with a box each as YOLO has them: one saved twice, one copied, one from two sides, one black."""
    folder = tmp_path_factory.mktemp("audit") / "yolo"
    for kind in ("images", "labels"):
        (folder / "train" / kind).mkdir(parents=True)
        (folder / "test" / kind).mkdir(parents=True)
    (folder / "data.yaml").write_text("train: train/images\ntest: test/images\nnames: [blue, red]\n")
    for number, kind in enumerate(KINDS):
        for at in range(EACH):
            add(folder / "train", f"{kind}-{at:02}.png", painted(kind, at), label=number)
    add(folder / "train", "again.jpg", painted("red", 0), label=1)
    add(folder / "test", "near.png", turned("blue", 3, 3), label=0)
    add(folder / "test", "black.png", Image.new("RGB", (160, 160)), label=0)
    same = folder / "train" / "images" / "red-01.png"
    add(folder / "test", "same.png", Image.open(same), label=1)
    (folder / "test" / "images" / "same.png").write_bytes(same.read_bytes())
    return folder


def add(part: Path, name: str, picture: Image.Image, *, label: int) -> None:
    picture.save(part / "images" / name)
    (part / "labels" / name).with_suffix(".txt").write_text(f"{label} 0.5 0.5 0.5 0.5\n")


def stems(names: tuple[str, ...]) -> list[str]:
    return sorted(Path(name).stem for name in names)


@pytest.mark.parametrize("layout", FORMATS)
def test_copies_series_and_poor_pictures_are_found_in_each_layout(pictures, tmp_path, shared_cache, layout):
    folder, is_original = pictures, layout == "yolo"
    if not is_original:
        folder = tmp_path / layout
        write_boxes(read_boxes(pictures), folder, format=FORMATS[layout])
    found = eyespot.audit(folder, out=tmp_path)
    assert (found.pictures, found.classes) == (2 * EACH + 3, ())
    assert found.boxes == (BoxCount(name="blue", boxes=EACH + 2), BoxCount(name="red", boxes=EACH + 1))
    assert [stems(each.pictures) for each in found.saved_twice] == [["again", "red-00"]]
    assert sorted(stems(each) for each in found.series) == [["again", "red-00"], ["blue-03", "near"]]
    assert [Path(each.picture).stem for each in found.poor] == ["black"]
    assert [stems(each) for each in found.identical] == ([["red-01", "same"]] if is_original else [])
    assert (found.doubtful, found.more, found.by_files) == ((), None, None)
    assert found.unjudged.startswith("boxes are not judged here: train a detector")


def test_what_is_printed_leads_on_to_a_detector(pictures, tmp_path, shared_cache):
    printed = CliRunner().invoke(main, ["audit", str(pictures), "--out", str(tmp_path), "--quiet"])
    assert printed.exit_code == 0, printed.output
    for words in (
        f"Read        {2 * EACH + 3} pictures with {2 * EACH + 3} boxes, 1 identical file",
        f"Boxes       blue {EACH + 2} and red {EACH + 1}",
        f"Next        eyespot train {pictures}",
    ):
        assert words in printed.output
    assert "--exclude" not in printed.output
    [page] = tmp_path.rglob("audit.html")
    assert "--exclude" not in page.read_text("utf-8")


def test_who_says_how_the_folders_are_to_be_read_gets_classes(pictures, tmp_path, shared_cache):
    found: Any = eyespot.audit(pictures, out=tmp_path, layout="any/class")
    assert (found.boxes, found.classes) == ((), ("images",))
