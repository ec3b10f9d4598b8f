"""An optimiser for networks of convolutions: every step turns a layer's weights in all directions alike.

Keller Jordan and others: "Muon: An optimizer for hidden layers in neural networks", 2024,
kellerjordan.github.io/posts/muon. As in its author's program for CIFAR-10, a layer's weights keep their length: after
them comes a norm, for which it means nothing. There every layer has one length; here each keeps that of its first
weights, so that networks without norms keep the scale they were made for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

ROUNDS = 5
"""Of the iteration below: singular values then lie between about 0.7 and 1.2, which is near enough."""
_A, _B, _C = 3.4445, -4.7750, 2.0315
"""Of its polynomial a s + b s^3 + c s^5, which the author tuned: it takes small singular values up fastest."""
_TINY = 1e-7


class Muon(torch.optim.Optimizer):
    """Muon for the weights of convolutions; SGD with Nesterov's momentum for all others."""

    def __init__(self, groups: Iterable[dict[str, Any]], *, momentum: float) -> None:
        """groups: each has `params`, `lr` and `weight_decay`.

        lr: of a convolution the share of its length that a step moves it; of others as for SGD.
        weight_decay: of what is no convolution: those keep their length.
        """
        super().__init__(groups, {"momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Changes every weight that has a gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                if weight.ndim == 4:
                    _turn(weight, self._direction(weight, weight.grad, group["momentum"]), group["lr"])
                else:
                    gradient = weight.grad.add(weight, alpha=group["weight_decay"])
                    weight.sub_(self._direction(weight, gradient, group["momentum"]), alpha=group["lr"])

    def _direction(self, weight: Tensor, gradient: Tensor, momentum: float) -> Tensor:
        """Nesterov's: the gradient and, on top of it, the sum of all so far, of which each step forgets a share."""
        state = self.state[weight]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(weight)
        return gradient.add(state["momentum"].mul_(momentum).add_(gradient), alpha=momentum)


def orthogonal(matrix: Tensor) -> Tensor:
    """Nearly the orthogonal matrix next to `matrix`, (R, C): its singular values all become about 1.

    By Newton and Schulz's iteration, which needs only products. A round multiplies x by a polynomial of x @ x.T; the
    polynomials are multiplied first, since they are small: (R, R) where there are fewer rows than columns.
    """
    x: Tensor = matrix / (matrix.norm() + _TINY)  # no singular value is above 1 then
    if len(x) > len(x.T):
        return orthogonal(x.T).T
    square, product = x @ x.T, torch.eye(len(x), dtype=x.dtype, device=x.device)
    for _ in range(ROUNDS):
        factor = torch.addmm(square, square, square, beta=_B, alpha=_C)
        factor.diagonal().add_(_A)
        product, square = factor @ product, factor @ square @ factor
    return product @ x


def _turn(weight: Tensor, direction: Tensor, lr: float) -> None:
    """Moves a convolution's weights (D, C, H, W) against `direction` by this share of their length, which stays."""
    length = weight.norm()
    step = orthogonal(direction.flatten(1)).view_as(direction)  # (D, C, H, W)
    weight.sub_(step * (lr * length / min(len(weight), weight[0].numel()) ** 0.5))
    weight.mul_(length / (weight.norm() + _TINY))
