"""The outcome of a lab in its folder is the one that was returned."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import eyespot
from eyespot.labs.folder import OUTCOME
from eyespot.labs.kept import read_result
from eyespot.labs.result import LabResult


@pytest.fixture(scope="module")
def result(warm_cache, tmp_path_factory) -> LabResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(warm_cache))
        return eyespot.lab("same-size", guess=1, lang="zh", out=tmp_path_factory.mktemp("kept"))


def test_what_was_returned_is_read_again(result):
    assert read_result(Path(result.folder)) == result


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"version": 99}', '{"version": 1, "lab": "same-size"}', "\x00"])
def test_what_is_none_is_not_read(tmp_path, text):
    assert read_result(tmp_path) is None
    (tmp_path / OUTCOME).write_text(text, "utf-8")
    assert read_result(tmp_path) is None


def test_a_newer_version_is_not_guessed_at(result, tmp_path):
    content = json.loads((Path(result.folder) / OUTCOME).read_text("utf-8"))
    (tmp_path / OUTCOME).write_text(json.dumps(content | {"version": 2}), "utf-8")
    assert read_result(tmp_path) is None
