"""Views against torchvision's transforms of the same strength; the identity; what chance may decide and what not."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from eyespot.augmenting.augment import augment, seen
from eyespot.augmenting.augmentation import DIGITS, PHOTOS, PHOTOS_UNMIRRORED, SMALL_PHOTOS, Augmentation, describe
from eyespot.augmenting.chance import Chance
from eyespot.augmenting.views import Views, draw_views

SHAPES = ((28, 28, 1), (32, 32, 3), (40, 56, 3), (57, 41, 1))
EVERYTHING = PHOTOS.model_copy(update={"shift_px": 3, "erase_probability": 0.5, "elastic_px": 20.0})
PRESETS = {"photos": PHOTOS, "small photos": SMALL_PHOTOS, "digits": DIGITS, "everything": EVERYTHING}
RESAMPLED = Augmentation(rotation_degrees=1, padding="zero")
"""Makes `seen` resample, and look for black outside, as torchvision does."""


def chance(count: int, *, seed: int = 0, epoch: int = 0) -> Chance:
    return Chance(seed, epoch, np.arange(count, dtype=np.uint64) * np.uint64(7919))


def smooth(shape: tuple[int, int, int], count: int = 1, *, low: float = 60, high: float = 190) -> np.ndarray:
    """Pictures without hard edges or extremes, in which two roundings stay two levels."""
    height, width, channels = shape
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    waves = [
        [np.sin(4 * x + number + channel) + np.cos(5 * y - 2 * number * x + channel) for channel in range(channels)]
        for number in range(count)
    ]
    return np.rint(low + (high - low) * (np.array(waves).transpose(0, 2, 3, 1) + 2) / 4).astype(np.uint8)


def noise(shape: tuple[int, int, int], count: int = 1) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *shape)).astype(np.uint8)


def the_view(images: np.ndarray, augmentation: Augmentation, **chosen: object) -> np.ndarray:
    """The images in a view that does nothing but what is chosen."""
    nothing = draw_views(chance(len(images)), Augmentation())
    views = dataclasses.replace(nothing, **{name: np.array([value] * len(images)) for name, value in chosen.items()})
    return seen(images, views, chance(len(images)), augmentation)


@pytest.fixture(scope="module")
def theirs(torchvision):
    """torchvision's function of that name, from array (N, H, W, C) to array."""
    from torchvision.transforms.v2 import functional

    def apply(name: str, images: np.ndarray, *arguments: object, **options: object) -> np.ndarray:
        tensor = torch.from_numpy(images).permute(0, 3, 1, 2)
        return getattr(functional, name)(tensor, *arguments, **options).permute(0, 2, 3, 1).numpy()

    return apply


def apart(one: np.ndarray, other: np.ndarray, *, border: int = 0) -> int:
    """The largest difference, levels, without so many pixels at the border."""
    inside = np.s_[:, border : one.shape[1] - border, border : one.shape[2] - border]
    return int(np.abs(one[inside].astype(int) - other[inside]).max())


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_an_augmentation_that_does_nothing_gives_the_same_bytes(shape):
    images = noise(shape, 5)
    views = augment(images, chance(5), Augmentation())
    assert (views == images).all()
    assert not np.shares_memory(views, images)


@pytest.mark.parametrize("padding", ["reflect", "edge", "zero"])
@pytest.mark.parametrize("shape", [*SHAPES, (1, 9, 3)], ids=str)
def test_resampling_where_nothing_moves_gives_the_same_bytes(shape, padding):
    images = noise(shape, 5)
    views = the_view(images, RESAMPLED.model_copy(update={"padding": padding}))
    assert (views == images).all()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("angle", "shear"), [(20, 0), (-35, 0), (0, 15), (30, -20), (90, 0)])
def test_rotation_and_shear_are_torchvisions_affine(theirs, shape, angle, shear):
    from torchvision.transforms import InterpolationMode

    images, white = smooth(shape, 3), np.full((3, *shape), 255, np.uint8)
    bilinear = {"interpolation": InterpolationMode.BILINEAR, "fill": 0}
    expected, covered = (theirs("affine", x, angle, [3, -2], 1.0, [shear, 0.0], **bilinear) for x in (images, white))
    chosen = {"rotation_degrees": float(angle), "shear_degrees": float(shear), "shift_px": (-2, 3)}
    views = the_view(images, RESAMPLED, **chosen)
    inside, outside = covered == 255, covered == 0  # between, theirs fades by the square of the share covered
    assert np.abs(views.astype(int) - expected)[inside].max() <= 1
    assert views[outside].max(initial=0) <= 10
    assert inside.mean() > 0.4


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_window_is_torchvisions_resized_crop(theirs, shape, mirrored):
    images = smooth(shape, 3)
    height, width, _ = shape
    top, left, h, w = 3, 5, 20, 14
    expected = theirs("resized_crop", images, top, left, h, w, [height, width], antialias=True)
    if mirrored:
        expected = theirs("horizontal_flip", expected)
    views = the_view(
        images,
        RESAMPLED,
        mirrored=mirrored,
        window_hw=(h / height, w / width),
        window_middle=((top + h / 2) / height - 1 / 2, (left + w / 2) / width - 1 / 2),
    )
    assert apart(views, expected, border=4) <= 1  # at the border torchvision repeats the crop's, we see beyond it


def test_window_mirror_turn_and_shift_in_one_are_torchvisions_one_after_another(theirs):
    from torchvision.transforms import InterpolationMode

    images = smooth((60, 60, 3), 3)
    expected = theirs("resized_crop", images, 10, 4, 45, 50, [60, 60])
    expected = theirs("horizontal_flip", expected)
    expected = theirs("affine", expected, 12, [2, 1], 1.0, [8.0, 0.0], interpolation=InterpolationMode.BILINEAR)
    views = the_view(
        images,
        RESAMPLED,
        mirrored=True,
        window_hw=(45 / 60, 50 / 60),
        window_middle=(32.5 / 60 - 1 / 2, 29 / 60 - 1 / 2),
        rotation_degrees=12.0,
        shear_degrees=8.0,
        shift_px=(1, 2),
    )
    assert apart(views, expected, border=16) <= 2


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("padding", "mode"), [("reflect", "reflect"), ("edge", "edge"), ("zero", "constant")])
@pytest.mark.parametrize("mirrored", [False, True])
def test_shifts_are_torchvisions_pad_and_crop_to_the_bit(theirs, shape, padding, mode, mirrored):
    images = noise(shape, 3)
    height, width, _ = shape
    flipped = theirs("horizontal_flip", images) if mirrored else images
    expected = theirs("crop", theirs("pad", flipped, [4], padding_mode=mode), 4 - 3, 4 + 2, height, width)
    views = the_view(
        images, Augmentation(mirror=True, shift_px=4, padding=padding), mirrored=mirrored, shift_px=(3, -2)
    )
    assert (views == expected).all()


@pytest.mark.parametrize("padding", ["reflect", "edge", "zero"])
def test_resampling_at_whole_pixels_is_the_exact_shift(padding):
    images = noise((30, 24, 3), 3)
    chosen = {"mirrored": True, "shift_px": (3, -2)}
    exact = the_view(images, Augmentation(mirror=True, shift_px=4, padding=padding), **chosen)
    resampled = the_view(images, RESAMPLED.model_copy(update={"padding": padding}), **chosen)
    assert apart(exact, resampled, border=4) == 0
    assert apart(exact, resampled) <= 1


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("factor", [0.8, 1.2])
def test_brightness_contrast_and_saturation_are_torchvisions(theirs, shape, factor):
    images = smooth(shape, 3)
    colors = Augmentation(brightness=0.2)
    for name in ("brightness", "contrast", "saturation"):
        expected = theirs(f"adjust_{name}", images, factor)
        assert apart(the_view(images, colors, **{name: factor}), expected) <= 1
    in_turn = images / np.float32(255)  # of bytes they cut the fraction off, three times
    for name in ("brightness", "contrast", "saturation"):
        in_turn = theirs(f"adjust_{name}", in_turn, factor)
    views = the_view(images, colors, brightness=factor, contrast=factor, saturation=factor)
    assert apart(views, 255 * in_turn) <= 1


def test_values_stay_between_black_and_white():
    images = noise((20, 20, 3))
    views = the_view(images, Augmentation(brightness=0.9), brightness=1.9)
    assert (views == np.minimum(np.rint(images * 1.9), 255)).all()


def test_pca_colors_have_the_covariance_of_alexnets_formula():
    """The covariance of what is added is std^2 * sum over axes of value^2 * axis axis^T."""
    levels = draw_views(chance(50_000), Augmentation(pca_color=0.1)).color_levels
    values = np.array([0.2175, 0.0188, 0.0045])
    axes = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])
    expected = (0.1 * 255) ** 2 * axes @ np.diag(values**2) @ axes.T
    assert np.abs(np.cov(levels.T) / expected - 1).max() < 0.03
    gray = np.full((4, 8, 8, 3), 128, np.uint8)
    made = augment(gray, chance(4), Augmentation(pca_color=0.1))
    assert (made == np.rint(128 + levels[:4])[:, None, None]).all()


def test_grey_pictures_have_no_colour_to_change():
    images = noise((20, 20, 1), 4)
    assert (augment(images, chance(4), Augmentation(saturation=0.5, pca_color=1)) == images).all()


def test_erasing_is_torchvisions_erase(theirs):
    images = noise((40, 60, 3))
    color = (7, 200, 31)
    expected = theirs("erase", images, 10, 30, 20, 15, torch.tensor(color, dtype=torch.uint8)[:, None, None])
    box = (10 / 40, 30 / 60, 30 / 40, 45 / 60)
    views = the_view(images, Augmentation(erase_probability=1), erased=box, erased_color=np.array(color, np.uint8))
    assert (views == expected).all()


def test_elastic_distortion_is_torchvisions_elastic(theirs, torchvision):
    """Noise smoothed by torchvision, laid on by torchvision; inside, where its padding of the noise does not count."""
    from torchvision.transforms.v2 import functional

    images, side, alpha, sigma = smooth((48, 48, 3)), 48, 30.0, 4.0
    noise_ = 2 * chance(1).uniform("elastic", 2 * side * side).reshape(1, 2, side, side) - 1
    field = functional.gaussian_blur(torch.from_numpy(noise_), [41, 41], [sigma, sigma]) * alpha * 2 / side
    expected = theirs("elastic", images, field.permute(0, 2, 3, 1).float())
    views = augment(images, chance(1), Augmentation(elastic_px=alpha, elastic_smoothing_px=sigma))
    assert apart(views, expected, border=15) <= 1
    assert apart(views, images, border=15) > 3


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_view_depends_on_its_picture_and_chance_alone(preset, shape):
    images, whole = noise(shape, 9), chance(9)
    together = augment(images, whole, preset)
    order = np.array([4, 0, 8, 1])
    some = augment(images[order], Chance(0, 0, whole.pictures[order]), preset)
    assert (some == together[order]).all()
    assert (augment(images[3:4], Chance(0, 0, whole.pictures[3:4]), preset) == together[3:4]).all()


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_the_number_of_threads_decides_nothing(preset):
    images, before, made = noise((64, 64, 3), 20), torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            made.append(augment(images, chance(20), preset))
    finally:
        torch.set_num_threads(before)
    assert (made[0] == made[1]).all()


def test_large_batches_are_made_in_pieces_and_come_out_the_same(monkeypatch):
    images = noise((32, 32, 3), 20)
    whole = augment(images, chance(20), EVERYTHING)
    monkeypatch.setattr("eyespot.augmenting.augment.AT_ONCE", 3 * 32 * 32 * 3)
    assert (augment(images, chance(20), EVERYTHING) == whole).all()


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_every_epoch_and_seed_has_other_views(preset):
    images = noise((32, 32, 3), 8)
    first = augment(images, chance(8), preset)
    assert (first != augment(images, chance(8, epoch=1), preset)).any(axis=(1, 2, 3)).all()
    assert (first != augment(images, chance(8, seed=1), preset)).any(axis=(1, 2, 3)).all()


def test_the_images_are_not_changed():
    images = noise((32, 32, 3), 8)
    before = images.copy()
    augment(images, chance(8), EVERYTHING.model_copy(update={"erase_probability": 1.0}))
    augment(images, chance(8), Augmentation(erase_probability=1))
    assert (images == before).all()


def test_no_images_make_no_views():
    assert augment(np.empty((0, 8, 8, 3), np.uint8), chance(0), EVERYTHING).shape == (0, 8, 8, 3)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_how_the_images_lie_in_memory_is_no_matter(preset):
    images = noise((3, 32, 32), 4).transpose(0, 2, 3, 1)[:, ::-1]
    images.setflags(write=False)
    assert (augment(images, chance(4), preset) == augment(np.ascontiguousarray(images), chance(4), preset)).all()


def test_one_option_more_leaves_the_other_draws_alone():
    fewer, more = draw_views(chance(9), PHOTOS), draw_views(chance(9), EVERYTHING)
    changed = {f.name for f in dataclasses.fields(Views) if (getattr(fewer, f.name) != getattr(more, f.name)).any()}
    assert changed == {"shift_px", "erased"}


def test_windows_fit_and_have_the_area_and_aspect_asked_for():
    views = draw_views(chance(20_000), Augmentation(crop_area=(0.3, 0.9), crop_aspect=(0.5, 2)))
    area, aspect = views.window_hw.prod(axis=1), views.window_hw[:, 1] / views.window_hw[:, 0]
    assert (views.window_hw <= 1 + 1e-9).all()
    assert (np.abs(views.window_middle) + views.window_hw / 2 <= 0.5 + 1e-9).all()
    assert np.quantile(area, [0, 0.5, 1]) == pytest.approx([0.3, 0.6, 0.9], abs=0.01)
    assert 0.5 <= aspect.min() < 0.52 < 1.95 < aspect.max() <= 2
    assert np.median(aspect) == pytest.approx(1, abs=0.02)


def test_a_window_larger_than_the_picture_shows_all_of_it():
    views = draw_views(chance(20_000), Augmentation(crop_area=(1, 1.5)))
    assert (views.window_hw >= 1 - 1e-9).all()
    assert (0.5 + np.abs(views.window_middle) <= views.window_hw / 2 + 1e-9).all()


def test_strengths_are_spread_evenly_up_to_their_limits():
    views = draw_views(chance(20_000), EVERYTHING)
    for found, middle, most in (
        (views.rotation_degrees, 0, 10),
        (views.shear_degrees, 0, 5),
        (views.brightness, 1, 0.2),
        (views.contrast, 1, 0.2),
        (views.saturation, 1, 0.2),
    ):
        quartiles = [middle - most, middle - most / 2, middle, middle + most / 2, middle + most]
        assert np.quantile(found, [0, 0.25, 0.5, 0.75, 1]) == pytest.approx(quartiles, abs=0.03 * most)
    assert np.unique(views.shift_px).tolist() == [-3, -2, -1, 0, 1, 2, 3]
    assert np.bincount((views.shift_px + 3).ravel()).min() > 5000
    assert views.mirrored.mean() == pytest.approx(0.5, abs=0.02)
    erased = views.erased.any(axis=1)
    assert erased.mean() == pytest.approx(0.5, abs=0.02)
    sides = views.erased[erased, 2:] - views.erased[erased, :2]
    assert 0.02 <= sides.prod(axis=1).min() <= sides.prod(axis=1).max() <= 0.2
    assert 0 <= views.erased.min() <= views.erased.max() <= 1


def test_every_picture_shows_its_two_sides_in_turn_and_half_of_all_are_mirrored_in_each_epoch():
    epochs = [draw_views(chance(20_000, seed=3, epoch=epoch), SMALL_PHOTOS).mirrored for epoch in range(4)]
    for before, after in pairwise(epochs):
        assert (before ^ after).all()
        assert after.mean() == pytest.approx(0.5, abs=0.02)


def test_digits_and_the_unmirrored_are_never_mirrored():
    for preset in (DIGITS, PHOTOS_UNMIRRORED):
        assert not draw_views(chance(1000), preset).mirrored.any()


def test_small_photos_are_not_blurred():
    images = noise((32, 32, 3), 50)
    for image, view in zip(images, augment(images, chance(50), SMALL_PHOTOS), strict=True):
        assert set(map(tuple, view.reshape(-1, 3))) <= set(map(tuple, image.reshape(-1, 3)))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"crop_area": (0.9, 0.5)}, "crop_area"),
        ({"crop_area": (0, 0.5)}, "crop_area"),
        ({"crop_aspect": (2, 3)}, "crop_aspect\n.*1 must lie between the ends"),
        ({"erase_area": (0.5, 2)}, "erase_area"),
        ({"rotation_degrees": -1}, "rotation_degrees"),
        ({"brightness": 1}, "brightness"),
        ({"padding": "wrap"}, "padding"),
        ({"rotate": 3}, "rotate"),
    ],
)
def test_strengths_that_make_no_sense_are_refused_by_name(options, named):
    with pytest.raises(ValidationError, match=named):
        Augmentation(**options)


def test_the_description_says_what_is_done_and_nothing_else():
    assert describe(Augmentation()) == "Pictures are used as they are."
    assert describe(SMALL_PHOTOS) == (
        "Pictures are drawn anew in each epoch: half of them mirrored, moved by up to 4 pixels each way."
    )
    assert "60 to 100 % of their area" in describe(PHOTOS)
    assert "mirrored" not in describe(DIGITS)
    said = describe(EVERYTHING)
    assert said.count(".") - said.count("0.1") == 1
