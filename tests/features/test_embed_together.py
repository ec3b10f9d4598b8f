"""Two processes that embed together: each does its share, and both have what one alone would have."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from embed_child import PREPROCESS, cases
from PIL import Image
from torch import nn

from eyespot.blocks import chain, conv
from eyespot.distributed.world import World
from eyespot.engine.from_torch import to_onnx

CHILD = Path(__file__).parents[1] / "embed_child.py"
PICTURES, COPIES, BROKEN = 11, 2, 2


def fill(folder: Path) -> Path:
    """A folder with pictures, copies of two of them and two files that are no pictures, and the graph of a trunk."""
    random = np.random.default_rng(0)
    (folder / "photos").mkdir()
    for number in range(PICTURES):
        image = Image.fromarray(random.integers(0, 256, (40, 32, 3), dtype=np.uint8))
        for name in (f"{number:02}.png", f"{number:02}-copy.png")[: 2 if number in (1, 8) else 1]:
            image.save(folder / "photos" / name)
    for name in ("01x.png", "99.png"):
        (folder / "photos" / name).write_text(f"no picture, {name}")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = chain(conv=conv(3, 8, 3, bias=True), act=nn.ReLU(), pool=nn.AdaptiveAvgPool2d(2))
        (folder / "graph.onnx").write_bytes(to_onnx(net.eval(), PREPROCESS))
    return folder


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """What each of two ranks found, started by torchrun."""
    folder = fill(tmp_path_factory.mktemp("together"))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run([*command, str(CHILD), str(folder)], capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    return [dict(np.load(folder / f"{rank}.npz")) for rank in range(2)]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """What one process finds."""
    return cases(fill(tmp_path_factory.mktemp("alone")), World())


def said(found: dict[str, np.ndarray], case: str) -> dict:
    return json.loads(str(found[f"{case} said"][0]))


def test_every_rank_has_the_bits_of_one_process_alone(together, alone):
    for found in together:
        assert found.keys() == alone.keys()
        for name in (name for name in alone if " view " in name):
            assert found[name].shape == alone[name].shape
            assert found[name].tobytes() == alone[name].tobytes()
    assert sum(name.startswith("drawn view ") for name in alone) == 4
    assert alone["alone view 1"].shape == (PICTURES + COPIES, 8, 2, 2)


def test_pictures_set_aside_counts_and_notes_agree(together, alone):
    for found in together:
        for name in (name for name in alone if name.endswith(" said")):
            assert Path(said(found, "alone")["pictures"][0]).name == "00.png"
            here, there = json.loads(str(found[name][0])), json.loads(str(alone[name][0]))
            assert here["computed"] == there["computed"]
            assert here["notes"] == there["notes"]
            for one, other in zip(here["pictures"], there["pictures"], strict=True):
                assert Path(one).name == Path(other).name
            for one, other in zip(here["set aside"], there["set aside"], strict=True):
                assert Path(one["picture"]).name == Path(other["picture"]).name
                assert one["reason"] == other["reason"]
    assert len(said(alone, "alone")["set aside"]) == BROKEN
    assert said(alone, "too many for the store")["notes"] != []


def test_each_picture_is_computed_by_one_rank(together):
    for case in ("alone", "on disk", "shared", "own", "too many for the store"):
        shares = [int(found[f"{case} own"][0]) for found in together]
        assert sum(shares) == said(together[0], case)["computed"]
        assert max(shares) - min(shares) <= 2 * 2
    assert [int(found["one own"][0]) for found in together] == [2, 0]


def test_what_is_stored_is_computed_by_none(together):
    known = 4 * 2  # of the first six files one is a copy, and one no picture
    assert said(together[0], "shared")["computed"] == PICTURES * 2 - known
    assert said(together[0], "shared again")["computed"] == 0
    assert said(together[0], "own")["computed"] == PICTURES * 2
    assert said(together[0], "own again")["computed"] == 0


def test_progress_ends_at_the_total_of_all_ranks(together, alone):
    for found in (*together, alone):
        ticks = found["alone ticks"].tolist()
        assert ticks == sorted(ticks)
        assert ticks[-1] == [(PICTURES + BROKEN) * 2] * 2
