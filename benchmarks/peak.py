"""How fast this machine multiplies matrices, and how many pictures a second that allows EfficientNet-Lite0.

    python benchmarks/peak.py

Square products in fp32, and in bf16 where the processor has instructions for it: the fastest of many, as `eyespot
benchmark` has it. One multiply-add counts as two operations. No program that computes the network's sums one by one can
be faster than this.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import measuring

from eyespot.engine.peak import LEAST_SECONDS, SIDE, peak_gflops
from eyespot.engine.run import available_precisions

IMAGE_HW = (224, 224)


@dataclass(frozen=True)
class Peak:
    """The matrix-product peak, and what it means for the network."""

    gflops: dict[str, float]
    """Operations per nanosecond, by precision."""
    gmac: float
    """Multiply-adds of one image's features, in 1e9."""

    def images_per_second(self, precision: str) -> float:
        return self.gflops[precision] / (2 * self.gmac)

    def lines(self, precision: str) -> list[str]:
        """The peak in words."""
        return [
            *(f"matrix product, {name}: {value:.1f} GFLOP/s" for name, value in self.gflops.items()),
            f"one image is {self.gmac:.3f} GMAC: at this peak ({precision}) "
            f"{self.images_per_second(precision):.0f} images/s",
        ]


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--side", type=int, default=SIDE, help=f"rows and columns of a matrix (default {SIDE})")
    parser.add_argument("--seconds", type=float, default=LEAST_SECONDS, help="of products, at least (default 2)")
    options = parser.parse_args()
    precisions = available_precisions()
    gflops = {name: peak_gflops(name, seconds=options.seconds, side=options.side) for name in precisions}
    peak = Peak(gflops, multiply_adds() / 1e9)
    if options.json:
        print(json.dumps(asdict(peak)))
    else:
        print("\n".join([measuring.heading(), *peak.lines(precisions[0])]))


def measured(*given: str) -> Peak:
    """The peak, measured in a process of its own. given: more arguments, as they are typed."""
    command = [sys.executable, Path(__file__), "--json", *given]
    return Peak(**json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout))


def multiply_adds() -> int:
    """Multiply-adds of EfficientNet-Lite0's features for one image."""
    from eyespot import blocks, zoo

    trunk, _ = blocks.split(zoo.create("efficientnet_lite0"), after="head.flat")
    return multiply_adds_of(trunk, (3, *IMAGE_HW))


def multiply_adds_of(net: Any, shape: Sequence[int]) -> int:
    """Multiply-adds of one pass of a network forward, counted at every convolution.

    net: an nn.Module; it is left in evaluation.
    shape: of one input, (C, H, W).
    """
    import torch
    from torch import Tensor, nn

    total = 0

    def count(module: nn.Module, _: object, output: Tensor) -> None:
        nonlocal total
        assert isinstance(module, nn.Conv2d)
        total += output[0].numel() * module.weight[0].numel()

    hooks = [module.register_forward_hook(count) for module in net.modules() if isinstance(module, nn.Conv2d)]
    with torch.inference_mode():
        net.eval()(torch.zeros(1, *shape))
    for hook in hooks:
        hook.remove()
    return total


if __name__ == "__main__":
    main()
