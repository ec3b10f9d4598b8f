"""What editors complete are the options that there are, with the values that they take; docs and examples pass mypy."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import typing
from pathlib import Path
from types import UnionType

import pytest
from torch import nn

from eyespot.answering.detections import BoxOptions
from eyespot.answering.keywords import PredictKeywords
from eyespot.answering.rules import RuleOptions
from eyespot.data.read_as import ReadAs, ReadKeywords
from eyespot.exporting.result import ExportKeywords, ExportOptions
from eyespot.recipes.explain import Asked, AskedOfBox, ExplainKeywords
from eyespot.runs.keywords import TrainKeywords
from eyespot.runs.options import TrainOptions
from eyespot.styling.options import StylizeKeywords, StylizeOptions

THRESHOLD = typing.get_type_hints(RuleOptions)["threshold"]
"""A detector has no `auto`, and takes it for None."""
PAIRS = {
    TrainKeywords: {name: field.annotation for name, field in TrainOptions.model_fields.items()},
    PredictKeywords: typing.get_type_hints(RuleOptions) | typing.get_type_hints(BoxOptions) | {"threshold": THRESHOLD},
    ReadKeywords: typing.get_type_hints(ReadAs),
    ExplainKeywords: typing.get_type_hints(Asked) | typing.get_type_hints(AskedOfBox),
    ExportKeywords: typing.get_type_hints(ExportOptions),
    StylizeKeywords: typing.get_type_hints(StylizeOptions),
}
NOT_FOR_PEOPLE = {"classes_count", "labels"}


@pytest.mark.parametrize("kind", PAIRS, ids=lambda kind: kind.__name__)
def test_keywords_are_the_options_in_their_order(kind):
    names = list(typing.get_type_hints(kind, localns={"nn": nn}))
    assert names == [name for name in PAIRS[kind] if name not in NOT_FOR_PEOPLE]


@pytest.mark.parametrize("kind", PAIRS, ids=lambda kind: kind.__name__)
def test_keywords_take_the_words_that_the_options_take(kind):
    for name, annotation in typing.get_type_hints(kind, localns={"nn": nn}).items():
        assert words(annotation) == words(PAIRS[kind][name]), name


def words(annotation):
    """The literal words among the values of a type."""
    if typing.get_origin(annotation) is typing.Literal:
        return set(typing.get_args(annotation))
    if typing.get_origin(annotation) in (typing.Union, UnionType):
        return set().union(*map(words, typing.get_args(annotation)))
    return set()


STRICT = """
[mypy]
strict = true
python_version = 3.11
plugins = pydantic.mypy
follow_imports = silent
[mypy-torch.*,onnx.*,openvino.*,sklearn.*,scipy.*,timm.*,nncf.*,pyarrow.*,rich.*,fastapi.*,pi_heif.*,onnxruntime.*]
follow_imports = skip
ignore_missing_imports = true
"""
ROOT = Path(__file__).parents[1]


def test_the_python_of_every_page_passes_mypy(tmp_path):
    """But for the file of a lab, whose function `trial` is no example of types."""
    pages = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    snippets = {
        f"{page.stem}_{number}.py": text
        for page in pages
        for number, text in enumerate(re.findall(r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S))
        if "\nLAB = " not in text
    }
    assert "python_0.py" in snippets
    for name, text in snippets.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "mypy.ini").write_text(STRICT)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path / "cache"), *snippets],
        cwd=tmp_path,
        env=os.environ | {"MYPYPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
