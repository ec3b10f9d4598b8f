"""Whether a label's probability means what it says: two numbers for each label, by answers to unseen pictures.

J. Platt 1999, Probabilistic outputs for support vector machines; with the targets that he moves a little inwards.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FEWEST = 5
"""Pictures with the label, and without it, from which the two numbers are fitted."""
STEPS = 50
LEAST, MOST = 0.1, 10.0
"""Of the slope: outside of these the answers say too little."""
RIDGE = 1e-6


def fit_platt(logits: NDArray[np.float32], truths: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and shift of the logits (N,) of one label: sigmoid(slope * logit + shift) is the most likely probability.

    logits: of pictures that the head had not seen. truths: (N,), whether they have the label.
    1 and 0 where fewer than `FEWEST` have it or have it not, or all logits are the same.
    """
    there, gone = int(truths.sum()), int((~truths).sum())
    if min(there, gone) < FEWEST or not np.ptp(logits):
        return 1.0, 0.0
    targets = np.where(truths, (there + 1) / (there + 2), 1 / (gone + 2))
    x = np.stack([logits.astype(np.float64), np.ones(len(logits))], axis=1)  # (N, 2)
    found = np.array([1.0, 0.0])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(x @ found, -60, 60)))
        gradient = x.T @ (p - targets)
        hessian = (x * (p * (1 - p))[:, None]).T @ x + RIDGE * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        step *= min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        found = found - step
        if np.abs(step).max() < 1e-9:
            break
    slope, shift = found.tolist()
    return (slope, shift) if LEAST <= slope <= MOST else (1.0, 0.0)
