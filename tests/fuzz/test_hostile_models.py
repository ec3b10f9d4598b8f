"""A slice of `benchmarks/hostile_models.py`: every kind of graph that asks for much, of every task, in every form.

Only the gate is asked here: what it lets through, the benchmark asks in a process of its own.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import pytest

import eyespot
from eyespot.errors import BundleError

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import hostile_files
import hostile_kinds

sys.path.pop(0)
ALWAYS = {"counted", "counted of picture", "for one size of picture", "normalised", "lying", "windowed"}
"""Kinds that are too much, or none of eyespot's, however they are drawn."""


@pytest.fixture(scope="module")
def models(split_run: Any, detector_run: Any, labels_run: Any) -> dict[str, hostile_files.Honest]:
    runs = {"classification": split_run, "detection": detector_run, "multilabel": labels_run}
    return {task: hostile_files.honest(run.run) for task, run in runs.items()}


@pytest.mark.parametrize("kind", sorted(hostile_kinds.BOMBS))
def test_a_graph_that_asks_for_much_is_refused_before_an_engine_sees_it(kind, models, tmp_path):
    for number, form in enumerate(("bundle", "onnx")):
        chance = random.Random(f"{kind} {form}")
        where = tmp_path / form
        where.mkdir()
        of = models[hostile_files.TASKS[(len(kind) + number) % 3]]
        said = _said(hostile_files.bombed(of, kind, where, form, chance))
        if kind in ALWAYS:
            assert said
        if said:
            assert "\n" not in said
            assert 20 < len(said) < 600


@pytest.mark.parametrize("number", range(12))
def test_a_changed_model_is_refused_in_a_sentence_or_passes(number, models, tmp_path):
    for name in ("changed graphs of bundles", "changed graphs of ONNX exports", "changed XML of OpenVINO"):
        folder = tmp_path / name
        folder.mkdir()
        made = hostile_files.FAMILIES[name][1](models, folder, random.Random(number))
        said = _said(made.where)
        assert said is None or ("\n" not in said and 20 < len(said) < 600)


def _said(where: Path) -> str | None:
    """Why it is refused; None where it is not."""
    try:
        eyespot.load(where)
    except BundleError as error:
        return str(error)
    return None
