"""A bundle that many threads ask at once: each gets the answer that it would get alone."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from color_bundle import SIDE, color_probabilities, write_color_bundle

from eyespot.bundle import many_threads as answering
from eyespot.bundle.files import read_bundle
from eyespot.bundle.many_threads import Answering
from eyespot.bundle.run import Classifier


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return read_bundle(write_color_bundle(tmp_path_factory.mktemp("colors") / "bundle"))


def images(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)


@pytest.mark.parametrize("seconds", [0.0, 1000.0], ids=["no batches", "batches"])
def test_many_threads_get_right_answers(bundle, monkeypatch, seconds):
    monkeypatch.setattr(answering, "SHORT_SECONDS", seconds)
    asked = Answering(Classifier(bundle, cache_folder=None))
    assert asked.most == (16 if seconds else 1)
    batches = [images(count % asked.most + 1) for count in range(64)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda batch: asked.answers(batch, alone=len(batch) % 2 == 1), batches))
    for batch, answer in zip(batches, answers, strict=True):
        found = [each.probabilities for each in answer]
        np.testing.assert_allclose(found, [color_probabilities(each) for each in batch], atol=1e-6)
