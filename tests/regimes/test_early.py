"""The default network is made ready while pictures are read, and used only where it is what the training needs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from eyespot.building.backbone import DEFAULT
from eyespot.data.sources import open_data_set
from eyespot.progress import silent
from eyespot.regimes import early
from eyespot.runs.clock import Clock
from eyespot.runs.folder import RunFolder
from eyespot.runs.job import Job
from eyespot.runs.options import train_options


@pytest.fixture
def photos(tmp_path, draw):
    draw(tmp_path / "photos", each=2)
    return open_data_set(tmp_path / "photos")


def job(options, folder) -> Job:
    return Job(options, RunFolder(options), None, folder, "fp32", silent, Clock())


def test_what_was_begun_is_what_the_training_gets(photos, shared_cache):
    options = train_options(precision="fp32")
    begun = early.begun(photos, options)
    its = job(options, shared_cache)
    trunk = begun(DEFAULT, its)
    assert trunk is begun(DEFAULT, its)
    assert trunk.whole_graph == early.made(DEFAULT, its).whole_graph
    assert "engine" in vars(trunk)


def test_another_network_size_precision_or_cache_is_made_anew(photos, shared_cache, tmp_path):
    begun = early.begun(photos, train_options(precision="fp32"))
    its = job(train_options(), shared_cache)
    first = begun(DEFAULT, its)
    assert begun(replace(DEFAULT, size=96), its) is not first
    assert begun(DEFAULT, replace(its, precision="bf16")) is not first
    assert begun(DEFAULT, replace(its, cache_folder=tmp_path)) is not first


def test_what_cannot_be_made_is_said_where_it_is_needed(photos, shared_cache, monkeypatch):
    monkeypatch.setattr(early, "choose_precision", lambda wanted: 1 / 0)
    begun = early.begun(photos, train_options())
    trunk = begun(DEFAULT, job(train_options(), shared_cache))
    assert trunk.precision == "fp32"


@pytest.mark.parametrize("options", [{"model": "resnet18"}, {"weights": "w.safetensors"}, {"regime": "scratch"}])
def test_nothing_is_begun_for_another_network(photos, options):
    assert early.begun(photos, train_options(**options)) is early.made


def test_nothing_is_begun_for_small_grey_pictures(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.fromarray(np.zeros((28, 28), np.uint8)).save(tmp_path / name / "0.png")
    data_set = open_data_set(tmp_path)
    assert early.begun(data_set, train_options()) is early.made
    assert early.begun(data_set, train_options(model="efficientnet_lite0")) is not early.made
