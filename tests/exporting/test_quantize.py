"""int8: kept where it is as good and faster, and said so where it is not."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from color_bundle import CLASSES, write_color_bundle
from PIL import Image

import eyespot
from eyespot.bundle.files import Bundle, read_bundle
from eyespot.bundle.run import ClassAnswer
from eyespot.data.copies import Hashed, content_hash
from eyespot.data.data_set import Picture
from eyespot.engine.run import openvino_core
from eyespot.errors import DataError, MissingExtra, OptionError
from eyespot.evaluate.promises import Unknown
from eyespot.exporting import quantize as recipe
from eyespot.exporting.agreement import ExportCheck, answers_of_bundle
from eyespot.exporting.compared import notes_on_pictures
from eyespot.exporting.files import openvino_files
from eyespot.exporting.quantize import Int8Check, judged
from eyespot.progress import silent
from eyespot.recipes import export as verb
from eyespot.recipes.export import export
from eyespot.runs.pictures import RunPictures

ANSWERS = ExportCheck(runtime="int8", pictures=9, same=8, largest_difference=0.02, close=(), different=("a.png",))
FASTER, SLOWER = [(2.0, 1.0)] * 20, [(1.0, 2.0)] * 20


@pytest.fixture
def run(split_run, tmp_path, shared_cache) -> Path:
    return Path(shutil.copytree(split_run.run, tmp_path / "run"))


@pytest.fixture(scope="module")
def once() -> list[Any]:
    """What was made already."""
    return []


@pytest.mark.parametrize(
    ("right_before", "right", "seconds", "kept", "why"),
    [
        (900, 900, FASTER, True, "kept: hardly less accurate, and faster"),
        (900, 895, FASTER, True, "kept: hardly less accurate, and faster"),
        (900, 894, FASTER, False, "not kept, fp32 is better: accuracy falls by more than 0.5 points"),
        (900, 950, SLOWER, False, "not kept, fp32 is better: it is not measurably faster here"),
        (900, 950, FASTER[:14] + SLOWER[:6], False, "not kept, fp32 is better: it is not measurably faster here"),
        (900, 950, FASTER[:15] + SLOWER[:5], True, "kept: hardly less accurate, and faster"),  # 21,700 of 2^20
        (900, 800, SLOWER, False, "accuracy falls by more than 0.5 points and it is not measurably faster here"),
    ],
)
def test_it_is_kept_where_it_is_as_good_and_faster_beyond_luck(right_before, right, seconds, kept, why):
    found = judged(right_before, right, pictures=1000, seconds=seconds, answers=ANSWERS)
    assert found.kept == kept
    assert found.verdict.endswith(why)
    assert (found.accuracy_fp32, found.accuracy) == (right_before / 1000, right / 1000)


@pytest.mark.parametrize("kept", [True, False])
def test_the_files_hold_the_model_that_was_kept(kept, run, split_photos, monkeypatch, capfd, once):
    pytest.importorskip("nncf")
    real, done = verb.in_int8, once

    def decided(*given, **options):
        if not done:  # it takes long
            done.append(real(*given, **options))
        [(files, check)] = done
        return files, check.model_copy(update={"kept": kept})

    monkeypatch.setattr(verb, "in_int8", decided)
    result = export(run, format="openvino", int8=True)
    assert capfd.readouterr().out == ""
    assert result.int8.pictures == 12
    assert result.int8.timed == 12
    assert result.int8.answers.pictures == 12
    assert result.int8.answers.same >= 11
    assert 0 < result.int8.answers.largest_difference < 0.2
    text = Path(result.files[0]).read_text("utf-8")
    assert ("FakeQuantize" in text) == kept
    answers = eyespot.load(result.files[0]).predict(split_photos / "test" / "circle")
    assert sum(each.predictions[0].class_ == "circle" for each in answers) >= 10


@pytest.fixture
def colors(tmp_path) -> Bundle:
    return read_bundle(write_color_bundle(tmp_path / "colors"))


def drawn(label: str, count: int, *, kind: str = "") -> list[Hashed]:
    """Pictures of one colour, of the class `label`, none like another."""
    found = []
    for number in range(count):
        pixels = np.zeros((9, 8, 3), np.uint8)
        pixels[..., CLASSES.index(kind or label)] = 200
        pixels[0, 0] = number % 250, number // 250, 7
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        picture = Picture(f"{label}/{number}.png", label, data=file.getvalue())
        found.append(Hashed(picture, content_hash(file.getvalue())))
    return found


@pytest.fixture
def quantize(colors, monkeypatch) -> Callable[..., Any]:
    """Tries int8, which leaves the model as it is, so that this takes an instant; keeps what it was shown."""
    files = openvino_files(colors)

    def tried(trained_on: list[Hashed], judged_on: list[Hashed]) -> tuple[list[np.ndarray], Int8Check]:
        shown: list[np.ndarray] = []

        def unchanged(xml, weights, pictures):
            assert [each.tobytes() for each in pictures] == [each.tobytes() for each in pictures]
            shown.extend(pictures)
            return openvino_core().read_model(xml, weights)

        monkeypatch.setattr(recipe, "quantized", unchanged)
        monkeypatch.setattr(recipe, "_seconds_in_turn", lambda one, other, pictures: [(2.0, 1.0) for _ in pictures])
        expected = answers_of_bundle(colors, judged_on, silent)
        _, check = recipe.in_int8(
            colors,
            files,
            trained_on=trained_on,
            judged_on=RunPictures("val", judged_on, 0),
            expected=expected,
            read_back=partial(verb._in_openvino, targets=[Path("m.xml"), Path("m.bin")], precision="fp32"),
            progress=silent,
        )
        return shown, check

    return tried


def test_the_ranges_are_seen_on_the_same_share_of_each_class(quantize, monkeypatch):
    monkeypatch.setattr(recipe, "MOST_PICTURES", 30)
    trained_on = [*drawn("red", 60), *drawn("green", 30), *drawn("blue", 10)]
    shown, check = quantize(trained_on, [*drawn("red", 2), *drawn("blue", 1)])
    counts = np.bincount([int(each[5, 5].argmax()) for each in shown])
    assert counts == pytest.approx([18, 9, 3], abs=1)
    assert sum(counts) <= 30
    assert (check.pictures, check.accuracy, check.timed) == (3, 1, 3)
    assert (check.answers.same, check.answers.largest_difference) == (3, pytest.approx(0, abs=1e-5))


def test_a_picture_of_a_class_that_was_renamed_is_left_out(quantize):
    _, check = quantize(drawn("red", 1), [*drawn("rot", 2, kind="red"), *drawn("green", 3)])
    assert (check.pictures, check.accuracy, check.timed) == (3, 1, 3)
    assert check.answers.pictures == 5
    found = RunPictures("val", drawn("green", 5), 0)
    assert list(notes_on_pictures(found, 5, check)) == [
        "int8 was judged without 2 pictures, of classes that the model does not know: were folders renamed?"
    ]


def test_where_every_class_was_renamed_that_is_said_before_anything_is_quantised(quantize):
    with pytest.raises(DataError, match=r"knows \(red, green, blue\): name the class folders as they were in training"):
        quantize([], drawn("rot", 2, kind="red"))


def test_where_no_trained_picture_can_be_read_that_is_said(quantize):
    text = Hashed(Picture("red/a.png", "red", data=b"text"), content_hash(b"text"))
    with pytest.raises(DataError, match="none of the pictures that the model was trained on can be read"):
        quantize([text], drawn("red", 1))


def test_it_is_of_openvino_alone(run):
    with pytest.raises(OptionError, match="add --format openvino"):
        export(run, int8=True)


def test_without_nncf_the_command_to_install_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "nncf", None)
    monkeypatch.delitem(sys.modules, "nncf")
    monkeypatch.setattr(recipe.importlib, "import_module", lambda name: (_ for _ in ()).throw(ImportError(name)))
    with pytest.raises(MissingExtra, match=r"pip install 'eyespot\[int8\]'"):
        recipe.quantized(b"", b"", [])


def test_nothing_is_told_to_its_maker():
    pytest.importorskip("nncf")
    code = (
        "import json, sys; from eyespot.exporting.quantize import _nncf; _nncf(); "
        "import nncf.telemetry.wrapper as wrapper; "
        "print(json.dumps([type(wrapper.telemetry).__name__, 'openvino_telemetry' in sys.modules]))"
    )
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert json.loads(printed.splitlines()[-1]) == ["MagicMock", False]


def test_in_int8_what_is_refused_is_decided_by_the_pictures_that_judge_it(colors):
    labels = {number: number % 3 for number in range(40)}
    found = {
        number: ClassAnswer(np.roll([0.5 + number / 100, 0.5 - number / 100, 0], label), 0.5 + number / 100)
        for number, label in labels.items()
    }
    unknown = Unknown(refusing=(), fitted_on="", n=0)
    known = replace(colors, manifest=colors.manifest.model_copy(update={"unknown": unknown}))
    manifest = recipe.promising_anew(known, found, labels, part="val").manifest
    refusing = {each.share: each.least for each in manifest.unknown.refusing}
    assert refusing == pytest.approx({0.1: 0.53, 0.05: 0.51})  # the 4th and the 2nd of 40
    assert {each.share: each.least for each in manifest.sets} == pytest.approx({0.8: 0.57, 0.9: 0.53, 0.95: 0.51})
    assert (manifest.unknown.n, manifest.unknown.fitted_on) == (40, "answers in int8 to pictures of part val")
    of_trained = recipe.promising_anew(known, found, labels, part="train").manifest
    assert (of_trained.unknown.refusing, of_trained.sets) == ((), ())
    assert recipe.promising_anew(colors, found, labels, part="val") is colors  # as an earlier eyespot made it
