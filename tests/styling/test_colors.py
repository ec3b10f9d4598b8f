"""The photo's colors under the painting's light, and masks, by hand."""

import numpy as np

from eyespot.styling.colors import where_masked, with_colors_of


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
