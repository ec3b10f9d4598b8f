"""Which places of an image raised an answer, exactly if the network allows it, else by hiding them; and that in colors.

The class activation map is that of Zhou, Khosla, Lapedriza, Oliva, Torralba 2016, "Learning deep features for
discriminative localization", arXiv:1512.04150, equation 2. A linear head over the mean of a feature map takes the mean
of what it would say at each place, so the map is no estimate: its mean, plus the class's bias, is the class's score.

Else occlusion, after Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks", arXiv:1311.2901,
section 4.2: how much the probability of the class drops while a patch hides a part of the image. Their patch is gray;
this one has the image's mean color, which is as plain and less foreign to pictures that hold no gray.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.engine.last_map import LinearHead
from eyespot.explaining.network import Grounded, Network

Method = Literal["class activation map", "occlusion", "occlusion of a box"]
Asking = Callable[[Iterable[NDArray[np.uint8]]], Iterator[float]]
"""How probable something is in each image (H, W, C), in order; they are taken as the engine becomes free."""
FEWEST_PLACES = 9
"""A feature map of fewer places, as of very small images, says too little of where: occlusion does better."""
QUICK_SIDE = 64
"""Images of at most this many pixels a side are answered so quickly that more places can be tried."""
PLACES, PLACES_OF_SMALL = 8, 16
"""A side of the map."""
PATCHES = 4
"""The patch is this many times shorter than the image's side."""
OVERLAY_SIDE = 224
"""Of the longer side of an overlay by itself, pixels: whoever shows it enlarges it smoothly."""

# Black over purple and orange to yellow: lightness rises all the way, so that the order is seen without colors, too.
# The stops are those of matplotlib's inferno (van der Walt and Smith, 2015).
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
_COLORS = ((0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164))
_OPACITY = (0.55, 0.45, 0.45, 0.5, 0.6)

_SENTENCES: dict[Method, str] = {
    "class activation map": (
        "It shows where the network found what raised its score for {class_!r}, not why, and not whether the answer "
        "is right."
    ),
    "occlusion": (
        "It shows where hiding a patch made {class_!r} less likely, not why, and not whether the answer is right."
    ),
    "occlusion of a box": (
        "It shows where hiding a patch cost this box of {class_!r} some of its probability, or moved it; not why, and "
        "not whether the box is right."
    ),
}


@dataclass(frozen=True)
class HeatMap:
    """Where an answer comes from."""

    method: Method
    class_index: int
    class_: str
    probability: float
    values: NDArray[np.float32]
    """(h, w) over the image: what each place added to the class's score, or the probability lost by hiding it."""

    @property
    def sentence(self) -> str:
        """What the map can tell, and what it cannot."""
        return _SENTENCES[self.method].format(class_=self.class_)


def heat_of(network: Network, image: NDArray[np.uint8], answer: Grounded, class_index: int) -> HeatMap:
    """The heat map of one class. image: (H, W, C). answer: the network's to it."""
    name, probability = network.classes[class_index], min(1.0, float(answer.probabilities[class_index]))
    if network.head is not None and answer.maps is not None and answer.maps[0].size >= FEWEST_PLACES:
        values = activation_map(answer.maps, network.head, class_index)
        return HeatMap("class activation map", class_index, name, probability, values)
    places = PLACES_OF_SMALL if max(image.shape[:2]) <= QUICK_SIDE else PLACES
    values = occlusion_map(asking(network, class_index), image, probability, places=places)
    return HeatMap("occlusion", class_index, name, probability, values)


def asking(network: Network, class_index: int) -> Asking:
    """How probable a class is to a network."""
    return lambda images: (float(answer.probabilities[class_index]) for answer in network.answers(images, many=True))


def activation_map(maps: NDArray[np.float32], head: LinearHead, class_index: int) -> NDArray[np.float32]:
    """What each place adds to the score of a class, (h, w): the sum over k of weight[class, k] * maps[k].

    maps: the last feature map of one image, (C, h, w).
    """
    added = np.tensordot(head.weight[class_index].astype(np.float64), maps, axes=1)  # (h, w)
    return np.asarray(added, np.float32)


def occlusion_map(ask: Asking, image: NDArray[np.uint8], probability: float, *, places: int) -> NDArray[np.float32]:
    """How much of the probability is lost when each place is hidden, (places, places); below 0 where some is won.

    A place gets the mean of all patches that hide it.
    ask: how probable it is in an image. image: (H, W, C). probability: nothing being hidden. places: a side of the map.
    """
    patches = list(_patches(places))
    color = np.rint(image.mean((0, 1))).astype(np.uint8)
    answers = ask(with_hidden(image, patch, color) for patch in patches)
    lost, covered = np.zeros((places, places)), np.zeros((places, places))
    for patch, left in zip(patches, answers, strict=True):
        lost += patch * (probability - left)
        covered += patch
    return np.asarray(lost / covered, np.float32)


def with_hidden(image: NDArray[np.uint8], places: NDArray[np.bool_], color: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A copy of the image in which the chosen places have one color.

    image: (H, W, C). places: (h, w), True where hidden; each is a rectangle of about H / h by W / w pixels.
    color: (C,).
    """
    rows, columns = (_place_of_pixels(pixels, count) for pixels, count in zip(image.shape, places.shape, strict=False))
    hidden = image.copy()
    hidden[places[rows[:, None], columns]] = color
    return hidden


def overlay(values: NDArray[np.float32], size_wh: tuple[int, int]) -> Image.Image:
    """The map in colors that can be seen through, mode RGBA, of that width and height.

    values: (h, w). What is 0 or below is darkened, the largest value is yellow; in between it is interpolated.
    """
    raised = Image.fromarray(shares(values)).resize(size_wh, Image.Resampling.BICUBIC)
    return Image.fromarray(_colored(np.asarray(raised).clip(0, 1)))


def overlay_png(
    values: NDArray[np.float32], crop_hw: tuple[int, int], *, shown_hw: tuple[int, int] | None = None
) -> bytes:
    """The same as a PNG in the proportions of the crop, its longer side `OVERLAY_SIDE` pixels.

    shown_hw: height and width that the picture has in the image, where that is at its top left corner and the rest is
        filled: only what lies over the picture is given then.
    """
    height, width = (max(1, round(OVERLAY_SIDE * side / max(crop_hw))) for side in crop_hw)
    whole = overlay(values, (width, height))
    if shown_hw is not None:
        bottom, right = (
            max(1, round(side * shown / of)) for side, shown, of in zip((height, width), shown_hw, crop_hw, strict=True)
        )
        whole = whole.crop((0, 0, right, bottom))
    file = io.BytesIO()
    whole.save(file, "PNG")
    return file.getvalue()


def scale(size_wh: tuple[int, int]) -> Image.Image:
    """All colors in a row, from what did not raise the answer to what raised it most, over mid-gray; mode RGB."""
    width, height = size_wh
    colors = _colored(np.tile(np.linspace(0, 1, width, dtype=np.float32), (height, 1)))
    ground = Image.new("RGBA", size_wh, (160, 160, 160, 255))
    return Image.alpha_composite(ground, Image.fromarray(colors)).convert("RGB")


def shares(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The map as shares of its largest value, 0..1; 0 for all that is not above 0."""
    largest = float(values.max())
    return np.asarray(values.clip(0) / largest if largest > 0 else np.zeros_like(values), np.float32)


def _patches(side: int) -> Iterator[NDArray[np.bool_]]:
    """Every position of the patch among the places, (side, side), True where it hides one."""
    length = side // PATCHES
    for top in range(side - length + 1):
        for left in range(side - length + 1):
            patch = np.zeros((side, side), bool)
            patch[top : top + length, left : left + length] = True
            yield patch


def _place_of_pixels(pixels: int, places: int) -> NDArray[np.intp]:
    """The place that each pixel of a side belongs to."""
    return np.arange(pixels) * places // pixels


def _colored(heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Colors (H, W, 4) of shares 0..1, (H, W)."""
    channels = [np.interp(heat, _SHARES, column) for column in zip(*_COLORS, strict=True)]
    opacity = 255 * np.interp(heat, _SHARES, _OPACITY)
    return np.rint(np.stack([*channels, opacity], axis=2)).astype(np.uint8)
