"""What people read is true of what was written."""

from __future__ import annotations

import sys

import pytest

from eyespot.cli import show
from eyespot.exporting.agreement import ExportCheck
from eyespot.exporting.quantize import Int8Check
from eyespot.exporting.result import ExportResult
from eyespot.exporting.web import WebPage

FP32 = ExportCheck(runtime="openvino 1", pictures=36, same=36, largest_difference=4e-7, close=(), different=())
IN_INT8 = FP32.model_copy(update={"runtime": "int8", "same": 35, "largest_difference": 0.021, "different": ("a.png",)})


@pytest.mark.parametrize("kept", [True, False])
def test_agreement_in_fp32_is_not_said_of_files_in_int8(kept, capsys):
    int8 = Int8Check(
        pictures=36,
        accuracy_fp32=1,
        accuracy=1,
        speedup=2,
        faster=36,
        timed=36,
        kept=kept,
        verdict="as it is",
        answers=IN_INT8,
    )
    show.exported(
        ExportResult(
            files=("m.xml", "m.bin"),
            bytes=1,
            part="val",
            checks=(FP32,),
            bf16=None,
            int8=int8,
            web=None,
            notes=(),
            seconds=1,
        )
    )
    lines = capsys.readouterr().out.splitlines()
    compared = "openvino 1: 36 of 36 pictures have the same answer, probabilities differ by at most 4e-07"
    assert lines[2] == f"Compared    {'before int8, ' if kept else ''}{compared}"
    at = lines.index("int8        as it is")
    assert lines[at + 1].strip() == "35 of 36 pictures have the same answer, probabilities differ by at most 0.02"


def test_a_page_is_told_by_its_folder_and_how_to_see_it(capsys):
    page = WebPage(folder="my site", weights="fp16", runtime="onnxruntime-web 1", browser=None)
    files = ("my site/index.html", "my site/sw.js")
    show.exported(
        ExportResult(
            files=files,
            bytes=19_200_000,
            part="val",
            checks=(FP32,),
            bf16=None,
            int8=None,
            web=page,
            notes=(),
            seconds=1,
        )
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Wrote       my site: 2 files, 19.2 MB, weights in fp16"
    assert lines[2].startswith(
        "Next        python -m http.server --directory 'my site', and open http://localhost:8000"
    )
    assert not any("bf16" in each for each in lines)


def test_words_after_a_colon_change_on_one_bar(monkeypatch):
    """Of progress on a terminal: the losses change after every step."""
    added = []
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("rich.progress.Progress.add_task", lambda self, words, **rest: added.append(words) or 0)
    monkeypatch.setattr("rich.progress.Progress.update", lambda self, task, **rest: None)
    with show.progress(quiet=False) as tell:
        for number in range(5):
            tell(f"painting: style 0.{number}", number, 5)
        tell("explaining", 0, 5)
    assert added == ["painting: style 0.0", "explaining"]
