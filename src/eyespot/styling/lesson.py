"""What a painted picture can teach, as figures: its Gram matrices, and what a network keeps of a picture at each stage.

Gatys, Ecker and Bethge 2016, "Image style transfer using convolutional neural networks", CVPR, figure 1: content alone
and style alone, rebuilt from noise, by stage. With random weights it shows what the learning is good for. Needs torch.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from eyespot.arithmetic.maps import sheet, signed_colors
from eyespot.blocks import named_stages
from eyespot.styling.colors import Pixels
from eyespot.styling.fourier import Waves
from eyespot.styling.looking import Looking
from eyespot.styling.optimise import See, mean_grams, pixels_of, sized
from eyespot.styling.statistics import Targets, gram

SIDE = 256
"""Longer side of what is rebuilt, pixels: so small that all figures take about a minute."""
STEPS = 40
"""For each rebuilt picture."""
RATE = 0.03
"""Of the first step; it falls to nothing in a line."""
MOST_SEEDS = 2**63
"""That torch knows."""
NOISE = 0.05
"""Standard deviation of what is begun with, around mid-gray."""

Part = Literal["gram", "content", "style", "alone", "random-content", "random-style"]
PARTS: tuple[Part, ...] = ("gram", "content", "style", "alone", "random-content", "random-style")
"""In the order in which they are made and told."""


@dataclass(frozen=True)
class Subject:
    """A painted picture, and what it was painted with."""

    photo: Pixels
    paintings: Sequence[tuple[Pixels, float]]
    """Each with its weight."""
    result: Pixels
    looking: Looking


@dataclass(frozen=True)
class Figure:
    """A picture of the lesson."""

    part: Part
    stage: str
    """That it is about: the deepest, where it is about several."""
    words: str
    """What is to be seen, in a few words."""
    png: bytes

    @property
    def file(self) -> str:
        """Its name as a file."""
        return f"{self.part}-{self.stage}.png"


def count(looking: Looking) -> int:
    """How many figures there will be."""
    return len(PARTS) * len(looking.stages)


def figures(subject: Subject, *, seed: int) -> Iterator[Figure]:
    """All figures, one after the other as they are done, in the order of PARTS."""
    looking = subject.looking
    yield from _grams(subject)
    at = SIDE / max(SIDE, *subject.photo.shape[:2])
    photo = sized(subject.photo)(at)
    paintings = [(sized(pixels, like=subject.photo)(at), weight) for pixels, weight in subject.paintings]
    noise = (0.5 + NOISE * torch.randn(photo.shape, generator=torch.Generator().manual_seed(seed % MOST_SEEDS))).clamp(
        0, 1
    )
    small = _Rebuilding(photo, paintings, noise)
    yield from small.content(looking, "content")
    yield from small.style(looking, "style")
    yield from small.style(looking, "alone", alone=True)
    unlearned = with_random_weights(looking, seed=seed)
    yield from small.content(unlearned, "random-content")
    yield from small.style(unlearned, "random-style")


@dataclass(frozen=True, eq=False)
class _Rebuilding:
    """Pictures (1, 3, H, W), from 0 to 1: what is rebuilt, and what it is rebuilt from."""

    photo: Tensor
    paintings: Sequence[tuple[Tensor, float]]
    noise: Tensor

    def content(self, looking: Looking, part: Part) -> Iterator[Figure]:
        """The photo from its maps at each stage."""
        for stage in looking.stages:
            targets = self._targets(looking.see, [], [stage])
            picture, loss = _rebuilt(self.noise, looking.see, [stage], targets.content_lost)
            yield Figure(part, stage, f"{stage}: {loss:.2f} of the content is lost", _png(picture))

    def style(self, looking: Looking, part: Part, *, alone: bool = False) -> Iterator[Figure]:
        """The painting from its Gram matrices at the first stages, or at each stage alone."""
        for number, stage in enumerate(looking.stages):
            stages = [stage] if alone else looking.stages[: number + 1]
            targets = self._targets(looking.see, stages, [])
            picture, loss = _rebuilt(self.noise, looking.see, stages, targets.style)
            of = stage if len(stages) == 1 else f"{stages[0]} to {stage}"
            yield Figure(part, stage, f"{of}: style {loss:.2f}", _png(picture))

    def _targets(self, see: See, style: Sequence[str], content: Sequence[str]) -> Targets:
        stages = [*style, *content]
        with torch.no_grad():
            return Targets.of(see(self.photo, stages), mean_grams(see, self.paintings, style) if style else {}, content)


def _rebuilt(
    noise: Tensor, see: See, stages: Sequence[str], loss: Callable[[Mapping[str, Tensor]], Tensor]
) -> tuple[Tensor, float]:
    """What the noise becomes when nothing but this loss changes it, (1, 3, H, W), and how much of the loss is left."""
    waves = Waves(noise)
    optimizer = torch.optim.Adam([waves.coefficients], lr=RATE, betas=(0.9, 0.99))
    for number in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 - number / STEPS)
        optimizer.zero_grad()
        loss(see(waves(), stages)).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    with torch.no_grad():
        picture = waves()
        return picture, loss(see(picture, stages)).item()


def with_random_weights(looking: Looking, *, seed: int) -> Looking:
    """The same network as if it had learned nothing, up to the last stage that is looked at."""
    tops = {each.partition(".")[0] for each in (*looking.stages, *looking.content_stages)}
    net = nn.Sequential()
    for name, part in named_stages(looking.net):
        net.add_module(name, deepcopy(part))
        tops.discard(name)
        if not tops:
            break
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed % MOST_SEEDS)
        for layer in net.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
            elif isinstance(layer, nn.BatchNorm2d):
                layer.reset_parameters()
    return replace(looking, net=net.eval().requires_grad_(False))


def _grams(subject: Subject) -> Iterator[Figure]:
    """The Gram matrices of photo, painting and result at each stage, at the size that was painted."""
    looking = subject.looking
    with torch.no_grad():
        photo = looking.see(sized(subject.photo)(1), looking.stages)
        paintings = [(sized(pixels, like=subject.photo)(1), weight) for pixels, weight in subject.paintings]
        painted = mean_grams(looking.see, paintings, looking.stages)
        result = looking.see(sized(subject.result)(1), looking.stages)
        left = Targets.of(photo, painted, []).style_by_stage(result)
    for stage in looking.stages:
        three = [gram(photo[stage]), painted[stage], gram(result[stage])]
        _, maps, height, width = photo[stage].shape
        words = (
            f"{stage}, {maps} maps of {width} x {height} places: between the photo, at 1, and the painting, at 0, the "
            f"result is at {left[stage].item():.2f}"
        )
        yield Figure("gram", stage, words, gram_png([each.numpy() for each in three]))


def gram_png(grams: Sequence[NDArray[np.float32]]) -> bytes:
    """Gram matrices of photo, painting and result, each (C, C), side by side on one scale.

    A value is divided by how strong its two maps are, each where it is strongest of the three: 1, on the diagonal, is
    the strongest, 0 is white, and -1 are two maps that exclude each other. The maps are in the order in which the
    painting has them together.
    """
    strongest = np.sqrt(np.max([each.diagonal() for each in grams], axis=0).clip(min=1e-20))
    shares = np.stack(grams) / np.outer(strongest, strongest)  # (3, C, C)
    order = np.linalg.eigh(shares[1])[1][:, -1].argsort()
    return sheet(signed_colors(shares[:, order][:, :, order], end=1), columns=len(grams)).png


def _png(picture: Tensor) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels_of(picture)).save(file, "PNG")
    return file.getvalue()
