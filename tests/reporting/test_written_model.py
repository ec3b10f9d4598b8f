"""While the ladder is climbed the test part stays unseen, and the writer alone writes."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from eyespot.regimes.fitted import stopped_note
from eyespot.reporting import written_model as module
from eyespot.reporting.written_model import keeping


@dataclass(frozen=True)
class Model:
    held_out: tuple[str, ...] = ("val", "test")


@pytest.fixture
def written(monkeypatch) -> list[tuple[Any, Any]]:
    """What was written, as model and measurements."""
    written: list[tuple[Any, Any]] = []
    monkeypatch.setattr(module, "measure", lambda fitted, **_: SimpleNamespace(of=fitted.held_out, notes=[]))
    monkeypatch.setattr(module, "write_model", lambda fitted, measured, job: written.append((fitted, measured)))
    return written


def job(*, is_writer: bool = True) -> Any:
    return SimpleNamespace(world=SimpleNamespace(is_writer=is_writer), store=None, progress=None)


def test_a_model_that_is_kept_is_measured_on_the_validation_pictures_alone(written):
    keeping(job())(Model())
    [(fitted, measured)] = written
    assert (fitted.held_out, measured.of) == (("val", "test"), ("val",))


def test_other_ranks_write_nothing(written):
    keeping(job(is_writer=False))(Model())
    assert written == []


def test_ctrl_c_while_it_is_measured_ends_the_ladder_with_the_model_on_disk(written, monkeypatch):
    stopped = SimpleNamespace(notes=[stopped_note("measuring")])
    monkeypatch.setattr(module, "measure", lambda fitted, **_: stopped)
    with pytest.raises(KeyboardInterrupt):
        keeping(job())(Model())
    assert len(written) == 1
