"""Features without any picture behind them, to fit heads on."""

from dataclasses import replace

import numpy as np
from scipy.special import softmax

from eyespot.heads.head import Head, HeadOptions, Samples
from eyespot.heads.problems import Problems
from eyespot.heads.rotation import Rotated, Rotation

OPTIONS = HeadOptions(class_weight="none", mirror="no")


def blobs(
    count: int = 200, width: int = 12, classes: int = 3, *, apart: float = 1.0, seed: int = 0, shares=None
) -> Samples:
    """Overlapping clouds of features, one per class, each feature on its own scale and off zero."""
    random = np.random.default_rng(seed)
    labels = random.choice(classes, count, p=shares)
    labels[:classes] = np.arange(classes)
    centres = random.standard_normal((classes, width)) * apart
    features = (centres[labels] + random.standard_normal((count, width))) * np.linspace(0.2, 3, width) + 5
    return Samples(features.astype(np.float32), None, labels, classes)


def with_mirror(samples: Samples, *, noise: float = 0.3, seed: int = 0) -> Samples:
    random = np.random.default_rng(seed)
    return replace(
        samples, mirror=samples.identity + noise * random.standard_normal(samples.identity.shape).astype(np.float32)
    )


def centred(samples: Samples) -> Samples:
    return replace(samples, identity=samples.identity - samples.identity.mean(axis=0))


def problems(samples: Samples, options: HeadOptions, *, mirror: bool = False, trained_on: np.ndarray | None = None):
    """The minimisation behind a head, on features as they are, which should lie around zero."""
    trained_on = np.ones((len(samples), 1), bool) if trained_on is None else trained_on
    width = samples.identity.shape[1]
    as_they_are = Rotation(np.zeros(width, np.float32), np.eye(width, dtype=np.float32), samples.identity.var(axis=0))
    return Problems(Rotated(as_they_are, samples), options, mirror=mirror, trained_on=trained_on)


def probabilities(head: Head, features: np.ndarray) -> np.ndarray:
    return softmax(head.logits(features).astype(np.float64), axis=1)
