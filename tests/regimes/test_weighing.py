"""A regime that was asked for is kept where it is a gain; where it harms, the head is kept, and every file says so."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

import eyespot
from eyespot.bundle.files import read_bundle
from eyespot.regimes.answers import Asked

HARMED = {"freeze": "stage7", "epochs": 1, "batch": 8, "lr": 10, "group": "off"}
"""So high a rate that nothing is left of what was learned."""
WORSE = "training deeper made it worse: kept the head"


@pytest.fixture(autouse=True)
def _shared(shared_cache) -> None:
    """Every test uses the cache that tests share."""


@pytest.fixture(scope="module")
def harmed(ladder_photos, warm_cache, tmp_path_factory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(warm_cache))
        return eyespot.train(ladder_photos, out=tmp_path_factory.mktemp("harmed"), name="run", **HARMED)


@pytest.fixture(scope="module")
def frozen(ladder_photos, warm_cache, tmp_path_factory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(warm_cache))
        return eyespot.train(
            ladder_photos, out=tmp_path_factory.mktemp("frozen"), name="run", regime="frozen", group="off"
        )


def rows(run: str) -> list[dict[str, str]]:
    with Path(run, "results.csv").open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


def test_what_a_training_harmed_is_the_frozen_model_to_the_bit(harmed, frozen):
    ours, theirs = read_bundle(harmed.run), read_bundle(frozen.run)
    assert ours.graph == theirs.graph
    assert ours.manifest.regime == harmed.regime == "frozen"
    different = {"created", "versions", "sha256"}
    assert {k: v for k, v in ours.manifest if k not in different} == {
        k: v for k, v in theirs.manifest if k not in different
    }
    for name in ("predictions.csv", "split.csv"):
        assert Path(harmed.run, name).read_bytes() == Path(frozen.run, name).read_bytes()


def test_the_summary_the_report_and_the_table_say_that_it_harmed(harmed, frozen):
    assert harmed.regime_reason == f"a stage to freeze was given, but {WORSE}"
    [note] = [note for note in harmed.notes if note.startswith(WORSE)]
    assert note.startswith(f"{WORSE}; on 30 validation pictures it had 0 right that frozen had wrong and ")
    assert [(rung.regime, rung.kept) for rung in harmed.ladder] == [("frozen", True), ("partial", False)]
    assert harmed.ladder[1].verdict.startswith("discarded: 0 right that frozen had wrong and ")
    assert harmed.validation == harmed.ladder[0].validation == frozen.validation
    report = Path(harmed.report).read_text("utf-8")
    assert WORSE in report
    assert "everything after stage7" in report
    start, end = rows(harmed.run)
    assert (start["epoch"], start["kept"], start["train_loss"]) == ("0", "True", "")
    assert float(start["validation_accuracy"]) == harmed.validation.accuracy
    assert (end["epoch"], end["kept"]) == ("1", "False")
    assert float(end["validation_accuracy"]) < float(start["validation_accuracy"])


def test_a_replay_keeps_the_head_too(harmed, tmp_path):
    again = eyespot.train(replay=harmed.run, out=tmp_path)
    assert read_bundle(again.run).graph == read_bundle(harmed.run).graph
    assert again.notes == harmed.notes
    assert [rung.verdict for rung in again.ladder] == [rung.verdict for rung in harmed.ladder]
    decisions = json.loads(Path(again.run, "args.json").read_text("utf-8"))["decisions"]
    assert decisions["partial stage7: kept"] is False


def test_where_enough_pictures_cannot_tell_the_two_apart_what_was_asked_for_is_kept(ladder_photos, tmp_path):
    result = eyespot.train(ladder_photos, out=tmp_path, **(HARMED | {"lr": 1e-6}))
    assert result.regime == "partial"
    assert result.ladder[1].verdict.startswith(
        "kept: it was asked for; 0 right that frozen had wrong and 0 wrong that it had right"
    )
    assert [row["kept"] for row in rows(result.run)] == ["False", "True"]


def test_too_few_validation_pictures_bear_out_nothing_and_the_head_is_that_of_all_pictures(draw, tmp_path):
    draw(tmp_path / "photos", 10)
    asked = eyespot.train(tmp_path / "photos", out=tmp_path, name="run", **(HARMED | {"lr": 1e-6}))
    plain = eyespot.train(tmp_path / "photos", out=tmp_path / "plain", name="run", regime="frozen", group="off")
    assert asked.regime_reason.endswith("but training deeper made it no better: kept the head")
    assert read_bundle(asked.run).graph == read_bundle(plain.run).graph
    assert asked.out_of_fold == plain.out_of_fold is not None


def test_without_validation_pictures_nothing_is_trained(split_photos, tmp_path, monkeypatch):
    monkeypatch.setattr("eyespot.regimes.weighing.tune", None)
    monkeypatch.setattr("eyespot.regimes.weighing.on_val", lambda prepared, *_, **__: Asked(prepared, None, 0, []))
    result = eyespot.train(split_photos, out=tmp_path, **HARMED)
    assert result.regime == "frozen"
    assert result.regime_reason.endswith(
        "but there are no validation pictures to show that training deeper is a gain: kept the head"
    )


def test_new_layers_that_were_asked_for_are_kept_and_said_to_be_worse(ladder_photos, tmp_path):
    result = eyespot.train(ladder_photos, out=tmp_path, replace_tail="fc 4", **(HARMED | {"lr": 1e-6}))
    assert (result.regime, result.ladder[1].kept) == ("partial", True)
    assert result.ladder[1].verdict.startswith("kept: it was asked for; 0 right that frozen had wrong and ")
    [note] = [note for note in result.notes if note.startswith("the new layers are worse than the head alone")]
    assert note[1:] in Path(result.report).read_text("utf-8").replace("&#43;", "+")
