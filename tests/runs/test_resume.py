"""A run that goes on after a kill ends as if nothing had come between, and one that is done again ends alike."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import eyespot
from eyespot.cli.main import main
from eyespot.errors import EyespotError, Stopped
from eyespot.regimes import run_training as running
from eyespot.training import loop

CHILD = Path(__file__).parents[1] / "train_child.py"
SCRATCH = {"model": "lenet5", "epochs": 4, "batch": 8}
PARTIAL = {"freeze": "stage7", "epochs": 3, "batch": 8}


class Killed(BaseException):
    """Stands for a kill: nobody catches it."""


@pytest.fixture(autouse=True)
def _shared(shared_cache) -> None:
    """Every test uses the cache that tests share."""


@pytest.fixture
def often(monkeypatch):
    """Checkpoints come after every second step, instead of after seconds."""
    monkeypatch.setattr(running, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(running, "CHECKPOINT_SHARE", 1e9)
    monkeypatch.setattr(loop, "KEPT_EVERY", 2)


@pytest.fixture(scope="module")
def scratch(split_photos, warm_cache, tmp_path_factory):
    """A run from scratch that was not killed. Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(warm_cache))
        return Path(eyespot.train(split_photos, out=tmp_path_factory.mktemp("whole"), **SCRATCH).run)


def killed(data: Any, out: Path, *, at: int, **options: Any) -> Path:
    """The folder of a run that came to an end at a step of its training."""

    def kill(step: str, done: int, total: int) -> None:
        if (step, done) == ("training", at):
            raise Killed

    with pytest.raises(Killed):
        eyespot.train(data, out=out, name="killed", progress=kill, **options)
    return out / "train" / "killed"


def files(run: Path) -> dict[str, bytes]:
    """What must be equal, to the byte."""
    names = ("bundle/model.onnx", "results.csv", "predictions.csv", "split.csv")
    return {name: (run / name).read_bytes() for name in names}


def args(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "args.json").read_text("utf-8"))
    return found


def rewrite(run: Path, **changed: Any) -> None:
    """Changes what `args.json` says."""
    (run / "args.json").write_text(json.dumps(args(run) | changed), "utf-8")


def checkpoints(run: Path) -> list[Path]:
    """The newest first."""
    return sorted(run.glob("checkpoints/*/*.safetensors"), reverse=True)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def tear(checkpoint: Path) -> None:
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])


def change(checkpoint: Path) -> None:
    data = bytearray(checkpoint.read_bytes())
    data[-100] ^= 1
    checkpoint.write_bytes(data)


# --- going on


@pytest.mark.skipif(sys.platform == "win32", reason="it takes what Windows does not have")
@pytest.mark.skipif(os.name == "nt", reason="no fork, no SIGKILL")
@pytest.mark.parametrize(
    ("data", "options"), [("digits", {"model": "lenet5", "epochs": 4}), ("photos", PARTIAL)], ids=["scratch", "partial"]
)
def test_a_run_that_is_killed_again_and_again_ends_with_the_bits_of_one_that_was_not(
    split_photos, tmp_path, data, options
):
    where = split_photos if data == "photos" else data
    command = [sys.executable, str(CHILD), str(where), str(tmp_path), json.dumps(options), "3", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    whole, last = tmp_path / "train" / "whole", tmp_path / "train" / "killed"
    assert files(whole) == files(last)
    assert {path.name for path in whole.iterdir()} == {path.name for path in last.iterdir()}
    assert found["kills"] >= 2
    assert found["last"] < found["whole"], "the last life trains only what is missing"


def test_a_run_that_goes_on_says_the_same_of_itself_and_counts_the_time_before_the_kill(
    scratch, split_photos, tmp_path, often
):
    run = killed(split_photos, tmp_path, at=7, **SCRATCH)
    assert args(run)["spent_seconds"] > 0
    rewrite(run, spent_seconds=1000.0)
    result = eyespot.train(resume=run)
    assert files(run) == files(scratch)
    assert 1000 < result.seconds < 2000
    assert 1000 < args(run)["spent_seconds"] < 2000
    own = {"name", "out", "spent_seconds"}
    assert {name: value for name, value in args(run).items() if name not in own} == {
        **{name: value for name, value in args(scratch).items() if name not in own},
        "given": sorted([*args(scratch)["given"], "name"]),
    }


@pytest.mark.parametrize("spoil", [tear, change])
def test_a_spoilt_checkpoint_is_noticed_and_the_one_before_it_is_used(scratch, split_photos, tmp_path, often, spoil):
    run = killed(split_photos, tmp_path, at=9, **SCRATCH)
    newest = checkpoints(run)[0]
    spoil(newest)
    result = eyespot.train(resume=run)
    said = f"the checkpoint {newest} is torn or damaged: training went on from step "
    [note] = [note for note in result.notes if note.startswith(said)]
    assert 0 < int(note.removeprefix(said)) < 9
    assert "is torn or damaged" in (run / "report.html").read_text("utf-8")
    assert files(run) == files(scratch)
    assert not (run / "checkpoints").exists()


def test_with_no_checkpoint_left_training_begins_anew(scratch, split_photos, tmp_path, often):
    run = killed(split_photos, tmp_path, at=9, **SCRATCH)
    for each in checkpoints(run):
        tear(each)
    result = eyespot.train(resume=run)
    assert sum("training went on from step 0" in note for note in result.notes) == 2
    assert files(run) == files(scratch)


def test_what_a_kill_left_half_written_is_removed(scratch, split_photos, tmp_path, often):
    run = killed(split_photos, tmp_path, at=7, **SCRATCH)
    (run / ".eyespot-0123").write_bytes(b"half")
    (run / ".bundle.0123").mkdir()
    (run / ".bundle.0123" / "model.onnx").write_bytes(b"half")
    eyespot.train(resume=run)
    assert {path.name for path in run.iterdir()} == {path.name for path in scratch.iterdir()}


def test_a_run_that_was_killed_while_it_was_measured_is_not_trained_again(scratch, split_photos, tmp_path, often):
    def kill(step: str, done: int, total: int) -> None:
        if step == "measuring on test":
            raise Killed

    with pytest.raises(Killed):
        eyespot.train(split_photos, out=tmp_path, name="killed", progress=kill, **SCRATCH)
    run, told = tmp_path / "train" / "killed", []
    eyespot.train(resume=run, progress=lambda *said: told.append(said))
    assert [said for said in told if said[0] == "training"] == [("training", 12, 12)]
    assert files(run) == files(scratch)


def test_ctrl_c_before_the_first_epoch_is_over_says_how_to_go_on_where_there_is_a_checkpoint(
    split_photos, tmp_path, often
):
    def stop(step: str, done: int, total: int) -> None:
        if (step, done) == ("training", 5):
            raise KeyboardInterrupt

    with pytest.raises(Stopped) as caught:
        eyespot.train(split_photos, out=tmp_path, progress=stop, **{**SCRATCH, "batch": 4})
    run, steps = tmp_path / "train" / "photos", []
    assert str(caught.value).endswith(f"eyespot train --resume {run} goes on from the last checkpoint")
    eyespot.train(resume=run, progress=lambda step, done, total: steps.append(done) if step == "training" else None)
    assert (min(steps), max(steps)) == (4, 24)


def test_the_command_line_resumes_and_replays(scratch, split_photos, tmp_path, often):
    run = killed(split_photos, tmp_path, at=7, **SCRATCH)
    for given in (["--resume", str(run)], ["--replay", str(scratch), "--out", str(tmp_path), "--name", "replay"]):
        done = CliRunner().invoke(main, ["train", *given])
        assert done.exit_code == 0, done.output
    assert files(run) == files(tmp_path / "train" / "replay") == files(scratch)


# --- doing it again


def test_a_replay_gives_the_same_bits_under_a_name_of_its_own(scratch, tmp_path):
    result = eyespot.train(replay=scratch, out=tmp_path)
    assert Path(result.run) == tmp_path / "train" / "photos"
    assert files(tmp_path / "train" / "photos") == files(scratch)
    assert args(Path(result.run))["replays"] == str(scratch)


def test_a_replay_that_was_killed_goes_on_as_a_replay(scratch, tmp_path, often):
    run = killed(None, tmp_path, at=7, replay=scratch)
    result = eyespot.train(resume=run)
    assert files(run) == files(scratch)
    assert args(run)["replays"] == str(scratch)
    assert not any("stopped" in note for note in result.notes)


@pytest.mark.parametrize("again", ["resume", "replay"])
def test_a_training_that_patience_ended_ends_so_again_and_nobody_is_said_to_have_stopped_it(
    split_photos, tmp_path, often, again
):
    options = {**SCRATCH, "epochs": 40, "patience": 1, "lr": 0.05}

    def kill(step: str, done: int, total: int) -> None:
        if step == "measuring on test" and again == "resume":
            raise Killed

    first = eyespot.train(split_photos, out=tmp_path, name="first", **options)
    run = Path(first.run)
    assert 3 < len((run / "results.csv").read_text("utf-8").splitlines()) < 40
    if again == "resume":
        with pytest.raises(Killed):
            eyespot.train(split_photos, out=tmp_path, name="killed", progress=kill, **options)
        second = eyespot.train(resume=tmp_path / "train" / "killed")
    else:
        second = eyespot.train(replay=run)
    assert files(Path(second.run)) == files(run)
    assert second.notes == first.notes


def test_a_replay_ends_where_a_person_stopped_its_run_and_says_so(split_photos, tmp_path):
    def stop(step: str, done: int, total: int) -> None:
        if (step, done) == ("training", 7):
            raise KeyboardInterrupt

    first = eyespot.train(split_photos, out=tmp_path, progress=stop, **SCRATCH)
    assert args(Path(first.run))["decisions"] == {"scratch: trained": {"steps": 7, "ended": "by the user"}}
    second = eyespot.train(replay=first.run, out=tmp_path)
    assert files(Path(second.run)) == files(Path(first.run))
    assert second.notes == first.notes
    assert any("stopped by you after epoch 2" in note for note in second.notes)


def test_ctrl_c_in_a_replay_is_what_it_did_itself(scratch, tmp_path):
    def stop(step: str, done: int, total: int) -> None:
        if (step, done) == ("training", 4):
            raise KeyboardInterrupt

    result = eyespot.train(replay=scratch, out=tmp_path, progress=stop)
    assert args(Path(result.run))["decisions"] == {"scratch: trained": {"steps": 4, "ended": "by the user"}}
    assert any("stopped by you after epoch 1" in note for note in result.notes)


# --- what cannot be done again


def refused(run: Path, said: str, **given: Any) -> None:
    """Asserts that training is refused in one sentence, and that nothing is changed on disk."""
    before = tree(run.parent) if run.parent.is_dir() else {}
    with pytest.raises(EyespotError) as caught:
        eyespot.train(**given)
    assert said in str(caught.value), caught.value
    assert "\n" not in str(caught.value)
    assert (tree(run.parent) if run.parent.is_dir() else {}) == before


def test_a_run_that_is_finished_cannot_be_resumed(scratch):
    refused(scratch, f"{scratch} is finished, so there is nothing to resume: its report is", resume=scratch)


def test_a_run_that_is_not_finished_cannot_be_replayed(split_photos, tmp_path, often):
    run = killed(split_photos, tmp_path, at=7, **SCRATCH)
    refused(run, f"{run} is not finished, so it cannot be replayed: --resume it first", replay=run)


@pytest.mark.parametrize("again", ["resume", "replay"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no args.json to be read (No such file or directory); give a run's folder such as"),
        ("{", "its args.json is damaged (Expecting property name"),
        ("[" * 10**5, "its args.json is damaged"),
        ("[1]", "it is no run of `eyespot train`"),
        ('{"command": "embed"}', "it is no run of `eyespot train`"),
        ("0" * 2**21, "its args.json is too large to be one"),
    ],
    ids=["none", "torn", "deep", "a list", "another command", "large"],
)
def test_a_folder_that_is_no_run_is_named(tmp_path, again, content, said):
    run = tmp_path / "runs" / "run"
    run.mkdir(parents=True)
    if content is not None:
        (run / "args.json").write_text(content)
    refused(run, said, **{again: run})


@pytest.mark.parametrize("name", ["missing", "~nobody-of-this-name/run"])
def test_a_folder_that_is_not_there_is_named(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    refused(Path(name), f"{name} cannot be resumed: there is no args.json to be read", resume=name)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"version": "9.9"}, "it was begun by eyespot 9.9, this is"),
        ({"version": None}, "it was begun by eyespot None, this is"),
        ({"decisions": 3}, "args.json is damaged, or of another version"),
        ({"given": ["no_such_option"], "no_such_option": 1}, "train has no option 'no_such_option'"),
        ({"given": ["epochs"], "epochs": 0}, "the option epochs cannot be 0"),
        ({"data": "/no/such/folder"}, "/no/such/folder"),
    ],
    ids=str,
)
def test_a_run_whose_args_make_no_sense_here_is_not_resumed(scratch, tmp_path, changed, said):
    run = tmp_path / "runs" / "run"
    run.mkdir(parents=True)
    shutil.copy(scratch / "args.json", run)
    rewrite(run, **changed)
    refused(run, said, resume=run)


@pytest.mark.parametrize(
    ("again", "given", "said"),
    [
        ("resume", {"epochs": 3}, "a run goes on with the options that it began with: leave out epochs"),
        ("resume", {"name": "a", "out": "b"}, "leave out name, out"),
        ("replay", {"epochs": 3, "name": "a"}, "a replay has the options of the run that it repeats: leave out epochs"),
        ("replay", {"resume": "x"}, "resume and replay cannot be given together: leave one of them out"),
    ],
    ids=str,
)
def test_other_options_are_refused(scratch, again, given, said):
    refused(scratch, said, **{again: scratch, **given})


def test_without_pictures_and_without_a_run_nothing_can_be_trained(tmp_path):
    refused(tmp_path / "runs" / "run", "train needs the pictures: give their folder, or a run to resume or replay")


@pytest.mark.parametrize("changed", ["added", "removed", "moved"])
@pytest.mark.parametrize("again", ["resume", "replay"])
def test_other_pictures_are_refused(scratch, draw, split_photos, tmp_path, changed, again):
    photos = tmp_path / "photos"
    shutil.copytree(split_photos, photos)
    if changed == "added":
        draw(photos / "train", 1, first=50)
    elif changed == "removed":
        (photos / "train" / "circle" / "000.png").unlink()
    else:
        (photos / "train" / "circle" / "000.png").rename(photos / "train" / "square" / "circle.png")
    run = tmp_path / "runs" / "run"
    shutil.copytree(scratch, run)
    if again == "resume":
        (run / "report.html").unlink()
    refused(run, "photos is not what the run was made on: its fingerprint is", data=photos, **{again: run})


def test_pictures_that_were_only_renamed_are_the_same(scratch, split_photos, tmp_path):
    shutil.copytree(split_photos, tmp_path / "photos")
    (tmp_path / "photos" / "train" / "circle" / "000.png").rename(tmp_path / "photos" / "train" / "circle" / "new.png")
    result = eyespot.train(tmp_path / "photos", replay=scratch, out=tmp_path)
    assert files(Path(result.run))["bundle/model.onnx"] == files(scratch)["bundle/model.onnx"]
