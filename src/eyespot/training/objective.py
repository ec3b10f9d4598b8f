"""What training makes small: cross-entropy with soft targets, of one output or several, with auxiliary heads or not."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from eyespot.heads.head import Output

AUXILIARY_WEIGHT = 0.3
"""What an auxiliary head's loss counts: arXiv:1409.4842, section 5. For Inception v3's one head, too."""


def soft_targets(labels: Tensor, classes: int, *, smoothing: float = 0.0, weights: Tensor | None = None) -> Tensor:
    """What each example should answer, (N, classes), float32.

    labels: class indexes, (N,).
    smoothing: share of every target that is spread evenly over all classes; Szegedy and others, arXiv:1512.00567,
    section 7.
    weights: what an example of each class counts, (classes,); None for all the same.
    """
    targets = functional.one_hot(labels, classes).float() * (1 - smoothing) + smoothing / classes  # (N, classes)
    return targets if weights is None else targets * weights[labels][:, None]


def losses_of(answers: Tensor | tuple[Tensor, dict[str, Tensor]], targets: Tensor, output: Output) -> Tensor:
    """The loss of every example, (N,): of the network's answers and, at AUXILIARY_WEIGHT, of auxiliary heads'.

    answers: scores (N, outputs), or with those of auxiliary heads by stage, as `blocks.WithHeads` gives them.
    targets: (N, classes), from `soft_targets`.
    output: a sigmoid's one score z is the logarithm of the odds of the second class.
    """
    if isinstance(answers, tuple):
        last, auxiliary = answers
        others = [losses_of(scores, targets, output) for scores in auxiliary.values()]
        return losses_of(last, targets, output) + AUXILIARY_WEIGHT * torch.stack(others).sum(0)
    if output == "sigmoid":
        answers = torch.cat([torch.zeros_like(answers), answers], 1)  # (N, 2)
    return -(targets * functional.log_softmax(answers.float(), 1)).sum(1)


def correct(scores: Tensor, labels: Tensor) -> Tensor:
    """True where the likeliest class is the right one, (N,)."""
    chosen = (scores[:, 0] > 0).long() if scores.shape[1] == 1 else scores.argmax(1)
    return chosen == labels
