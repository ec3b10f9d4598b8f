"""torchvision's detectors on eyespot's frozen network, trained for a time as a careful person would.

Run by detection_peers.py. Both look at three maps of the EfficientNet-Lite0 that eyespot looks at, which are computed
once for each picture and its mirror image, and kept. FCOS with its feature pyramid (arXiv:1904.01355); SSDLite with
anchors of the sizes that the training boxes have (arXiv:1801.04381, section 6.2). AdamW; the rate warms up, then falls
as half a cosine, over the time that there is.
"""

from __future__ import annotations

import math
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.models.detection import FCOS
from torchvision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator
from torchvision.models.detection.ssd import SSD
from torchvision.models.detection.ssdlite import SSDLiteHead
from torchvision.ops import FeaturePyramidNetwork

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))  # eyespot's own networks
from eyespot import zoo
from eyespot.blocks import taps

Boxes = list[tuple[Path, np.ndarray, np.ndarray]]
"""Pictures, their boxes (M, 4), pixels, and class numbers (M,)."""
STAGES, CHANNELS = ("stage3", "stage5", "stage7"), (40, 112, 320)
BATCH = 4
RATE = {"fcos": 1e-3, "ssdlite": 3e-3}
"""The better of two each, by the validation pictures."""
WARM_UP = 0.05
"""Share of the time."""
NORMALISED = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
WIDTH, HEIGHT = 640, 480


class Frozen(nn.Module):
    """EfficientNet-Lite0 with its ImageNet weights, never trained; what it sees in a training picture is kept."""

    out_channels = 256

    def __init__(self, weights: Path, *, pyramid: bool) -> None:
        super().__init__()
        net = zoo.create("efficientnet_lite0")
        net.load_state_dict({name: torch.from_numpy(values) for name, values in np.load(weights).items()})
        self.net = net.eval().requires_grad_(False)
        self.pyramid = FeaturePyramidNetwork(list(CHANNELS), self.out_channels) if pyramid else None
        self.kept: dict[tuple[int, bool], list[Tensor]] = {}
        self.asked: list[tuple[int, bool]] = []
        """Which training pictures come next, and whether mirrored."""

    def train(self, mode: bool = True) -> Frozen:
        super().train(mode)
        self.net.eval()
        return self

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        if self.asked:
            for key, image in zip(self.asked, images, strict=True):
                if key not in self.kept:
                    self.kept[key] = self._maps(image[None])
            maps = [torch.cat(each) for each in zip(*(self.kept[key] for key in self.asked), strict=True)]
        else:
            maps = self._maps(images)
        named = OrderedDict(zip(STAGES, maps, strict=True))
        return named if self.pyramid is None else dict(self.pyramid(named))

    def _maps(self, images: Tensor) -> list[Tensor]:
        with torch.no_grad():
            return list(taps(self.net, STAGES, images).values())


def _fcos(frozen: Frozen, classes: int) -> nn.Module:
    anchors = AnchorGenerator(((8,), (16,), (32,)), ((1.0,),) * 3)
    sizes = {"min_size": HEIGHT, "max_size": WIDTH, "score_thresh": 0.01}
    return FCOS(frozen, classes, anchor_generator=anchors, **sizes, **NORMALISED)


def _ssdlite(frozen: Frozen, classes: int, scales: list[float]) -> nn.Module:
    anchors = DefaultBoxGenerator([[2, 3]] * len(STAGES), scales=scales)
    norm = partial(nn.BatchNorm2d, eps=0.001, momentum=0.03)
    head = SSDLiteHead(list(CHANNELS), anchors.num_anchors_per_location(), classes + 1, norm)  # 0 is nothing
    return SSD(frozen, anchors, (WIDTH, HEIGHT), classes + 1, head=head, detections_per_img=100, **NORMALISED)


def trained(
    way: str, boxes: Boxes, classes: int, *, seconds: float, seed: int, weights: Path
) -> Callable[[Path], tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """What gives boxes (N, 4), scores (N,) and labels (N,) of a picture, after so many seconds of training."""
    began = time.perf_counter()
    frozen, first = Frozen(weights, pyramid=way == "fcos"), 0 if way == "fcos" else 1
    net = _fcos(frozen, classes) if way == "fcos" else _ssdlite(frozen, classes, _scales(boxes))
    learning = [each for each in net.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=RATE[way], weight_decay=1e-4)
    order, random, steps = _mirrored(len(boxes)), np.random.default_rng(seed), 0
    net.train()
    while (spent := (time.perf_counter() - began) / seconds) < 1:
        for group in optimizer.param_groups:
            group["lr"] = RATE[way] * min(spent / WARM_UP, (1 + math.cos(math.pi * spent)) / 2)
        frozen.asked = [order[at] for at in random.choice(len(order), BATCH, replace=False)]
        shown = [_shown(boxes[at], mirrored=mirrored, first=first) for at, mirrored in frozen.asked]
        loss = sum(net([picture for picture, _ in shown], [target for _, target in shown]).values())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(learning, 10.0)
        optimizer.step()
        steps += 1
    print(f"{way}: {steps} steps of {BATCH}", file=sys.stderr)
    net.eval()
    frozen.asked = []

    def answer(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        with torch.inference_mode():
            [found] = net([pixels(path)])
        return found["boxes"].numpy(), found["scores"].numpy(), found["labels"].numpy() - first

    return answer


def _scales(boxes: Boxes) -> list[float]:
    """Sides of the anchors of each map as shares of the picture: quantiles of the training boxes' own."""
    sides = np.concatenate([np.sqrt(np.prod(each[:, 2:] - each[:, :2], axis=1)) for _, each, _ in boxes if len(each)])
    return [float(each) / math.sqrt(WIDTH * HEIGHT) for each in np.quantile(sides, (0.05, 0.35, 0.65, 0.95))]


def _mirrored(pictures: int) -> list[tuple[int, bool]]:
    """Every picture and its mirror image."""
    return [(at, mirrored) for at in range(pictures) for mirrored in (False, True)]


def _shown(
    boxed: tuple[Path, np.ndarray, np.ndarray], *, mirrored: bool, first: int
) -> tuple[Tensor, dict[str, Tensor]]:
    path, boxes, labels = boxed
    picture = pixels(path)
    if mirrored:
        width = picture.shape[2]
        picture, boxes = (
            picture.flip(2),
            np.column_stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]]),
        )
    return picture, {"boxes": torch.tensor(boxes, dtype=torch.float32), "labels": torch.tensor(labels) + first}


def pixels(path: Path) -> Tensor:
    """(3, H, W), 0 to 1."""
    with Image.open(path) as image:
        return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).float() / 255
