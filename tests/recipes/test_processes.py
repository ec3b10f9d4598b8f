"""Several processes, as a person starts them: one run folder, one summary, each error once, one process's model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from eyespot.bundle.files import read_bundle

TOGETHER = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
TAIL = [
    *("--freeze", "stage7", "--epochs", "7", "--batch", "8", "--average", "0", "--lr", "1e-3", "--precision", "fp32")
]
"""A head for 24 pictures: 21 steps."""


def trained(*words: object, together: bool = True) -> subprocess.CompletedProcess[str]:
    command = [*(TOGETHER if together else [sys.executable]), "-m", "eyespot", "train", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def result_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What `--json` said: one object, and nothing beside it."""
    assert done.returncode == 0, done.stderr[-2000:]
    said: dict[str, Any] = json.loads(done.stdout)
    return said


@pytest.fixture(autouse=True)
def _cache(shared_cache: Path) -> None:
    """The children use the cache that tests share."""


def weights(run: str) -> dict[str, np.ndarray]:
    model = onnx.load_from_string(read_bundle(run).graph)
    return {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}


def test_two_processes_train_the_model_of_one(draw, tmp_path):
    photos = tmp_path / "photos"
    for part, count in {"train": 8, "val": 10, "test": 2}.items():  # of val as many as may tell two models apart
        draw(photos / part, count, first=len(part) * 100)
    alone, both = (
        result_of(trained(photos, *TAIL, "--json", "--out", tmp_path / str(together), together=together))
        for together in (False, True)
    )
    assert [path.name for path in (tmp_path / "True/train").iterdir()] == [Path(both["run"]).name]
    assert (both["regime"], both["pictures"]) == ("partial", alone["pictures"])
    one, two = weights(alone["run"]), weights(both["run"])
    assert one.keys() == two.keys()
    for name, expected in one.items():
        np.testing.assert_allclose(two[name], expected, rtol=1e-3, atol=1e-4, err_msg=name)


def test_the_summary_is_printed_once(split_photos, tmp_path):
    done = trained(split_photos, "--regime", "frozen", "--out", tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("report.html") == 1


def test_an_error_is_said_once(split_photos, tmp_path):
    done = trained(split_photos, "--freeze", "stage99", "--out", tmp_path)
    assert done.returncode != 0
    assert done.stderr.count("the option freeze cannot be 'stage99'") == 1
    assert not list(tmp_path.rglob("*.json"))


def test_where_batchnorm_trains_the_report_says_what_differs(split_photos, tmp_path):
    words = ["--model", "resnet20", "--regime", "scratch", "--epochs", "1", "--batch", "8", "--json"]
    result = result_of(trained(split_photos, *words, "--out", tmp_path))
    [note] = [note for note in result["notes"] if "BatchNorm" in note]
    assert note.startswith("each of the 2 processes normalised its own share of a batch")
