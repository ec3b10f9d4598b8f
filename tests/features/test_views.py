"""Views: those that chance draws are the augmentation's own, whatever happens around them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from embed_child import PREPROCESS
from torch import nn

from eyespot.augmenting import augmentation
from eyespot.augmenting.augment import augment
from eyespot.augmenting.augmentation import DIGITS, PHOTOS, PHOTOS_UNMIRRORED, Augmentation
from eyespot.augmenting.chance import Chance, pictures_by_content
from eyespot.blocks import chain
from eyespot.data.copies import Hashed, content_hash
from eyespot.data.data_set import Picture
from eyespot.data.store import Store
from eyespot.engine.from_torch import to_onnx
from eyespot.features.embed import embed
from eyespot.features.trunk import Recipe, Trunk
from eyespot.features.views import AnyView, Drawn, choose_views, seen_as
from eyespot.records import Network

CONTENTS = [content_hash(bytes([number])) for number in range(9)]
IMAGES = np.random.default_rng(0).integers(0, 256, (9, 32, 32, 3), dtype=np.uint8)
DRAWN = Drawn(PHOTOS, seed=3, number=2)
RECIPE = Recipe(PREPROCESS, trunk="t", precision="fp32", engine="openvino 1", decoder="1")


@pytest.fixture(scope="module")
def trunk() -> Trunk:
    """Its features are the images themselves, smaller."""
    graph = to_onnx(chain(pool=nn.AvgPool2d(4)).eval(), PREPROCESS)
    return Trunk(graph, network=Network(name="tiny"), preprocess=PREPROCESS, precision="fp32", folder=None)


@pytest.fixture(scope="module")
def hashed() -> list[Hashed]:
    """The images as files."""
    files = [b"P6 32 32 255\n" + image.tobytes() for image in IMAGES]
    return [Hashed(Picture(f"{n}.ppm", data=data), content_hash(data)) for n, data in enumerate(files)]


def test_views_are_the_image_itself_and_mirrored_left_to_right():
    image = np.arange(12).reshape(2, 3, 2)
    assert seen_as("identity", [image], CONTENTS[:1])[0] is image
    np.testing.assert_array_equal(seen_as("mirror", [image], CONTENTS[:1])[0], np.flip(image, 1))


def test_a_drawn_view_is_what_the_augmentation_makes_of_seed_number_and_content():
    expected = augment(IMAGES, Chance(3, 2, pictures_by_content(CONTENTS)), PHOTOS)
    np.testing.assert_array_equal(np.stack(seen_as(DRAWN, IMAGES, CONTENTS)), expected)
    for number in (4, 8):  # alone, too
        [view] = seen_as(DRAWN, IMAGES[[number]], [CONTENTS[number]])
        np.testing.assert_array_equal(view, expected[number])


@pytest.mark.parametrize(
    ("count", "kind", "expected"),
    [
        (1, PHOTOS, ("identity",)),
        (2, PHOTOS, ("identity", "mirror")),
        (4, PHOTOS, ("identity", "mirror", Drawn(PHOTOS, 7, 0), Drawn(PHOTOS, 7, 1))),
        (2, PHOTOS_UNMIRRORED, ("identity", Drawn(PHOTOS_UNMIRRORED, 7, 0))),
        (3, DIGITS, ("identity", Drawn(DIGITS, 7, 0), Drawn(DIGITS, 7, 1))),
    ],
)
def test_views_are_chosen_plain_ones_first(count, kind, expected):
    assert choose_views(count, kind, seed=7) == expected


# Features of them


VIEWS: tuple[AnyView, ...] = choose_views(5, PHOTOS, seed=1)


def test_features_are_those_of_the_augmented_images(trunk, hashed):
    done = embed(trunk, hashed, views=VIEWS, store=None)
    assert tuple(done.features) == VIEWS
    contents = pictures_by_content(each.content for each in hashed)
    for number in range(3):
        seen = augment(IMAGES, Chance(1, number, contents), PHOTOS)
        expected = np.concatenate([trunk.engine.run(image[None])["features"] for image in seen])
        np.testing.assert_array_equal(done.features[Drawn(PHOTOS, 1, number)], expected)


@pytest.mark.parametrize("torch_threads", [1, 2])
@pytest.mark.parametrize("chosen", [slice(None, None, -1), slice(3, 4), slice(1, None, 3)])
def test_neither_order_nor_company_nor_threads_decide_a_view(trunk, hashed, chosen, torch_threads):
    everything = embed(trunk, hashed, views=VIEWS, store=None)
    before = torch.get_num_threads()
    torch.set_num_threads(torch_threads)
    try:
        some = embed(trunk, hashed[chosen], views=VIEWS[::-1], store=None)
    finally:
        torch.set_num_threads(before)
    for view in VIEWS:
        assert some.features[view].tobytes() == everything.features[view][chosen].tobytes()


def test_the_same_seed_draws_the_same_bits_and_another_seed_others(trunk, hashed):
    one, again, other = (
        embed(trunk, hashed, views=[Drawn(PHOTOS, seed, 0)], store=None).features[Drawn(PHOTOS, seed, 0)]
        for seed in (0, 0, 1)
    )
    assert one.tobytes() == again.tobytes()
    assert not any(np.array_equal(mine, yours) for mine, yours in zip(one, other, strict=True))


def test_only_views_that_are_not_stored_are_computed(trunk, hashed, tmp_path):
    with Store(tmp_path) as store:
        first = embed(trunk, hashed, views=VIEWS[:3], store=store)
        more = embed(trunk, hashed, views=VIEWS, store=store)
        assert (first.computed, more.computed) == (27, 18)
        assert embed(trunk, hashed, views=choose_views(5, PHOTOS, seed=2), store=store).computed == 27
        assert embed(trunk, hashed, views=VIEWS, store=store).computed == 0
    for view in VIEWS[:3]:
        assert first.features[view].tobytes() == more.features[view].tobytes()


# Keys


def test_a_key_changes_with_all_that_decides_a_drawn_view(monkeypatch):
    other = {
        "seed": replace(DRAWN, seed=4),
        "number": replace(DRAWN, number=3),
        **{
            name: replace(DRAWN, augmentation=PHOTOS.model_copy(update={name: value}))
            for name, value in {
                **{"mirror": False, "crop_area": (0.5, 1.0), "crop_aspect": (0.5, 2.0), "shift_px": 1},
                **{"rotation_degrees": 11.0, "shear_degrees": 4.0, "elastic_px": 1.0, "elastic_smoothing_px": 5.0},
                **{"padding": "edge", "brightness": 0.1, "contrast": 0.1, "saturation": 0.1, "pca_color": 0.2},
                **{"erase_probability": 0.1, "erase_area": (0.1, 0.2)},
            }.items()
        },
    }
    assert set(other) == {"seed", "number", *Augmentation.model_fields}
    keys = {RECIPE.key(CONTENTS[0], view) for view in (DRAWN, "identity", "mirror", *other.values())}
    monkeypatch.setattr("eyespot.features.views.VERSION", augmentation.VERSION + 1)
    keys.add(RECIPE.key(CONTENTS[0], replace(DRAWN)))
    monkeypatch.undo()
    monkeypatch.setattr("eyespot.features.views.version", lambda package: "1.0")
    keys.add(RECIPE.key(CONTENTS[0], replace(DRAWN)))
    assert len(keys) == len(other) + 5


def test_a_key_is_the_same_in_another_process_which_does_not_import_torch():
    program = (
        "import sys; from eyespot.features.views import Drawn; from eyespot.augmenting.augmentation import PHOTOS;"
        "print(Drawn(PHOTOS, seed=3, number=2).key, 'torch' in sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed.split() == [DRAWN.key, "False"]
    assert replace(DRAWN, augmentation=Augmentation.model_validate_json(PHOTOS.model_dump_json())).key == DRAWN.key
