"""What is done to pictures before each epoch, and how they are held."""

from __future__ import annotations

import pytest

from eyespot.augmenting.augmentation import PHOTOS, PHOTOS_UNMIRRORED
from eyespot.data.data_set import DataSet
from eyespot.progress import silent
from eyespot.records import Preprocess
from eyespot.regimes.on_images import AUGMENTATIONS, SHIFTED, SMALL_PHOTOS, augmentation_for
from eyespot.regimes.prepare import Prepared
from eyespot.runs.clock import Clock
from eyespot.runs.folder import RunFolder
from eyespot.runs.job import Job
from eyespot.runs.options import train_options


def augmentation(
    tmp_path, *, side: int = 224, color: str = "rgb", matters: bool = False, useful: bool = True, **options
):
    prepared = Prepared(DataSet("pets", (), ("a", "b")), [], True, matters, [], [], "0" * 32)
    channels = 3 if color == "rgb" else 1
    preprocess = Preprocess(
        short_side=side,
        crop_hw=(side, side),
        filter="bilinear",
        color=color,
        mean=(127.5,) * channels,
        scale=(127.5,) * channels,
    )
    chosen = train_options(**options)
    job = Job(chosen, RunFolder(chosen), None, tmp_path, "fp32", silent, Clock())
    return augmentation_for(job, prepared, preprocess, mirror=useful)


@pytest.mark.parametrize(
    ("pictures", "options", "expected"),
    [
        ({}, {}, PHOTOS),
        ({"matters": True}, {}, PHOTOS_UNMIRRORED),
        ({}, {"mirror": "no"}, PHOTOS_UNMIRRORED),
        ({"matters": True}, {"mirror": "yes"}, PHOTOS),
        ({"useful": False}, {}, PHOTOS_UNMIRRORED),
        ({"useful": False}, {"mirror": "yes"}, PHOTOS),
        ({"side": 32}, {}, SMALL_PHOTOS),
        ({"side": 32, "matters": True}, {}, SHIFTED),
        ({"side": 32}, {"mirror": "no"}, SHIFTED),
        ({"side": 32, "color": "gray"}, {}, SHIFTED),
    ],
    ids=str,
)
def test_auto_chooses_by_size_and_kind_and_mirrors_nothing_against_a_persons_will(
    tmp_path, pictures, options, expected
):
    assert augmentation(tmp_path, **pictures, **options) == expected


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_what_is_asked_for_is_done_whatever_the_pictures(tmp_path, name):
    found = [augmentation(tmp_path, side=side, augment=name) for side in (32, 224)]
    assert found == [AUGMENTATIONS[name]] * 2
    assert (found[0] is None) == (name == "none")
