"""`runs`: each run with its figure and state; what is half written or damaged is listed as such."""

import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import eyespot
from eyespot.cli.main import main
from eyespot.errors import DataError, OptionError
from eyespot.runs.folder import LOCK, RunLock


@pytest.fixture
def runs(split_run, detector_run, tmp_path) -> Path:
    """A folder with two finished runs, and a run of each other kind."""
    top = tmp_path / "runs" / "train"
    photos, boxes = Path(split_run.run), Path(detector_run.run)
    shutil.copytree(photos, top / "photos")
    shutil.copytree(boxes, top / "shapes")
    for name, file, content in (
        ("torn", "args.json", '{"command": "trai'),
        ("list", "args.json", "[]"),
        ("early", LOCK, ""),
        ("other", "args.json", '{"command": "audit"}'),
    ):
        (top / name).mkdir()
        (top / name / file).write_text(content)
    for name, gone in (("no-result", "result.json"), ("no-model", "bundle/model.onnx"), ("stopped", "report.html")):
        shutil.copytree(photos, top / name)
        (top / name / gone).unlink()
    return top.parent


def states(found: tuple[object, ...]) -> dict[str, tuple[str, str]]:
    return {run.name: (run.state, run.why) for run in found}


def test_each_run_has_its_figure_and_its_state(runs, split_run, detector_run):
    found = {run.name: run for run in eyespot.list_runs(runs)}
    photos, shapes = found["photos"], found["shapes"]
    assert (photos.state, photos.regime, photos.network) == ("done", "frozen", "efficientnet_lite0")
    assert (photos.value, photos.low, photos.high) == tuple(split_run.test.model_dump().values())[:3]
    assert photos.model_bytes == (runs / "train/photos/bundle/model.onnx").stat().st_size
    assert photos.data == json.loads((runs / "train/photos/args.json").read_text())["data"]
    assert (shapes.measure, shapes.regime) == ("mAP50-95", "detector")
    assert shapes.value == (detector_run.test or detector_run.validation).map50_95.value


def test_what_is_damaged_or_half_written_is_listed_as_such(runs):
    assert states(eyespot.list_runs(runs)) == {
        "photos": ("done", ""),
        "shapes": ("done", ""),
        "torn": ("damaged", "args.json is no whole JSON"),
        "list": ("damaged", "args.json holds no record"),
        "early": ("damaged", "args.json is missing"),
        "no-result": ("damaged", "result.json is missing"),
        "no-model": ("damaged", "bundle/model.onnx is missing"),
        "stopped": ("stopped", ""),
    }


def test_a_run_that_a_process_works_on_is_going_on(runs):
    lock = RunLock.taken(runs / "train/stopped")
    assert states(eyespot.list_runs(runs))["stopped"] == ("going on", "")
    assert (runs / "train/stopped" / LOCK).exists()
    lock.let_go()
    assert states(eyespot.list_runs(runs))["stopped"] == ("stopped", "")


def test_runs_are_sorted(runs):
    for place, name in enumerate(("shapes", "photos")):
        os.utime(runs / "train" / name / "result.json", (2e9 - place, 2e9 - place))
    assert [run.name for run in eyespot.list_runs(runs)][:2] == ["shapes", "photos"]
    assert [run.name for run in eyespot.list_runs(runs, sort="name")][:3] == ["early", "list", "no-model"]
    assert [run.name for run in eyespot.list_runs(runs, sort="value")][:3] == ["no-model", "photos", "shapes"]
    sizes = [run.model_bytes for run in eyespot.list_runs(runs, sort="size") if run.model_bytes]
    assert sizes == sorted(sizes)


def test_one_run_alone_and_what_is_no_folder_of_runs(runs, tmp_path):
    assert [run.name for run in eyespot.list_runs(runs / "train/photos")] == ["photos"]
    (tmp_path / "empty").mkdir()
    assert eyespot.list_runs(tmp_path / "empty") == ()
    with pytest.raises(DataError, match="there is no folder 'nowhere' with runs"):
        eyespot.list_runs("nowhere")
    with pytest.raises(OptionError, match="the option sort cannot be 'sise': did you mean 'size'"):
        eyespot.list_runs(runs, sort="sise")


def test_the_command(runs, monkeypatch):
    monkeypatch.chdir(runs.parent)
    printed = CliRunner().invoke(main, ["runs", "--sort", "name"])
    assert printed.exit_code == 0
    lines = printed.stdout.splitlines()
    assert lines[0].split("  ")[0] == "run"
    assert len(lines) == 9
    assert lines[1].endswith("damaged: args.json is missing")
    said = json.loads(CliRunner().invoke(main, ["runs", "--json"]).stdout)
    assert {each["name"] for each in said} >= {"photos", "shapes"}
