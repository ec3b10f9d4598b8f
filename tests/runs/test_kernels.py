"""`kernels.npz`: a first convolution's kernels after every epoch, each once, whatever happened to the run."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import eyespot
from eyespot.building.named import bundle_with_weights
from eyespot.bundle.files import read_bundle
from eyespot.errors import DataError
from eyespot.regimes import kept_kernels
from eyespot.regimes import run_training as running
from eyespot.runs.folder import _holds_nothing
from eyespot.runs.kernels import KERNELS, KernelHistory, KernelLog, kept_every, read_kernels, write_kernels
from eyespot.training import loop

SCRATCH = {"model": "lenet5", "epochs": 4, "batch": 8}
SHAPE = (2, 1, 3, 3)


class Killed(BaseException):
    """Stands for a kill: nobody catches it."""


@pytest.fixture(autouse=True)
def _shared(shared_cache) -> None:
    """Every test uses the cache that tests share."""


@pytest.fixture(scope="module")
def run(split_photos, warm_cache, tmp_path_factory) -> Path:
    """A run from scratch. Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(warm_cache))
        return Path(eyespot.train(split_photos, out=tmp_path_factory.mktemp("whole"), **SCRATCH).run)


def history(*epochs: int) -> KernelHistory:
    kernels = np.stack([np.full(SHAPE, epoch, np.float32) for epoch in epochs])
    return KernelHistory("stage1.conv", epochs, kernels)


def test_every_epoch_is_kept_and_the_best_one_is_that_of_the_model(run):
    found = read_kernels(run)
    assert (found.layer, found.epochs) == ("stage1.conv", (0, 1, 2, 3, 4))
    assert found.kernels.shape == (5, 6, 3, 5, 5)
    assert all((one != other).any() for one, other in zip(found.kernels, found.kernels[1:], strict=False))
    with (run / "results.csv").open(encoding="utf-8") as file:
        best = max(int(row["epoch"]) for row in csv.DictReader(file) if row["best"] == "True")
    weight = bundle_with_weights(read_bundle(run)).get_submodule("stage1.conv").weight.detach().numpy()
    np.testing.assert_array_equal(found.kernels[found.epochs.index(best)], weight)


@pytest.mark.parametrize("at", [2, 8])
def test_a_killed_run_that_goes_on_has_the_same_file(split_photos, run, tmp_path, monkeypatch, at):
    monkeypatch.setattr(running, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(running, "CHECKPOINT_SHARE", 1e9)
    monkeypatch.setattr(loop, "KEPT_EVERY", 2)

    def kill(step: str, done: int, total: int) -> None:
        if (step, done) == ("training", at):
            raise Killed

    with pytest.raises(Killed):
        eyespot.train(split_photos, out=tmp_path, name="killed", progress=kill, **SCRATCH)
    killed = tmp_path / "train" / "killed"
    kept = read_kernels(killed)
    assert kept.epochs == tuple(range(len(kept.epochs)))
    write_kernels(killed, kept.with_epoch(len(kept.epochs), kept.kernels[0]))  # of an epoch that no checkpoint has
    eyespot.train(resume=killed)
    assert (killed / KERNELS).read_bytes() == (run / KERNELS).read_bytes()


def test_large_kernels_are_not_kept(split_photos, tmp_path, monkeypatch):
    monkeypatch.setattr(kept_kernels, "MOST_WEIGHTS", 149)
    result = eyespot.train(split_photos, out=tmp_path, **SCRATCH | {"epochs": 1})
    assert read_kernels(Path(result.run)) is None


def test_what_was_written_is_read_and_always_in_the_same_bytes(tmp_path):
    write_kernels(tmp_path, history(0, 1))
    first = (tmp_path / KERNELS).read_bytes()
    found = read_kernels(tmp_path)
    assert (found.layer, found.epochs) == ("stage1.conv", (0, 1))
    np.testing.assert_array_equal(found.kernels, history(0, 1).kernels)
    write_kernels(tmp_path, history(0, 1))
    assert (tmp_path / KERNELS).read_bytes() == first


def test_a_record_goes_on_after_a_kill_and_back_after_a_loss_that_is_no_number(tmp_path):
    now, told = np.zeros(SHAPE, np.float32), list[int]()
    record = KernelLog(tmp_path, "stage1.conv", lambda: now + len(told), epochs=3, notes=lambda note: None)
    record.begin(0, is_new=True)
    for epoch in (1, 2, 2, 3):  # the second was done again
        told.append(epoch)
        record.after(epoch)
    found = read_kernels(tmp_path)
    assert found.epochs == (0, 1, 2, 3)
    assert found.kernels[:, 0, 0, 0, 0].tolist() == [0, 1, 3, 4]
    again = KernelLog(tmp_path, "stage1.conv", lambda: now + 9, epochs=3, notes=lambda note: None)
    again.begin(1, is_new=False)
    again.after(2)
    assert read_kernels(tmp_path).kernels[:, 0, 0, 0, 0].tolist() == [0, 1, 9]


def test_of_larger_kernels_fewer_epochs_are_kept(tmp_path):
    assert kept_every(600, 200) == 1
    assert kept_every(80_000, 100) == 1
    assert kept_every(80_000, 1000) == 10
    record = KernelLog(tmp_path, "conv", lambda: np.zeros((200, 1, 10, 10), np.float32), epochs=205, notes=print)
    record.begin(0, is_new=True)
    for epoch in range(1, 206):
        record.after(epoch, is_last=epoch == 205)
    assert read_kernels(tmp_path).epochs == (*range(0, 205, 3), 205)


def test_a_disk_that_is_full_is_a_note_and_training_goes_on(tmp_path):
    notes: list[str] = []
    record = KernelLog(tmp_path / "gone", "conv", lambda: np.zeros(SHAPE, np.float32), epochs=2, notes=notes.append)
    record.begin(0, is_new=True)
    record.after(1)
    assert notes == [f"{tmp_path / 'gone' / KERNELS} ends early, for it cannot be written (No such file or directory)"]


def test_a_folder_with_nothing_but_the_kernels_holds_nothing_worth_having(tmp_path):
    write_kernels(tmp_path, history(0))
    assert _holds_nothing(tmp_path)


def test_a_damaged_file_is_told_and_a_record_begins_a_new_one(tmp_path):
    write_kernels(tmp_path, history(0, 1))
    data = (tmp_path / KERNELS).read_bytes()
    for damaged in (data[:-30], b"", b"PK", np.lib.format.magic(1, 0)):
        (tmp_path / KERNELS).write_bytes(damaged)
        with pytest.raises(DataError, match="is damaged"):
            read_kernels(tmp_path)
    record = KernelLog(tmp_path, "stage1.conv", lambda: np.zeros(SHAPE, np.float32), epochs=2, notes=print)
    record.begin(1, is_new=False)
    record.after(2)
    assert read_kernels(tmp_path).epochs == (2,)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"version": np.array(2)}, "newer version"),
        ({"epochs": np.array([1, 0])}, "damaged"),
        ({"epochs": np.array([0])}, "damaged"),
        ({"kernels": np.zeros((2, 3, 3))}, "damaged"),
        ({"kernels": np.full((2, *SHAPE), np.nan, np.float32)}, "damaged"),
        ({"layer": np.array([object()])}, "damaged"),
    ],
)
def test_what_is_no_history_of_kernels_is_told(tmp_path, changed, words):
    held = {
        "version": np.array(1),
        "layer": np.array("c"),
        "epochs": np.array([0, 1]),
        "kernels": history(0, 1).kernels,
    }
    np.savez(tmp_path / KERNELS, **held | changed)
    with pytest.raises(DataError, match=words):
        read_kernels(tmp_path)


def test_a_file_that_unpacks_to_much_is_told_before_it_is_unpacked(tmp_path):
    bomb = np.zeros((1, 1, 1, 4000, 4000), np.float32)
    np.savez_compressed(tmp_path / KERNELS, version=1, layer="conv", epochs=np.array([0]), kernels=bomb)
    assert (tmp_path / KERNELS).stat().st_size < 2**20
    with pytest.raises(DataError, match="unpacks to more than 16 MB"):
        read_kernels(tmp_path)
