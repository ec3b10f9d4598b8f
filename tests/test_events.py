"""`events.jsonl`: a line for each thing that happens, whole, in every regime, and none twice after a kill."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import eyespot
from eyespot.events import EVENTS, Event, Events
from eyespot.regimes import run_training as running
from eyespot.runs.headline import headline
from eyespot.training import loop

KEYS = ["time", "phase", "regime", "step", "epoch", "loss", "validation_loss", "accuracy", "average_precision"]
KEYS += ["n", "worth", "rung"]
SCRATCH = {"model": "lenet5", "epochs": 4, "batch": 8}


class Killed(BaseException):
    """Stands for a kill: nobody catches it."""


def events(run: str | Path) -> list[dict[str, Any]]:
    text = Path(run, EVENTS).read_text("utf-8")
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def steps(run: str | Path) -> list[dict[str, Any]]:
    """The lines on steps, without their time."""
    return [{**line, "time": None} for line in events(run) if line["step"] is not None]


def test_a_frozen_run_tells_each_l2_and_its_figure(split_run):
    lines = events(split_run.run)
    assert [list(line) for line in lines] == [KEYS] * len(lines)
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)
    tried = [line for line in lines if line["phase"] == "cross-validation"]
    rows = Path(split_run.run, "results.csv").read_text().splitlines()[1:]
    assert [f"{line['accuracy']},{line['loss']}" for line in tried] == [",".join(row.split(",")[2:4]) for row in rows]
    assert (lines[-1]["phase"], lines[-1]["regime"], lines[-1]["accuracy"]) == (
        "done",
        "frozen",
        split_run.test.accuracy,
    )


def test_a_detector_tells_its_steps_and_its_precision(detector_run):
    lines = events(detector_run.run)
    trained = [line for line in lines if line["phase"] == "training" and line["step"]]
    assert {line["regime"] for line in trained} == {"detector"}
    assert all(line["loss"] > 0 for line in trained)
    assert (trained[-1]["step"], trained[-1]["epoch"] is None) == (detector_run.steps, False)
    figure = (detector_run.test or detector_run.validation).map50_95.value
    assert (lines[-1]["phase"], lines[-1]["average_precision"], lines[-1]["accuracy"]) == ("done", figure, None)


def test_a_run_that_goes_on_tells_nothing_twice(split_photos, shared_cache, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(running, "CHECKPOINT_SHARE", 1e9)
    monkeypatch.setattr(loop, "KEPT_EVERY", 2)
    whole = eyespot.train(split_photos, out=tmp_path, name="whole", **SCRATCH)

    def kill(step: str, done: int, total: int) -> None:
        if (step, done) == ("training", 8):
            raise Killed

    with pytest.raises(Killed):
        eyespot.train(split_photos, out=tmp_path, name="killed", progress=kill, **SCRATCH)
    run = tmp_path / "train" / "killed"
    with (run / EVENTS).open("ab") as file:
        file.write(b'{"time": "20')  # as a full disk would leave it
    eyespot.train(resume=run)
    assert steps(run) == steps(whole.run)
    phases, before = ([line["phase"] for line in events(each) if not line["step"]] for each in (run, whole.run))
    assert Counter(phases) - Counter(before) == Counter(["resumed"])


def test_lines_of_others_and_figures_that_are_none(tmp_path):
    (tmp_path / EVENTS).write_text('my own remark\n[1]\n{"phase": "x", "mine": 1}\n')
    told = Events(tmp_path)
    told.tell(Event("training", step=1, loss=float("nan")))
    lines = (tmp_path / EVENTS).read_text().splitlines()
    assert lines[0] == "my own remark"
    assert [json.loads(line)["phase"] for line in lines[2:]] == ["x", "resumed", "training"]
    assert json.loads(lines[-1])["loss"] is None


def test_a_line_that_cannot_be_written_is_a_note_and_no_more(tmp_path):
    notes: list[str] = []
    told = Events(tmp_path / "gone", notes)
    told.tell(Event("training"))
    told.tell(Event("done"))
    assert notes == [f"{tmp_path / 'gone' / EVENTS} ends early, for it cannot be written (No such file or directory)"]


def test_the_headline_is_of_the_best_part_there_is(split_run, detector_run):
    found = headline(split_run.model_dump(mode="json"))
    assert (found.measure, found.value, found.on) == ("accuracy", split_run.test.accuracy, "test")
    assert headline(detector_run.model_dump(mode="json")).measure == "mAP50-95"
    assert headline({"test": {"map": {"value": 0.6, "low": 0.5, "high": 0.7}}}).measure == "mAP"
    assert headline({"test": None, "out_of_fold": {"accuracy": 0.5, "low": 0.4, "high": 0.6}}).on == "cross-validation"
    assert headline({"test": {"accuracy": "high"}, "validation": [1]}) is None
