"""With enough pictures a frozen model is only the beginning: it is announced, bettered, and not bettered twice."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import eyespot
from eyespot.bundle.files import read_bundle
from eyespot.progress import ANNOUNCED
from eyespot.regimes import choice, fitting
from eyespot.regimes.plans import MOST_FOR_FEW
from eyespot.runs import remembered
from eyespot.runs.remembered import DECISIONS, FOLDER, MOST


@pytest.fixture
def cache(monkeypatch, shared_cache) -> Path:
    """The shared cache, in which nothing is remembered; few pictures are enough, and only the last stage is trained."""
    monkeypatch.setattr(choice, "BETTERED_PER_CLASS", 10)
    monkeypatch.setitem(MOST_FOR_FEW, "partial", 5)  # epochs: it is not asked how good the model becomes
    monkeypatch.setattr(fitting, "BETTERED_TIMES", 100)
    monkeypatch.setattr(fitting, "decide_cuts", lambda backbone, freeze: ("stage7",))
    every = fitting.candidates
    monkeypatch.setattr(fitting, "candidates", lambda *given: every(*given)[:1])
    remembered.forget(shared_cache)
    return shared_cache


def told() -> tuple[list[str], Callable[[str, int, int], None]]:
    """What is announced to a progress, and that progress."""
    said: list[str] = []
    return said, lambda step, done, total: said.append(step) if total == ANNOUNCED else None


def decisions(run: str) -> Any:
    return json.loads(Path(run, "args.json").read_text("utf-8"))["decisions"]


def test_the_frozen_model_is_announced_and_bettered_and_a_second_run_trains_nothing(
    cache, ladder_photos, tmp_path, monkeypatch
):
    said, progress = told()
    first = eyespot.train(ladder_photos, out=tmp_path, name="first", progress=progress)
    assert [rung.regime for rung in first.ladder] == ["frozen", "partial"]
    assert first.regime_reason.startswith("20 pictures per class to train on: the head first")
    (sentence,) = said
    assert f"accuracy {first.ladder[0].validation}" in sentence
    assert str(Path(first.run)) in sentence
    assert 0 < decisions(first.run)["frozen: bettered until"] <= fitting.BETTERED_SECONDS + first.seconds

    def trained(*given: Any, **options: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr("eyespot.training.loop.Training._one_step", trained)
    again = eyespot.train(ladder_photos, out=tmp_path, name="again")
    assert read_bundle(again.run).graph == read_bundle(first.run).graph
    own = {"frozen: seconds": None}  # what it took to find the features stored
    assert decisions(again.run) | own == decisions(first.run) | own
    assert not (Path(again.run) / "checkpoints").exists()


def test_what_a_person_stopped_is_not_remembered(cache, ladder_photos, tmp_path, monkeypatch):
    def stop(*given: Any, **options: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("eyespot.regimes.ladder.Ladder._climb_on", stop)
    result = eyespot.train(ladder_photos, out=tmp_path)
    assert result.regime == "frozen"
    assert any(note.startswith("stopped by you on the ladder") for note in result.notes)
    assert not (cache / FOLDER).exists()


def test_what_was_remembered_and_is_damaged_is_trained_anew(cache, ladder_photos, tmp_path):
    first = eyespot.train(ladder_photos, out=tmp_path, name="first")
    (kept,) = (cache / FOLDER).iterdir()
    for each in kept.rglob("*.safetensors"):
        each.write_bytes(b"torn")
    (kept / DECISIONS).write_text("{")
    again = eyespot.train(ladder_photos, out=tmp_path, name="again")
    assert again.regime == first.regime
    assert not any("bettered until" in note for note in again.notes)


def test_a_frozen_model_that_was_asked_for_is_not_bettered(cache, ladder_photos, tmp_path):
    said, progress = told()
    result = eyespot.train(ladder_photos, out=tmp_path, regime="frozen", progress=progress)
    assert (result.regime, result.ladder, said) == ("frozen", (), [])


def job_in(tmp_path: Path, recalled: dict[str, float]) -> Any:
    """What is asked of a job here. recalled: takes what it was given."""
    return SimpleNamespace(
        cache_folder=tmp_path / "cache",
        clock=SimpleNamespace(decisions={"frozen: bettered until": 3.0}, recall=recalled.update),
        folder=SimpleNamespace(path=tmp_path / "run"),
        world=SimpleNamespace(size=1),
    )


def test_no_flipped_bit_of_what_was_remembered_is_recalled(tmp_path):
    recalled: dict[str, float] = {}
    job, kept = job_in(tmp_path, recalled), tmp_path / "cache" / FOLDER / "key" / DECISIONS
    remembered.remember(job, "key")
    whole = kept.read_bytes()
    for at in range(0, 8 * len(whole), 5):
        damaged = bytearray(whole)
        damaged[at // 8] ^= 1 << at % 8
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(damaged)
        assert not remembered.recall(job, "key")
    assert not recalled
    assert not kept.parent.exists()
    remembered.remember(job, "key")
    assert remembered.recall(job, "key")
    assert recalled == {"frozen: bettered until": 3.0}


def test_only_the_newest_are_kept(tmp_path):
    job = job_in(tmp_path, {})
    for number in range(MOST + 2):
        remembered.remember(job, f"{number:02}")
    assert len(list((tmp_path / "cache" / FOLDER).iterdir())) == MOST
    assert remembered.size(tmp_path / "cache") > 0
    remembered.forget(tmp_path / "cache")
    assert remembered.size(tmp_path / "cache") == 0


def test_another_class_of_a_validation_picture_is_another_run(cache, tmp_path, ladder_photos, monkeypatch):
    keys: list[str] = []
    monkeypatch.setattr(fitting, "recall", lambda job, key: keys.append(key) or False)
    monkeypatch.setattr("eyespot.regimes.ladder.Ladder._climb_on", lambda ladder: None)
    for name in ("as it is", "relabelled"):
        shutil.copytree(ladder_photos, tmp_path / name)
    held_out = sorted(tmp_path.glob("relabelled/val/*/*"))[0]
    other = next(each for each in sorted(held_out.parent.parent.iterdir()) if each != held_out.parent)
    held_out.rename(other / f"moved-{held_out.name}")
    for name in ("as it is", "relabelled"):
        eyespot.train(tmp_path / name, out=tmp_path / "runs")
    assert len(set(keys)) == 2
