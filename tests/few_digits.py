"""A quarter of the embedded sample `digits`, where a test looks at something else than what is learned from it."""

from __future__ import annotations

from sklearn.datasets import load_digits
from sklearn.utils import Bunch

COUNT = 450


def few_digits(count: int = COUNT) -> Bunch:
    """To stand in place of scikit-learn's `load_digits`: its first ones, in which each class is about as frequent."""
    every = load_digits()
    return Bunch(images=every.images[:count], target=every.target[:count])
