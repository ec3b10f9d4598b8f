"""Whatever a picture's size, both ways give back that size, and nothing moves, not even where it was padded."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from eyespot.styling.fast import FastPainter
from eyespot.styling.looking import opened
from eyespot.styling.optimise import How, StepBudget, painted, sized
from eyespot.styling.published import is_installed

SIZES_HW = [
    (32, 32),
    *((64 + n, 97 - n) for n in range(-1, 6)),
    *((100 + n, 48) for n in (1, 2, 3)),
    (33, 127),
    (35, 34),
]
"""Around multiples of 4 on both sides, down to the least."""
EDGE = 8
"""Pixels beside the right and the lower edge, among which padding is cut off."""


def photo(size_hw):
    """Shapes with edges everywhere, also at the right and the lower end."""
    random = np.random.default_rng(0)
    picture = Image.new("RGB", (160, 160), (90, 110, 130))
    pen = ImageDraw.Draw(picture)
    for left, top, side, *color in random.integers(
        (0, 0, 6, 0, 0, 0), (160, 160, 22, 256, 256, 256), (150, 6)
    ).tolist():
        pen.rectangle((left, top, left + side, top + side), tuple(color))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(0.7)))[: size_hw[0], : size_hw[1]].copy()


def moved(before, after):
    """By how many pixels, down and across, the edges of the one lie best on those of the other."""
    one, other = (np.hypot(*np.gradient(each.astype(float).mean(2))) for each in (before, after))

    def agreement(shift):
        back = np.roll(other, (-shift[0], -shift[1]), axis=(0, 1))[2:-2, 2:-2]
        return np.corrcoef(one[2:-2, 2:-2].ravel(), back.ravel())[0, 1]

    return max(((down, across) for down in range(-2, 3) for across in range(-2, 3)), key=agreement)


def lies_where_it_was(before, after):
    """Size, place of the whole, and of the last rows and columns."""
    assert after.shape == before.shape
    assert moved(before, after) == (0, 0)
    rows, columns = 2 * EDGE, 2 * EDGE
    assert moved(before[-rows:], after[-rows:]) == (0, 0)
    assert moved(before[:, -columns:], after[:, -columns:]) == (0, 0)


@pytest.fixture(scope="module")
def fast():
    if not is_installed():
        pytest.skip("needs the extra style")
    return FastPainter(cache_folder=None)


@pytest.mark.parametrize("size_hw", SIZES_HW)
def test_in_one_pass_the_size_stays(fast, size_hw):
    before = photo(size_hw)
    assert fast.painted(before, fast.style_of(before)).shape == before.shape


def test_in_one_pass_a_part_of_a_photo_is_painted_as_in_the_whole(fast):
    """Nothing is moved, and where it was padded it differs no more than at an edge that needs no padding."""
    style = fast.style_of(photo((160, 160))[::-1])
    whole = photo((148, 156))
    apart = []
    for cut in range(6):
        part = whole[: 148 - cut, : 156 - cut]
        expected, found = fast.painted(whole, style)[: part.shape[0], : part.shape[1]], fast.painted(part, style)
        lies_where_it_was(expected, found)
        differences = np.abs(found.astype(float) - expected)
        apart.append(max(differences[-4:].mean(), differences[:, -4:].mean()))
    assert apart[0] == 0
    assert max(apart[1:4]) < apart[4]
    assert apart[5] < 1.2 * apart[4]


@pytest.mark.parametrize("size_hw", SIZES_HW)
def test_in_steps_the_size_stays_and_nothing_moves(shared_cache, looking, size_hw):
    before = photo(size_hw)
    painting = sized(photo((160, 160))[::-1], like=before)
    how = How(looking.stages, looking.content_stages, strokes="small")
    [*_, last] = painted(sized(before), [(painting, 1.0)], looking.see, how, StepBudget(3))
    lies_where_it_was(before, last.picture)


@pytest.fixture(scope="module")
def looking(warm_cache):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(warm_cache))
        return opened("efficientnet_lite0", "stage1, stage2")
