"""Keys: whatever changes a feature's numbers changes its key, and nothing else does."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest

from eyespot.data.copies import content_hash
from eyespot.data.pictures import decoder_version
from eyespot.data.store import Store
from eyespot.engine.run import engine_version
from eyespot.features.trunk import Recipe
from eyespot.records import Levels, Preprocess

PREPROCESS = Preprocess(
    short_side=64, crop_hw=(32, 40), filter="bicubic", color="rgb", mean=(1, 2, 3), scale=(4, 5, 6), exact=True
)
RECIPE = Recipe(PREPROCESS, trunk="t" * 40, precision="fp32", engine="openvino 1", decoder="1 pillow")
CONTENT = content_hash(b"picture")
CHANGES = {
    "short_side": 65,
    "crop_hw": (40, 32),
    "filter": "bilinear",
    "mean": (1, 2, 3.5),
    "scale": (4, 5, 6.5),
    "exact": False,
    "levels": Levels(integers=(2731, 3412), floats=None),
    "fit": "letterbox",
}
OTHER_RECIPES = {
    **{name: replace(RECIPE, preprocess=PREPROCESS.model_copy(update={name: to})) for name, to in CHANGES.items()},
    "color": replace(
        RECIPE, preprocess=PREPROCESS.model_copy(update={"color": "gray", "mean": (1.0,), "scale": (4.0,)})
    ),
    "trunk": replace(RECIPE, trunk="u" * 40),
    "precision": replace(RECIPE, precision="bf16"),
    "engine": replace(RECIPE, engine="openvino 2"),
    "decoder": replace(RECIPE, decoder="2 pillow"),
    "dtype": replace(RECIPE, dtype="float16"),
}


def test_the_changes_below_reach_every_part_of_a_recipe_and_of_the_preprocessing():
    parts = {*Preprocess.model_fields, *(field.name for field in fields(Recipe))} - {"preprocess"}
    assert set(OTHER_RECIPES) == parts


@pytest.mark.parametrize("part", OTHER_RECIPES)
def test_a_change_of_any_part_is_a_miss_in_the_store(tmp_path, part):
    with Store(tmp_path) as store:
        store.put({RECIPE.key(CONTENT, "identity"): np.zeros(3, np.float32)})
        assert store.get([OTHER_RECIPES[part].key(CONTENT, "identity")]) == {}


def test_another_content_and_another_view_are_misses_in_the_store(tmp_path):
    with Store(tmp_path) as store:
        store.put({RECIPE.key(CONTENT, "identity"): np.zeros(3, np.float32)})
        assert store.get([RECIPE.key(content_hash(b"other"), "identity"), RECIPE.key(CONTENT, "mirror")]) == {}


def test_the_same_parts_are_a_hit_in_the_store(tmp_path):
    again = Recipe(
        Preprocess.model_validate_json(PREPROCESS.model_dump_json()),
        trunk="t" * 40,
        precision="fp32",
        engine="openvino 1",
        decoder="1 pillow",
    )
    with Store(tmp_path) as store:
        store.put({RECIPE.key(CONTENT, "mirror"): np.arange(3, dtype=np.float32)})
        key = again.key(content_hash(b"picture"), "mirror")
        assert store.get([key])[key].tolist() == [0, 1, 2]


def test_all_keys_differ_from_one_another():
    recipes = [RECIPE, *OTHER_RECIPES.values()]
    contents = [content_hash(bytes([number])) for number in range(5)]
    keys = {each.key(content, view) for each in recipes for content in contents for view in ("identity", "mirror")}
    assert len(keys) == len(recipes) * len(contents) * 2


def test_a_key_is_the_same_in_another_process():
    program = (
        "from eyespot.features.trunk import Recipe; from eyespot.records import Preprocess;"
        "p = Preprocess(short_side=64, crop_hw=(32, 40), filter='bicubic', color='rgb', mean=(1, 2, 3),"
        "scale=(4, 5, 6), exact=True);"
        "print(Recipe(p, trunk='t' * 40, precision='fp32', engine='openvino 1', decoder='1 pillow')"
        f".key({CONTENT!r}, 'identity'))"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == RECIPE.key(CONTENT, "identity")


def test_the_recipe_of_this_process_names_its_engine_and_decoder():
    made = Recipe(PREPROCESS, trunk="t", precision="bf16")
    assert made == Recipe(PREPROCESS, "t", "bf16", engine_version(), decoder_version(), "float32")
    assert engine_version().startswith("openvino 20")
