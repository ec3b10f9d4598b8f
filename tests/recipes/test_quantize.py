"""int8: kept where it is as good and faster, and said so where it is not."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import eyespot
from eyespot.errors import MissingExtra, OptionError
from eyespot.exporting import int8
from eyespot.recipes import export as verb
from eyespot.recipes.export import export
from eyespot.recipes.quantize import judged

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
    found = judged(right_before, right, pictures=1000, seconds=seconds)
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
    text = Path(result.files[0]).read_text("utf-8")
    assert ("FakeQuantize" in text) == kept
    answers = eyespot.load(result.files[0]).predict(split_photos / "test" / "circle")
    assert sum(each.predictions[0].class_ == "circle" for each in answers) >= 10


def test_it_is_of_openvino_alone(run):
    with pytest.raises(OptionError, match="add --format openvino"):
        export(run, int8=True)


def test_without_nncf_the_command_to_install_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "nncf", None)
    monkeypatch.delitem(sys.modules, "nncf")
    monkeypatch.setattr(int8.importlib, "import_module", lambda name: (_ for _ in ()).throw(ImportError(name)))
    with pytest.raises(MissingExtra, match=r"pip install 'eyespot\[int8\]'"):
        int8.quantized(b"", b"", [])


def test_nothing_is_told_to_its_maker():
    pytest.importorskip("nncf")
    code = (
        "import json, sys; from eyespot.exporting.int8 import _nncf; _nncf(); "
        "import nncf.telemetry.wrapper as wrapper; "
        "print(json.dumps([type(wrapper.telemetry).__name__, 'openvino_telemetry' in sys.modules]))"
    )
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert json.loads(printed.splitlines()[-1]) == ["MagicMock", False]
