"""Random numbers depend on seed, epoch, picture and purpose, on nothing else, and look random."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from eyespot.augmenting.chance import Chance, pictures_by_content
from eyespot.data.copies import content_hash

PICTURES = pictures_by_content(content_hash(str(number).encode()) for number in range(20_000))
NUMBERED = np.arange(20_000, dtype=np.uint64)
"""Hashes as bad as they can be: they differ in few bits."""
SMALL_P = 1e-4


@pytest.mark.parametrize("pictures", [PICTURES, NUMBERED], ids=["hashes", "numbers"])
@pytest.mark.parametrize("count", [1, 7])
def test_numbers_are_uniform(pictures, count):
    numbers = Chance(0, 0, pictures).uniform("shift", count)
    assert numbers.shape == (20_000, count)
    assert 0 <= numbers.min() < 1e-3 < 0.999 < numbers.max() < 1
    assert stats.chisquare(np.histogram(numbers, bins=100, range=(0, 1))[0]).pvalue > SMALL_P


def test_the_lowest_of_the_53_bits_are_uniform_too():
    low = (Chance(3, 4, NUMBERED).uniform("x") * 2**53).astype(np.uint64) % np.uint64(64)
    assert stats.chisquare(np.bincount(low[:, 0].astype(int), minlength=64)).pvalue > SMALL_P


def test_normal_numbers_are_normal():
    numbers = Chance(0, 0, PICTURES).normal("color", 3)
    assert stats.kstest(numbers.ravel(), "norm").pvalue > SMALL_P
    assert np.abs(np.corrcoef(numbers.T) - np.eye(3)).max() < 0.03


@pytest.mark.parametrize("pictures", [PICTURES, NUMBERED], ids=["hashes", "numbers"])
@pytest.mark.parametrize(
    ("other", "what"),
    [((1, 0), "shift"), ((0, 1), "shift"), ((0, 0), "rotation"), ((0, 0), "shift "), ((0, 10), "shift")],
    ids=["seed", "epoch", "what", "nearly the same what", "late epoch"],
)
def test_seeds_epochs_and_purposes_are_independent(pictures, other, what):
    first, second = Chance(0, 0, pictures).uniform("shift"), Chance(*other, pictures).uniform(what)
    together = np.histogram2d(first[:, 0], second[:, 0], bins=10, range=[(0, 1), (0, 1)])[0]
    assert stats.chisquare(together.ravel()).pvalue > SMALL_P


@pytest.mark.parametrize("pictures", [PICTURES, NUMBERED], ids=["hashes", "numbers"])
def test_neighbouring_pictures_and_numbers_of_one_picture_are_independent(pictures):
    numbers = Chance(0, 0, pictures).uniform("shift", 2)
    for pair in (numbers.T, (numbers[:-1, 0], numbers[1:, 0])):
        together = np.histogram2d(*pair, bins=10, range=[(0, 1), (0, 1)])[0]
        assert stats.chisquare(together.ravel()).pvalue > SMALL_P


def test_seed_and_epoch_are_not_mixed_up():
    assert (Chance(1, 23, PICTURES).uniform("x") != Chance(12, 3, PICTURES).uniform("x")).all()


def test_the_order_of_the_pictures_decides_nothing():
    order = np.random.default_rng(0).permutation(len(PICTURES))
    for draw in (Chance.uniform, Chance.normal):
        in_order, permuted = draw(Chance(5, 2, PICTURES), "x", 3), draw(Chance(5, 2, PICTURES[order]), "x", 3)
        assert (permuted == in_order[order]).all()


def test_asking_for_more_numbers_leaves_the_first_ones():
    chance = Chance(5, 2, PICTURES)
    assert (chance.uniform("x", 9)[:, :4] == chance.uniform("x", 4)).all()


def test_the_numbers_of_a_splitmix64_generator():
    """The reference implementation, one number at a time, from the state that a picture's stream begins with."""
    chance = Chance(5, 2, PICTURES[:1])
    bits = [int(each) for each in chance._bits("x", 5)[0]]
    mask, state = 2**64 - 1, _unmixed(bits[0]) - 0x9E3779B97F4A7C15
    for each in bits:
        state = state + 0x9E3779B97F4A7C15 & mask
        z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & mask
        z = (z ^ z >> 27) * 0x94D049BB133111EB & mask
        assert each == z ^ z >> 31


def _unmixed(z: int) -> int:
    """The state of splitmix64 that gives z: every step of its output function can be undone."""
    mask = 2**64 - 1
    for shift, multiplier in ((31, 0x94D049BB133111EB), (27, 0xBF58476D1CE4E5B9), (30, 1)):
        x = z
        for _ in range(3):
            x = z ^ x >> shift
        z = x * pow(multiplier, -1, 2**64) & mask
    return z


def test_another_process_draws_the_same_numbers():
    code = (
        "import numpy as np\nfrom eyespot.augmenting.chance import Chance\n"
        "print(Chance(7, 3, np.array([2**63 + 5, 17], np.uint64)).uniform('shift', 2).tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = Chance(7, 3, np.array([2**63 + 5, 17], np.uint64)).uniform("shift", 2).tolist()
    assert done.stdout.strip() == str(here)


def test_pictures_are_the_first_eight_bytes_of_their_hashes():
    assert pictures_by_content(["00000000000000ff1234", "ffffffffffffffff"]).tolist() == [255, 2**64 - 1]
    assert pictures_by_content([]).dtype == np.uint64
