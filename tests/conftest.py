"""Shared by all tests: where real data is, a cache of its own for every test run, no network."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_KEPT: list[object] = []


def _declare_torchvision_operators() -> None:
    """Let PyPI's torchvision (built for CUDA) be imported beside a CPU build of torch: its compiled operators are
    absent then, and only their names are missing. Tests use torchvision and timm as an outside truth for networks."""
    try:
        import torchvision  # noqa: F401
    except ModuleNotFoundError:
        return
    except RuntimeError:
        import torch

        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _KEPT.append(library)  # the declarations go with the object


@pytest.fixture(scope="session")
def timm():
    """timm, with torchvision importable."""
    _declare_torchvision_operators()
    return pytest.importorskip("timm")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets, from the environment variable EYESPOT_TEST_DATA."""
    folder = os.environ.get("EYESPOT_TEST_DATA")
    if not folder:
        pytest.skip("EYESPOT_TEST_DATA is unset: no real data to test on")
    return Path(folder)


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache folder that eyespot uses during this test."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("EYESPOT_CACHE", str(folder))
    return folder
