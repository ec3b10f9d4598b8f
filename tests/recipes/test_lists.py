"""Digits as IDX files, in Parquet and in a CSV: every verb takes each, and takes the same pictures for the same."""

from __future__ import annotations

import csv
import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import eyespot
from eyespot.errors import DataError, OptionError
from eyespot.runs.pictures import pictures_of_run

TRAIN, TEST = slice(0, 120), slice(120, 160)


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """Pixels (N, 8, 8) and labels (N,) of 160 handwritten digits 0 and 1."""
    sample = pytest.importorskip("sklearn.datasets").load_digits()
    chosen = np.flatnonzero(sample.target < 2)[:160]
    return (sample.images[chosen] * 15).astype(np.uint8), sample.target[chosen].astype(np.uint8)


def write_idx(folder: Path, pixels: np.ndarray, labels: np.ndarray) -> Path:
    folder.mkdir()
    for beginning, part in (("train", TRAIN), ("t10k", TEST)):
        for kind, values in (("images-idx3", pixels[part]), ("labels-idx1", labels[part])):
            header = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
            (folder / f"{beginning}-{kind}-ubyte").write_bytes(header + values.tobytes())
    return folder


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def sources(digits, tmp_path_factory) -> dict[str, Path]:
    """The same digits three times."""
    pixels, labels = digits
    root = tmp_path_factory.mktemp("lists")
    found = {"idx": write_idx(root / "idx", pixels, labels), "csv": root / "digits.csv"}
    with found["csv"].open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image_path", "label", "split"])
        for number, (image, label) in enumerate(zip(pixels, labels, strict=True)):
            (root / f"{number}.png").write_bytes(png(image))
            rows.writerow([f"{number}.png", label, "train" if number < TRAIN.stop else "test"])
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    found["parquet"] = root / "parquet"
    found["parquet"].mkdir()
    for name, part in (("train", TRAIN), ("test", TEST)):
        images = [{"bytes": png(image), "path": None} for image in pixels[part]]
        table = pyarrow.table({"image": images, "label": labels[part]})
        parquet.write_table(table, found["parquet"] / f"{name}-00000-of-00001.parquet")
    return found


@pytest.fixture(scope="module")
def run(sources, warm_cache, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(warm_cache))
        return eyespot.train(sources["idx"], epochs=3, out=tmp_path_factory.mktemp("runs"))


def test_idx_files_train_a_network_for_small_grey_pictures_and_never_their_mirror(run):
    assert (run.network, run.classes, run.mirror) == ("lenet5", ("0", "1"), False)
    assert run.pictures.used == 160
    assert run.test.n == 40


def test_every_kind_of_list_gives_the_same_accuracy(run, sources, shared_cache):
    results = [eyespot.val(run.run, where) for where in sources.values()]
    assert [(each.part, each.n, each.confusion) for each in results] == [("test", 40, results[0].confusion)] * 3
    assert results[0].accuracy == pytest.approx(run.test.accuracy)


def test_every_kind_of_list_gives_the_same_answers(run, sources, shared_cache):
    answers = {}
    for kind, where in sources.items():
        predicted = eyespot.predict(run.run, where)
        answers[kind] = sorted([each.predictions for each in predicted], key=str)
        assert len(predicted) == 160
        assert not any(each.set_aside for each in predicted)
    assert answers["idx"] == answers["csv"] == answers["parquet"]


def test_only_test_pictures_cannot_train(sources, tmp_path, shared_cache):
    for name in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        (tmp_path / name).write_bytes((sources["idx"] / name).read_bytes())
    with pytest.raises(DataError, match="has pictures for test, and none for train"):
        eyespot.train(tmp_path, out=tmp_path / "runs")


def test_features_of_a_list_are_written_with_its_classes_and_parts(sources, tmp_path, shared_cache):
    few = tmp_path / "few.csv"
    rows = sources["csv"].read_text().splitlines()
    few.write_text("\n".join(rows[:3] + rows[-2:]))
    for number in (0, 1, 158, 159):
        (tmp_path / f"{number}.png").write_bytes((sources["csv"].parent / f"{number}.png").read_bytes())
    eyespot.embed(few, tmp_path / "few.npz")
    arrays = np.load(tmp_path / "few.npz")
    assert arrays["features"].shape == (4, 1280)
    assert list(arrays["parts"]) == ["train", "train", "test", "test"]
    assert list(arrays["pictures"]) == ["0.png", "1.png", "158.png", "159.png"]


def test_columns_and_layouts_that_a_person_names_are_kept_with_the_run(sources, tmp_path, shared_cache):
    lines = sources["csv"].read_text().splitlines()
    table = sources["csv"].with_name("named.csv")
    table.write_text("\n".join(["Bild;Ziffer;Teil", *(line.replace(",", ";") for line in lines[1:])]))
    named = {"image_column": "Bild", "label_column": "Ziffer", "split_column": "Teil"}
    run = eyespot.train(table, **named, epochs=1, out=tmp_path)
    assert (run.test.n, run.pictures.used) == (40, 160)
    again = pictures_of_run(run.run, eyespot.load(run.run).manifest, data=None, parts=("test",))
    assert (len(again.hashed), again.missing) == (40, 0)
    assert eyespot.val(run.run, table, **named).n == 40
    assert eyespot.load(run.run).evaluate(table, **named, split="train").n == 120
    assert len(eyespot.predict(run.run, table, image_column="Bild")) == 160
    with pytest.raises(DataError, match="--label-column names that of the classes"):
        eyespot.val(run.run, table, image_column="Bild")
    with pytest.raises(OptionError, match="the option layout cannot be 'flat'"):
        eyespot.embed(table, tmp_path / "x.npz", layout="flat")
