"""A photo painted in steps: its waves are changed until a network sees the photo's content in the painting's style.

Gatys, Ecker and Bethge 2016, "Image style transfer using convolutional neural networks", CVPR; in Fourier space, from
coarse to fine. The sizes are what decides about the strokes: the network sees about the same number of pixels around
each place, so at half the size its strokes are twice as wide, and the next size only refines what is there.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from eyespot.styling.fourier import Waves
from eyespot.styling.options import CONTENT, LEAST_SIDE, Strokes
from eyespot.styling.statistics import Targets, gram
from eyespot.training.around_steps import freed_memory_stays

SIZES: Mapping[Strokes, tuple[tuple[float, float], ...]] = {
    "small": ((1.0, 1.0),),
    "medium": ((0.5, 0.25), (1.0, 0.75)),
    "large": ((0.25, 0.1), (0.5, 0.2), (1.0, 0.7)),
}
"""Shares of the final size, and each one's share of the steps or of the time."""
RATE, BETAS = 0.02, (0.9, 0.99)
PLACES, REACH = 24, 32
"""From how many places the network looks, and how many pixels they are apart at most: twice the stride of stage 5."""
SCALES = (0.8, 1.0, 1.2)
"""In which sizes it sees the picture."""
FLIPS = ((), (2,), (3,), (2, 3))
"""And along which axes it is turned over."""
FALLING = 0.4
"""The last share of the work, in which the rate falls to a tenth."""

See = Callable[[Tensor, Sequence[str]], Mapping[str, Tensor]]
"""The maps of some stages of a network, for pictures (1, 3, H, W) from 0 to 1."""
Sized = Callable[[float], Tensor]
"""A picture at a share of the final size, (1, 3, H, W), 0 to 1."""


class Budget(ABC):
    """What may be spent on a picture."""

    @abstractmethod
    def spent(self, steps: int) -> float:
        """The share that is spent after this many steps: 1 or more is all."""

    def leaves_a_step(self, steps: int, *, until: float) -> bool:
        """Whether there is time for one more step at a small size, until a share is spent, and one at the last."""
        return self.spent(steps) < until and self.spent(steps + 1) < 1


@dataclass(frozen=True)
class StepBudget(Budget):
    """A number of steps."""

    steps: int

    def spent(self, steps: int) -> float:
        return steps / self.steps


@dataclass(frozen=True)
class TimeBudget(Budget):
    """Time, from a moment of `time.monotonic` to another."""

    started: float
    until: float

    def spent(self, steps: int) -> float:
        length = self.until - self.started
        return (time.monotonic() - self.started) / length if length > 0 else 1.0  # it was over before it began


@dataclass(frozen=True)
class How:
    """How a picture is painted."""

    stages: Sequence[str]
    """Whose Gram matrices are the style, from the shallowest."""
    content_stages: Sequence[str]
    """Whose maps are the content."""
    content: float = CONTENT
    """The weight of the content; the style's is 1."""
    strength: float = 1.0
    """How far from the photo's own statistics to the painting's, 0..1."""
    strokes: Strokes = "medium"
    seed: int = 0

    @property
    def looked_at(self) -> list[str]:
        """Every stage that counts, once."""
        return list(dict.fromkeys([*self.stages, *self.content_stages]))


@dataclass(frozen=True)
class Step:
    """The picture after a step."""

    number: int
    style: float
    """1 at the photo, 0 at what it should come near to."""
    content: float
    """0 at the photo."""
    spent: float
    ends_size: bool
    """Whether it was the last step at its size."""
    waves: Waves
    stages: Mapping[str, float]
    """The style at each stage by itself."""

    @property
    def picture(self) -> NDArray[np.uint8]:
        """(H, W, 3)."""
        with torch.no_grad():
            return pixels_of(self.waves())


def painted(
    photo: Sized,
    paintings: Sequence[tuple[Sized, float]],
    see: See,
    how: How,
    budget: Budget,
    *,
    begin: Tensor | None = None,
) -> Iterator[Step]:
    """The picture after every step; whoever takes them may stop at any.

    paintings: each with its weight. begin: a picture to begin with, (1, 3, H, W), in place of the photo.
    """
    random = np.random.default_rng(how.seed)
    picture, end, number = begin, 0.0, 0
    for size, share in SIZES[how.strokes]:
        end, is_last = end + share, size == 1
        if not is_last and not budget.leaves_a_step(number, until=end):
            continue
        own = photo(size)
        places = _Places(own, [(painting(size), weight) for painting, weight in paintings], see, how)
        waves = Waves(own if picture is None else _resized(picture, own))
        optimizer = torch.optim.Adam([waves.coefficients], lr=RATE, betas=BETAS)
        goes_on = True
        with freed_memory_stays():
            while goes_on:
                optimizer.param_groups[0]["lr"] = _rate(budget.spent(number))
                stages, lost = places.losses(waves(), random)
                style = torch.stack([*stages.values()]).mean()
                optimizer.zero_grad()
                (style + how.content * lost).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                number += 1
                spent = budget.spent(number)
                goes_on = spent < 1 if is_last else budget.leaves_a_step(number, until=end)
                each = {stage: loss.item() for stage, loss in stages.items()}
                yield Step(number, style.item(), lost.item(), spent, not goes_on, waves, each)
        with torch.no_grad():
            picture = waves()


@dataclass(frozen=True)
class _Place:
    """From where the network looks at a picture."""

    shift: tuple[int, int]
    """Pixels down and across."""
    scale: float
    flip: tuple[int, ...]

    def seen_from(self, picture: Tensor) -> Tensor:
        return _scaled(torch.roll(picture, self.shift, dims=(2, 3)), self.scale).flip(self.flip)


class _Places:
    """Some places, and what should be seen from each.

    A picture that is made for one place deceives this network alone, with the one grid of its strides, at one size: to
    other networks, and to us, it is not as near to the painting.
    """

    def __init__(self, photo: Tensor, paintings: Sequence[tuple[Tensor, float]], see: See, how: How) -> None:
        self._photo, self._paintings, self._see, self._how = photo, paintings, see, how
        self._known: dict[int, tuple[_Place, Targets]] = {}

    def losses(self, picture: Tensor, random: np.random.Generator) -> tuple[dict[str, Tensor], Tensor]:
        """From any of the places: how far a picture is from the paintings at each stage, and how far from the photo."""
        place, targets = self._one_of(random)
        maps = self._see(place.seen_from(picture), self._how.looked_at)
        return targets.style_by_stage(maps), targets.content_lost(maps)

    def _one_of(self, random: np.random.Generator) -> tuple[_Place, Targets]:
        """What is to be seen from it is known from the second time on."""
        number = int(random.integers(PLACES))
        if number not in self._known:
            down, across = random.integers(0, REACH, 2).tolist()
            scale, flip = SCALES[number % len(SCALES)], FLIPS[number // len(SCALES) % len(FLIPS)]
            place = _Place((down, across), scale, flip)
            paintings = [(place.seen_from(painting), weight) for painting, weight in self._paintings]
            self._known[number] = place, _targets(place.seen_from(self._photo), paintings, self._see, self._how)
        return self._known[number]


def _rate(spent: float) -> float:
    """Of the next step, when this share of the work is done."""
    fallen: float = 0.1 ** (max(0.0, spent - (1 - FALLING)) / FALLING)
    return RATE * fallen


def sized(pixels: NDArray[np.uint8], *, like: NDArray[np.uint8] | None = None) -> Sized:
    """The picture (H, W, 3) at any share of its size; each side has 32 pixels at least.

    like: a picture whose longer side it takes as its own, or None.
    """
    whole = Image.fromarray(pixels)
    factor = 1.0 if like is None else max(like.shape[:2]) / max(whole.size)

    def at(share: float) -> Tensor:
        width, height = (max(LEAST_SIDE, round(share * factor * side)) for side in whole.size)
        smaller = np.asarray(whole.resize((width, height), Image.Resampling.LANCZOS), np.float32)
        return torch.from_numpy(smaller / 255).permute(2, 0, 1)[None].contiguous()

    return at


def pixels_of(picture: Tensor) -> NDArray[np.uint8]:
    """A picture (1, 3, H, W) from 0 to 1 as levels (H, W, 3)."""
    pixels: NDArray[np.uint8] = (picture[0] * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
    return pixels


def mean_grams(see: See, paintings: Sequence[tuple[Tensor, float]], stages: Sequence[str]) -> dict[str, Tensor]:
    """The paintings' Gram matrices by stage: their mean by the weights."""
    total = sum(weight for _, weight in paintings)
    seen = [(see(painting, stages), weight / total) for painting, weight in paintings]
    return {stage: torch.stack([share * gram(maps[stage]) for maps, share in seen]).sum(0) for stage in stages}


def _targets(photo: Tensor, paintings: Sequence[tuple[Tensor, float]], see: See, how: How) -> Targets:
    with torch.no_grad():
        maps = see(photo, how.looked_at)
        asked = mean_grams(see, paintings, how.stages)
        grams = {stage: torch.lerp(gram(maps[stage]), asked[stage], how.strength) for stage in how.stages}
    return Targets.of(maps, grams, how.content_stages)


def _resized(picture: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(picture, size=like.shape[2:], mode="bicubic", align_corners=False).clamp(0, 1)


def _scaled(picture: Tensor, scale: float) -> Tensor:
    """At a share of its size; each side has 32 pixels at least."""
    if scale == 1:
        return picture
    height, width = (max(LEAST_SIDE, round(scale * side)) for side in picture.shape[2:])
    smaller: Tensor = functional.interpolate(
        picture, size=(height, width), mode="bilinear", align_corners=False, antialias=True
    )
    return smaller
