"""Files of every format that was ever written load, and answer what they answered then."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import eyespot
from eyespot.bundle.exported import EXPORT_VERSION
from eyespot.bundle.files import notes_on
from eyespot.bundle.manifest import FORMAT_VERSION
from eyespot.cli.main import main
from eyespot.data import store_file
from eyespot.data.store import Store

HERE = Path(__file__).parent
BEFORE_HASHES = ("bundle-1", "bundle-2", "bundle-3", "export-1")
ANSWERS: dict[str, Any] = json.loads((HERE / "answers.json").read_text())


@pytest.fixture
def golden(tmp_path) -> Callable[[str], Path]:
    """Gives the file or folder of that name, unpacked where it is packed."""

    def _golden(name: str) -> Path:
        if not name.endswith(".xml"):
            return HERE / name
        xml = tmp_path / Path(name).name
        xml.write_bytes(gzip.decompress((HERE / f"{name}.gz").read_bytes()))
        shutil.copy((HERE / name).with_suffix(".bin"), tmp_path)
        return xml

    return _golden


def numbers(said: Any) -> list[float]:
    """All numbers that a model said, in order, by the names that are with them."""
    if hasattr(said, "detections"):
        return [number for each in said.detections for number in (each.probability, *each.xyxy)]
    of_classes = getattr(said, "probabilities", None) or said.predictions
    return [each.probability for each in sorted(of_classes, key=lambda each: each.class_)]


def then(name: str) -> tuple[list[str], list[float]]:
    """The names and the numbers that were said."""
    said = ANSWERS[name]
    if isinstance(said, dict):
        return sorted(said), [said[name] for name in sorted(said)]
    return [each[0] for each in said], [number for each in said for number in each[1:]]


@pytest.mark.parametrize("name", ANSWERS)
def test_a_model_of_any_format_answers_what_it_did(name, golden, shared_cache):
    model = eyespot.load(golden(name))
    [said] = model.predict(HERE / "picture.png")
    names, expected = then(name)
    if hasattr(said, "detections"):
        assert [each.class_ for each in said.detections] == names
    else:
        assert sorted(model.classes) == names
    assert numbers(said) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_person_is_told_once_where_nothing_vouches_for_a_model(name, golden, shared_cache):
    model = eyespot.load(golden(name))
    is_old = name.split("/")[0] in BEFORE_HASHES
    assert len(notes_on(model.bundle)) == is_old
    ran = CliRunner().invoke(main, ["predict", str(golden(name)), str(HERE / "picture.png"), "--json"])
    assert ran.exit_code == 0
    assert ran.stderr.count("carries no hash of its names and numbers") == is_old


def test_there_is_a_file_of_each_format():
    bundles, exports = (sorted(HERE.glob(f"{kind}-*")) for kind in ("bundle", "export"))
    assert [int(each.name.rpartition("-")[2]) for each in bundles] == [*range(1, FORMAT_VERSION + 1)]
    assert [int(each.name.rpartition("-")[2]) for each in exports] == [*range(1, EXPORT_VERSION + 1)]
    assert {each.name for each in HERE.glob("store-*")} == {f"store-{store_file.VERSION}"}


def test_a_store_is_read(tmp_path):
    (tmp_path / "store.sqlite3").write_bytes((HERE / "store-1" / "store.sqlite3").read_bytes())
    with Store(tmp_path) as store:
        found = store.get(["features", "flags"])
    assert np.array_equal(found["features"], [[0, 1, 2], [3, 4, 5]])
    assert found["features"].dtype == np.float32
    assert found["flags"].tolist() == [True, False]
