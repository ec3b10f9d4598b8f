"""A run's folder: whose it is, from before the work begins to its end, however that comes."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

import eyespot
from eyespot.errors import OptionError
from eyespot.runs.folder import LOCK, RunFolder, RunLock
from eyespot.runs.options import train_options

QUICK = {"model": "lenet5", "epochs": 1, "batch": 12}


class Killed(BaseException):
    """Stands for a kill: nobody catches it."""


@pytest.fixture(autouse=True)
def _shared(shared_cache) -> None:
    """Every test uses the cache that tests share."""


def folder(out: Path, name: str | None = None) -> RunFolder:
    return RunFolder(train_options(out=out, name=name))


def left_behind(run: Path, *others: str) -> Path:
    """What a run that was killed early leaves, and other files."""
    (run / "checkpoints" / "scratch").mkdir(parents=True)
    (run / ".bundle.01ab").mkdir()
    for name in ("args.json", LOCK, ".eyespot-01ab", "checkpoints/scratch/.eyespot-01ab", *others):
        (run / name).write_text("x")
    return run


# --- names


def test_of_many_that_want_one_name_at_once_one_has_it_and_the_others_are_told(tmp_path):
    start, end, had, told = threading.Barrier(8), threading.Barrier(8), [], []

    def begin() -> None:
        start.wait()
        with ExitStack() as stack:
            try:
                stack.enter_context(folder(tmp_path, "one").held())
                had.append(1)
            except OptionError as error:
                told.append(str(error))
            end.wait()

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(had) == 1
    assert set(told) == {
        f"the run {tmp_path / 'train' / 'one'} exists already and is never overwritten: choose another --name, remove "
        f"it, or, where it was killed, go on with it by --resume {tmp_path / 'train' / 'one'}"
    }
    assert not (tmp_path / "train" / "one").exists()  # the empty folder above it is whose it was first


def test_runs_without_a_name_that_go_on_at_once_are_numbered(tmp_path):
    runs = [folder(tmp_path) for _ in range(3)]
    with ExitStack() as stack:
        for each in runs:
            stack.enter_context(each.held())
            each.name_after("photos")
        assert [each.path.name for each in runs] == ["photos", "photos-2", "photos-3"]
        (runs[1].path / "report.html").write_text("x")
    assert [path.name for path in (tmp_path / "train").iterdir()] == ["photos-2"]


@pytest.mark.parametrize("name", ["killed", None])
def test_what_a_killed_run_left_is_no_run_and_makes_room(tmp_path, name):
    left_behind(tmp_path / "train" / "killed")
    run = folder(tmp_path, name)
    with run.held():
        run.name_after("killed")
        assert run.path == tmp_path / "train" / "killed"
        assert [path.name for path in run.path.iterdir()] == [LOCK]
    assert list((tmp_path / "train").iterdir()) == []


@pytest.mark.parametrize("kept", ["notes.txt", "report.html", "checkpoints/scratch/00000001-ab.safetensors"])
def test_a_folder_that_holds_anything_is_left_as_it_is(tmp_path, kept):
    run = left_behind(tmp_path / "train" / "killed", kept)
    before = sorted(run.rglob("*"))
    with pytest.raises(OptionError, match="exists already"), folder(tmp_path, "killed").held():
        raise AssertionError
    assert sorted(run.rglob("*")) == before


def test_what_somebody_puts_into_a_new_folder_stays(tmp_path):
    with folder(tmp_path, "one").held():
        (tmp_path / "train" / "one" / "mine.txt").write_text("x")
    assert [path.name for path in (tmp_path / "train" / "one").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("name", ["one", None])
def test_where_a_file_is_in_the_way_of_all_runs_it_is_named(tmp_path, name):
    (tmp_path / "train").write_text("x")
    run = folder(tmp_path, name)
    with pytest.raises(OptionError, match=r"train.* is a file; choose another place with --out"), run.held():
        run.name_after("photos")


# --- runs that are killed early


def stop(data: Path, out: Path, step: str) -> Path:
    """The folder of a run that was killed when it told of that step."""

    def kill(told: str, done: int, total: int) -> None:
        if told == step:
            raise Killed

    with pytest.raises(Killed):
        eyespot.train(data, out=out, name="killed", progress=kill, **QUICK)
    return out / "train" / "killed"


@pytest.fixture
def outlives(monkeypatch) -> None:
    """What ends by an error here leaves its folder as a kill does."""
    monkeypatch.setattr(RunFolder, "_end", RunFolder._let_go)


@pytest.mark.parametrize("step", ["reading", "decoding"])
@pytest.mark.usefixtures("outlives")
def test_a_run_that_was_killed_before_it_trained_goes_on(split_photos, tmp_path, step):
    steps: list[str] = []
    whole = eyespot.train(
        split_photos, out=tmp_path, name="whole", progress=lambda step, *_: steps.append(step), **QUICK
    )
    run = stop(split_photos, tmp_path, steps[0] if step == "reading" else step)
    assert {path.name for path in run.iterdir()} <= {"args.json", "config.yaml", "events.jsonl"}
    result = eyespot.train(resume=run)
    assert Path(result.run) == run
    for name in ("bundle/model.onnx", "results.csv", "predictions.csv"):
        assert (run / name).read_bytes() == (Path(whole.run) / name).read_bytes()


@pytest.mark.usefixtures("outlives")
def test_a_run_that_another_process_works_on_cannot_be_resumed(split_photos, tmp_path):
    run = stop(split_photos, tmp_path, "decoding")
    other = RunLock.taken(run)
    before = (run / "args.json").read_bytes()
    with pytest.raises(OptionError) as caught:
        eyespot.train(resume=run)
    assert str(caught.value) == (
        f"{run} cannot be resumed: another process works on it just now; wait, or stop that one"
    )
    assert (run / "args.json").read_bytes() == before
    other.let_go()
    assert eyespot.train(resume=run).regime == "scratch"


def test_what_another_process_finished_meanwhile_is_not_resumed(split_photos, tmp_path, monkeypatch):
    result = eyespot.train(split_photos, out=tmp_path, **QUICK)
    report = Path(result.report)
    text = report.read_bytes()
    report.unlink()
    taken = RunLock.taken

    def finished_before(folder: Path) -> RunLock | None:
        report.write_bytes(text)
        return taken(folder)

    monkeypatch.setattr(RunLock, "taken", finished_before)
    with pytest.raises(OptionError, match="is finished, so there is nothing to resume"):
        eyespot.train(resume=result.run)
