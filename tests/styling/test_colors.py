"""The photo's colors under the painting's light, colored grain, and masks, by hand."""

import numpy as np

from eyespot.styling.colors import LUMINANCE, grain, grain_at, where_masked, with_colors_of, with_grain, with_strength


def test_luminance_is_exchanged_by_hand():
    photo = np.array([[[100, 50, 200]]], np.uint8)
    painted = np.array([[[150, 90, 10]]], np.uint8)
    # 0.299 * 50 + 0.587 * 40 + 0.114 * -190 = 14.95 + 23.48 - 21.66 = 16.77
    assert with_colors_of(photo, painted).tolist() == [[[117, 67, 217]]]


def test_what_is_beyond_white_or_black_is_cut():
    photo = np.array([[[250, 128, 3]]], np.uint8)
    white, black = np.full((1, 1, 3), 255, np.uint8), np.zeros((1, 1, 3), np.uint8)
    assert with_colors_of(photo, white)[0, 0, 0] == 255
    assert with_colors_of(photo, black)[0, 0, 2] == 0


def test_the_photos_own_light_leaves_the_photo():
    photo = np.random.default_rng(0).integers(0, 256, (7, 9, 3), np.uint8)
    assert (with_colors_of(photo, photo) == photo).all()


def test_a_mask_says_where():
    photo, painted = np.zeros((1, 3, 3), np.uint8), np.full((1, 3, 3), 200, np.uint8)
    mask = np.array([[0, 255, 51]], np.uint8)
    assert where_masked(photo, painted, mask)[0, :, 0].tolist() == [0, 200, 40]


def test_grain_is_the_mean_laplacian_of_the_differences_of_colors_by_hand():
    picture = np.full((3, 3, 3), 100, np.uint8)
    picture[1, 1] = (110, 100, 95)  # red less green stands out by 10, blue less green by -5
    assert grain(picture) == (4 * 10 + 4 * 5) / 2
    assert grain(np.repeat(np.arange(25, dtype=np.uint8).reshape(5, 5, 1), 3, axis=2)) == 0  # gray has no color


def test_colors_are_smoothed_until_there_is_as_little_grain_as_asked_for_and_the_light_stays():
    picture = np.random.default_rng(0).integers(60, 196, (40, 50, 3), np.uint8)
    for most in (100.0, 30.0, 8.0):
        smooth = with_grain(picture, most=most)
        assert grain(smooth) <= 1.05 * most  # rounding to whole levels adds a little
        assert np.abs((smooth.astype(float) - picture) @ LUMINANCE).max() <= 1
    assert with_grain(picture, most=grain(picture)) is picture


def test_the_colors_of_large_forms_stay_where_they_are():
    picture = np.zeros((20, 40, 3), np.uint8)
    picture[:, :20], picture[:, 20:] = (200, 40, 40), (40, 40, 200)
    smooth = with_grain(picture, most=grain(picture) / 2)
    assert (smooth[:, :16] == picture[:, :16]).all()
    assert (smooth[:, 24:] == picture[:, 24:]).all()


def test_a_painting_of_one_color_does_not_blur_for_ever():
    picture = np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8)
    assert grain_at(np.full((50, 70, 3), 90, np.uint8), 35) == 0
    assert with_grain(picture, most=0.0).shape == picture.shape


def test_strength_mixes_in_between():
    photo, painted = np.zeros((1, 1, 3), np.uint8), np.array([[[200, 100, 51]]], np.uint8)
    assert [with_strength(photo, painted, each)[0, 0].tolist() for each in (0, 0.5, 1)] == [
        [0, 0, 0],
        [100, 50, 26],
        [200, 100, 51],
    ]
