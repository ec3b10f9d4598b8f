"""A kernel learned by gradient descent: it arrives, the same each time, and what cannot be learned is known."""

import numpy as np

from eyespot.arithmetic.kernels import named_kernel
from eyespot.arithmetic.learning import examples_of, learn_kernel, patterns_seen

NOISE = np.random.default_rng(0).integers(0, 256, (1, 40, 40)).astype(np.uint8)


def learned(image, target, *, steps=300, seed=0):
    random = np.random.default_rng(seed)
    examples = examples_of(image, target, count=500, random=random)
    return examples, list(learn_kernel(examples, target.shape, steps=steps, random=random))


def test_it_arrives_at_the_target_and_the_loss_falls():
    target = named_kernel("sobel-x")[None]
    examples, told = learned(NOISE, target)
    assert patterns_seen(examples) == 9
    assert [each.step for each in told] == list(range(301))
    assert told[0].loss > 1
    assert told[-1].loss < 1e-12
    np.testing.assert_allclose(told[-1].kernel, target, atol=1e-6)


def test_it_is_what_least_squares_gives():
    examples, told = learned(NOISE, np.random.default_rng(1).normal(size=(1, 2, 3)))
    exact = np.linalg.lstsq(examples.inputs, examples.outputs, rcond=None)[0]
    np.testing.assert_allclose(told[-1].kernel.ravel(), exact, atol=1e-6)


def test_the_seed_decides_everything():
    target = named_kernel("emboss")[None]
    first, again, other = (learned(NOISE, target, steps=3, seed=seed)[1][-1].kernel for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_an_empty_picture_teaches_nothing():
    examples, told = learned(np.full((1, 9, 9), 7, np.uint8), named_kernel("sobel-x")[None], steps=3)
    assert patterns_seen(examples) == 0
    np.testing.assert_array_equal(told[0].kernel, told[-1].kernel)
