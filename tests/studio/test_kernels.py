"""The kernels that the studio shows: the network's own, those of every epoch, and the named ones they are like."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from eyespot.arithmetic.nearest_kernel import nearest_kernels
from eyespot.runs.kernels import KERNELS, read_kernels
from eyespot.studio.app import make_app
from eyespot.studio.desk import Desk
from eyespot.studio.kernels_endpoints import MOST_SHOWN
from eyespot.studio.subject import opened
from eyespot.walking.walk import weight_of


@pytest.fixture(scope="module")
def run(digits_run) -> Path:
    """What `train` made of the embedded digits."""
    return Path(digits_run.run)


@pytest.fixture(scope="module")
def client(run) -> Iterator[TestClient]:
    with TestClient(make_app(Desk(opened(run))), base_url="http://127.0.0.1") as client:
        yield client


def ask(client: TestClient, address: str) -> Any:
    answer = client.get(f"/studio/{address}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def numbers(said: dict[str, Any]) -> np.ndarray:
    return np.array([plane["values"] for plane in said["planes"]], np.float32)


def test_the_kernels_are_those_of_the_network_with_the_named_ones_that_they_are_like(client, run):
    said = ask(client, "planes?layer=stage1.conv")
    weight = weight_of(opened(run).net, "stage1.conv")
    assert (said["of"], said["kernel"]) == (6, [5, 5])
    np.testing.assert_array_equal(numbers(said), weight.reshape(6, 25))
    assert [(plane["map"], plane["source"]) for plane in said["planes"]] == [(each, 0) for each in range(6)]
    for name, turned in (("nearest", False), ("turned", True)):
        assert [plane[name] for plane in said["planes"]] == [
            asdict(each) for each in nearest_kernels(weight[:, 0], turned=turned)
        ]
    assert all(abs(plane["turned"]["cosine"]) >= plane["nearest"]["cosine"] for plane in said["planes"])


def test_many_planes_come_some_at_a_time(client, run):
    weight = weight_of(opened(run).net, "stage2.conv").reshape(-1, 25)
    first, second = (ask(client, f"planes?layer=stage2.conv&first={at}") for at in (0, MOST_SHOWN))
    assert (first["of"], len(first["planes"]), len(second["planes"])) == (96, 64, 32)
    np.testing.assert_array_equal(np.concatenate([numbers(first), numbers(second)]), weight)
    assert [(plane["map"], plane["source"]) for plane in second["planes"]][:2] == [(10, 4), (10, 5)]
    assert ask(client, "planes?layer=stage2.conv&first=96")["planes"] == []


def test_every_epoch_is_there_in_the_same_colours(client, run):
    history, kept = ask(client, "kernel_history"), read_kernels(run)
    assert history == {"layer": "stage1.conv", "epochs": [0, 1, 2], "said": None}
    each = [ask(client, f"planes?layer=stage1.conv&epoch={epoch}") for epoch in (0, 1, 2)]
    for at, said in enumerate(each):
        np.testing.assert_array_equal(numbers(said), kept.kernels[at].reshape(6, 25))
    assert len({said["most"] for said in (*each, ask(client, "planes?layer=stage1.conv"))}) == 1


def test_a_run_without_kept_kernels_and_one_with_a_damaged_file(run, tmp_path):
    folder = Path(shutil.copytree(run, tmp_path / "copy"))
    (folder / KERNELS).write_bytes(b"PK")
    with TestClient(make_app(Desk(opened(folder))), base_url="http://127.0.0.1") as client:
        assert "damaged" in ask(client, "kernel_history")["said"]
        assert len(ask(client, "planes?layer=stage1.conv")["planes"]) == 6
        (folder / KERNELS).unlink()
        assert ask(client, "kernel_history") == {"layer": None, "epochs": [], "said": None}


def test_a_depthwise_convolution_names_the_map_that_it_is_laid_on():
    with TestClient(make_app(Desk(opened("efficientnet_lite0"))), base_url="http://127.0.0.1") as client:
        layers = ask(client, "network")["layers"]
        name = next(layer["name"] for layer in layers if layer["kind"] == "depthwise conv")
        said = ask(client, f"planes?layer={name}")
        assert all(plane["map"] == plane["source"] for plane in said["planes"])
        assert said["planes"][0]["nearest"]["name"]
        assert ask(client, "kernel_history")["layer"] is None


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("planes", 400, "the parameter layer is missing"),
        ("planes?layer=stage9", 404, "has no kernels"),
        ("planes?layer=head.fc", 404, "no kernels with rows and columns"),
        ("planes?layer=stage1.conv&epoch=77", 404, "were kept after epoch 77"),
        ("planes?layer=stage2.conv&epoch=1", 404, "were kept after epoch 1"),
        ("planes?layer=stage1.conv&epoch=x", 400, "epoch must be a number"),
        ("planes?layer=stage1.conv&first=-1", 400, "first must be a number"),
        ("planes?layer=stage1.conv&path=/etc", 400, "there is no parameter 'path'"),
    ],
)
def test_what_cannot_be_asked_is_told_in_a_sentence(client, address, status, words):
    answer = client.get(f"/studio/{address}")
    assert answer.status_code == status
    assert words in answer.json()["error"]
