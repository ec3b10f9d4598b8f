"""A detector's bundle is measured on the parts that there are, and is there whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from box_bundle import CLASSES, HEIGHT, STRIDE, WIDTH, squares, write_box_bundle
from PIL import Image

from eyespot.bundle.files import read_any_bundle
from eyespot.data.boxes.records import BoxedPicture, Boxes
from eyespot.data.data_set import Picture
from eyespot.detecting import written
from eyespot.detecting.written import THRESHOLD, write_model
from eyespot.errors import CannotWrite
from eyespot.progress import silent

NEVER = np.zeros(1, bool)


def pictures(part: str, count: int) -> tuple[BoxedPicture, ...]:
    """One square of each is of a color, and its box is known."""
    found, (places, _) = [], squares(np.zeros((HEIGHT, WIDTH, 3)))
    for number in range(count):
        image, label = np.zeros((HEIGHT, WIDTH, 3), np.uint8), number % 3
        left, top = STRIDE * (number % 3), STRIDE * (number % 2)
        image[top : top + STRIDE, left : left + STRIDE, label] = 255
        file = io.BytesIO()
        Image.fromarray(image).save(file, "PNG")
        box = places[3 * (number % 2) + number % 3].clip(0, (WIDTH, HEIGHT, WIDTH, HEIGHT))
        boxes = Boxes(box[None], np.array([label]), NEVER, NEVER)
        found.append(
            BoxedPicture(Picture(f"{number}.png", part=cast(Any, part), data=file.getvalue()), WIDTH, HEIGHT, boxes)
        )
    return tuple(found)


def trained(folder: Path, **parts: int) -> tuple[Any, Any]:
    """What training gave, with that many pictures in each part, and the job."""
    bundle = read_any_bundle(write_box_bundle(folder / "other"))
    given = {part: pictures(part, count) for part, count in parts.items()}
    prepared = SimpleNamespace(
        classes=CLASSES,
        name="colors",
        fingerprint="0",
        used=sum(parts.values()),
        set_aside=[],
        part=lambda name: given.get(name, ()),
        group=lambda of: None,
    )
    manifest = bundle.manifest
    fitted = SimpleNamespace(
        graph=bundle.graph,
        preprocess=manifest.preprocess,
        network=manifest.network,
        places=SimpleNamespace(strides=manifest.strides),
        prepared=prepared,
    )
    (folder / "run").mkdir()
    where, options = SimpleNamespace(path=folder / "run"), SimpleNamespace(seed=0)
    return fitted, SimpleNamespace(folder=where, precision="fp32", options=options, progress=silent)


@pytest.mark.parametrize("parts", [{"val": 6}, {"test": 6}, {"val": 6, "test": 3}, {}])
def test_only_the_parts_that_there_are_are_measured(tmp_path: Path, shared_cache: Path, parts: dict[str, int]) -> None:
    done = write_model(*trained(tmp_path, train=6, **parts))
    manifest = read_any_bundle(tmp_path / "run").manifest
    assert done.manifest.model_copy(update={"sha256": manifest.sha256, "format_version": 4}) == manifest
    assert (manifest.validation is None, manifest.test is None) == ("val" not in parts, "test" not in parts)
    for scores in filter(None, (manifest.validation, manifest.test)):
        assert (scores.map50.value, scores.recall, scores.precision) == (1, 1, 1)
    assert (manifest.threshold == THRESHOLD) == ("val" not in parts)
    part = "test" if "test" in parts else "val"
    measured = done.measured()
    assert (measured and (measured.part, measured.scores.pictures)) == ((part, parts[part]) if parts else None)


def test_a_model_that_cannot_be_put_in_its_place_leaves_nothing(
    tmp_path: Path, shared_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(draft: Path, folder: Path) -> None:
        assert (draft / "manifest.json").is_file()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(written, "place_bundle", full)
    with pytest.raises(CannotWrite, match=r"the model in .*bundle .*No space left on device"):
        write_model(*trained(tmp_path, train=6, val=3))
    assert list((tmp_path / "run").iterdir()) == []
