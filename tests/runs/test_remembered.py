"""Trainings that are remembered are there whole or not at all, whenever their keeper was killed."""

import os
import shutil
from types import SimpleNamespace

import pytest

from eyespot.bundle.files import CHECKPOINTS
from eyespot.runs import remembered
from eyespot.runs.remembered import FOLDER, MOST, recall, remember


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def job_of(tmp_path):
    """What a run that ends knows: a checkpoint whose content is its name."""

    def of(name: str, *, weights: bool = True):
        run, decisions = tmp_path / name, {"name": name} if weights else {}
        if weights:
            (run / CHECKPOINTS / "tail").mkdir(parents=True)
            (run / CHECKPOINTS / "tail" / "1.safetensors").write_text(name)
        return SimpleNamespace(
            cache_folder=tmp_path / "cache",
            folder=SimpleNamespace(path=run),
            world=SimpleNamespace(size=1),
            clock=SimpleNamespace(decisions=decisions, recall=decisions.update),
        )

    return of


def test_one_that_is_half_removed_is_not_recalled(tmp_path, job_of, monkeypatch):
    """The one that goes is not taken up with its decisions and without its weights."""
    for number in range(MOST):
        remember(job_of(f"{number}"), f"key-{number}")
        os.utime(tmp_path / "cache" / FOLDER / f"key-{number}", (number, number))
    rmtree = shutil.rmtree

    def half(path, **options):
        if path.exists():
            rmtree(path / CHECKPOINTS)
            raise Killed

    monkeypatch.setattr(remembered.shutil, "rmtree", half)
    with pytest.raises(Killed):
        remember(job_of("last"), "key-last")
    monkeypatch.setattr(remembered.shutil, "rmtree", rmtree)
    assert not recall(job_of("next", weights=False), "key-0")
    again = job_of("again", weights=False)
    assert recall(again, "key-last")
    assert (again.folder.path / CHECKPOINTS / "tail" / "1.safetensors").read_text() == "last"


def test_what_a_killed_keeper_left_goes(tmp_path, job_of):
    left = tmp_path / "cache" / FOLDER / "other.part"
    left.mkdir(parents=True)
    remember(job_of("a"), "key-a")
    assert left.exists()  # another process may be at it
    os.utime(left, (1, 1))
    remember(job_of("b"), "key-b")
    assert sorted(each.name for each in left.parent.iterdir()) == ["key-a", "key-b"]
