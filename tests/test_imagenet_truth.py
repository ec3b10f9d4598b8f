"""The published weights give the published library's answers, on real pictures."""

import importlib
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def truth(timm, monkeypatch):
    """The benchmark program, whose two sides are compared here."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("imagenet_truth")


def test_all_answers_to_imagenet_pictures_are_those_of_timm(truth, real_data, cache):
    paths = truth.pictures_of(real_data / "imagenet-100")
    assert len(paths) == 100
    assert not truth.turned(paths)  # timm would not turn them
    ours = truth.eyespot_answers(paths, cache_folder=cache, precision="fp32")
    theirs = truth.timm_answers(paths)
    equal, difference = truth.compared(ours, theirs)
    assert equal == 100
    assert difference < 1e-4
    assert ours.accuracy == theirs.accuracy > 0.8
