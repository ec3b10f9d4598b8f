"""L-BFGS: known minima, several problems at once as one by one, and as low as SciPy comes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from eyespot.heads.lbfgs import minimise


def quadratics(curvatures: np.ndarray, minima: np.ndarray):
    """1/2 (x - m)' C (x - m) for each problem; curvatures (problems, n, n), minima (problems, n)."""

    def loss(x, which):
        away = x.astype(np.float64) - minima[which]
        gradient = np.einsum("bij,bj->bi", curvatures[which], away)
        return 0.5 * (away * gradient).sum(axis=1), gradient.astype(np.float32)

    return loss


def random_quadratics(problems: int, size: int, *, condition: float, seed: int):
    random = np.random.default_rng(seed)
    axes = np.linalg.qr(random.standard_normal((problems, size, size)))[0]
    values = np.geomspace(1, condition, size)
    return axes * values @ axes.swapaxes(1, 2), random.standard_normal((problems, size))


def rosenbrock(x, which):
    """Of any size; minimum 0 at (1, ..., 1)."""
    wide = x.astype(np.float64)
    value = np.array([optimize.rosen(row) for row in wide])
    return value, np.stack([optimize.rosen_der(row) for row in wide]).astype(np.float32)


@pytest.mark.parametrize("condition", [1, 10, 1000])
@pytest.mark.parametrize("size", [1, 2, 30])
def test_quadratic_problems_end_at_their_minima(size, condition):
    curvatures, minima = random_quadratics(5, size, condition=condition, seed=0)
    found = minimise(quadratics(curvatures, minima), np.zeros((5, size), np.float32), tolerance=1e-10)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, minima, atol=2e-3)


@pytest.mark.parametrize("start", [(-1.2, 1.0), (0.0, 0.0), (2.0, -2.0), (-3.0, 4.0)])
def test_the_curved_valley_of_rosenbrock_is_followed_to_its_end(start):
    found = minimise(rosenbrock, np.array([start], np.float32), tolerance=1e-10)
    np.testing.assert_allclose(found, [[1, 1]], atol=2e-3)


def test_the_minimum_is_as_low_as_scipys_in_about_as_many_evaluations():
    start = np.full((1, 20), -1.0, np.float32)
    evaluations = 0

    def counted(x, which):
        nonlocal evaluations
        evaluations += 1
        return rosenbrock(x, which)

    found = minimise(counted, start, tolerance=1e-9)
    truth = optimize.minimize(optimize.rosen, start[0], jac=optimize.rosen_der, method="L-BFGS-B")
    assert optimize.rosen(found[0].astype(np.float64)) < max(2 * truth.fun, 1e-4)
    assert evaluations < 3 * truth.nfev


@pytest.mark.parametrize("far", [1e-3, 1.0, 1e3])
def test_the_minimum_is_found_from_near_and_from_far(far):
    curvatures, minima = random_quadratics(3, 8, condition=20, seed=1)
    found = minimise(quadratics(curvatures, minima * far), np.zeros((3, 8), np.float32), tolerance=1e-12)
    np.testing.assert_allclose(found / far, minima, atol=0.05 if far < 1 else 2e-3)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 6), st.integers(1, 12), st.integers(0, 1000))
def test_several_problems_at_once_end_where_each_ends_alone(problems, size, seed):
    curvatures, minima = random_quadratics(problems, size, condition=50, seed=seed)
    start = np.random.default_rng(seed).standard_normal((problems, size)).astype(np.float32)
    together = minimise(quadratics(curvatures, minima), start, tolerance=1e-6)
    for number in range(problems):
        one = slice(number, number + 1)
        alone = minimise(quadratics(curvatures[one], minima[one]), start[one], tolerance=1e-6)
        np.testing.assert_array_equal(together[one], alone)


def test_a_problem_that_has_ended_is_not_asked_for_again():
    asked: list[list[int]] = []
    curvatures, minima = random_quadratics(3, 10, condition=100, seed=0)
    minima[1] = 0  # starts at its minimum
    loss = quadratics(curvatures, minima)

    def noted(x, which):
        asked.append(which.tolist())
        assert len(x) == len(which)
        return loss(x, which)

    minimise(noted, np.zeros((3, 10), np.float32), tolerance=1e-6)
    assert asked[0] == [0, 1, 2]
    assert all(1 not in which for which in asked[2:])
    assert len(asked) > 5


def test_no_step_raises_the_loss():
    start = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32) * 2
    lowest = rosenbrock(start, np.arange(4))[0]
    for steps in (1, 2, 5, 20):
        reached = rosenbrock(minimise(rosenbrock, start, tolerance=0, most_steps=steps), np.arange(4))[0]
        assert (reached <= lowest + 1e-6).all()
        lowest = reached


def test_the_start_is_not_changed_and_a_minimum_is_stayed_at():
    curvatures, minima = random_quadratics(2, 4, condition=5, seed=3)
    start = minima.astype(np.float32)
    before = start.copy()
    found = minimise(quadratics(curvatures, start.astype(np.float64)), start, tolerance=1e-6)
    np.testing.assert_array_equal(start, before)
    np.testing.assert_array_equal(found, before)


def test_a_loss_without_slope_or_without_sense_ends():
    start = np.ones((2, 3), np.float32)
    flat = minimise(lambda x, which: (np.zeros(len(x)), np.zeros_like(x)), start, tolerance=1e-6)
    np.testing.assert_array_equal(flat, start)
    wrong = minimise(lambda x, which: (np.full(len(x), np.nan), np.full_like(x, np.nan)), start, tolerance=1e-6)
    assert wrong.shape == start.shape
    rising = minimise(lambda x, which: ((x**2).sum(axis=1), -2 * x), start, tolerance=1e-6)  # a false gradient
    assert (np.abs(rising) <= 1).all()


def test_a_step_into_a_wall_is_shortened():
    def loss(x, which):
        """-log x + x, which is infinite left of 0; minimum at 1."""
        wide = x[:, 0].astype(np.float64)
        inside = wide > 0
        safe = np.where(inside, wide, 1)
        return np.where(inside, safe - np.log(safe), np.inf), (1 - 1 / safe)[:, None].astype(np.float32)

    found = minimise(loss, np.array([[1e-3], [50.0], [3.0]], np.float32), tolerance=1e-10)
    np.testing.assert_allclose(found, 1, atol=1e-2)
