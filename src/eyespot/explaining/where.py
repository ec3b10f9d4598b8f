"""Where in a picture the likeliest class is, estimated from its class activation map: one box a picture.

This is section 3.2 of Zhou, Khosla, Lapedriza, Oliva, Torralba 2016, "Learning deep features for discriminative
localization", arXiv:1512.04150: of the map, enlarged to the image's size, the places above 20 % of the largest value
are kept, and the box goes around the largest region of these. No box was ever shown to the network, so the box goes
around what tells the classes apart, which may be less than the thing, or more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.bundle.exported import Exported
from eyespot.bundle.files import Bundle
from eyespot.bundle.run import ClassAnswer
from eyespot.data.data_set import Picture
from eyespot.data.framed import Cropped, read_cropped
from eyespot.data.levels import is_flat
from eyespot.engine.run import BATCH
from eyespot.errors import OptionError
from eyespot.explaining.heat import FEWEST_PLACES, activation_map
from eyespot.explaining.network import Grounded, Network
from eyespot.explaining.regions import largest_region
from eyespot.features.decode import decode_with
from eyespot.progress import Progress
from eyespot.records import Window

SHARE = 0.2
"""Of the map's largest value: what is above it may be in the box."""
Box = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels of the picture held upright."""


@dataclass(frozen=True)
class Located:
    """What a network says of some pictures, and where in them, by their numbers."""

    answers: dict[int, ClassAnswer] = field(default_factory=dict)
    """Of each picture that has one."""
    boxes: dict[int, Box] = field(default_factory=dict)
    """Of the likeliest class; not of pictures whose map is nowhere above 0."""
    sizes: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Height and width of each picture with an answer, pixels, held upright."""
    reasons: dict[int, str] = field(default_factory=dict)
    """Why the others have no answer."""
    flat: set[int] = field(default_factory=set)
    """Pictures of one color."""


def network_with_maps(bundle: Bundle, *, many: bool, cache_folder: Path | None) -> Network:
    """The bundle's network, whose maps say where. Raises OptionError if it has none, or too small ones.

    many: more than a few pictures are to come.
    """
    if isinstance(bundle, Exported):
        raise OptionError(
            f"the option where needs a run or its bundle, and {bundle.folder} is an exported file, which gives no map "
            "of its answers: name the run that it was made of"
        )
    network = Network(bundle, cache_folder=cache_folder)
    places, name = network.places_hw(many=many), bundle.manifest.network.name
    needs = f"the option where needs a class activation map, and the model in {bundle.folder} ({name})"
    if places is None:
        raise OptionError(
            f"{needs} has none, not being one linear layer on the mean of a feature map: train again without --head, "
            "on a network such as efficientnet_lite0 or resnet18"
        )
    if math.prod(places) < FEWEST_PLACES:
        (high, wide), (height, width) = places, bundle.manifest.preprocess.crop_hw
        raise OptionError(
            f"{needs} has one of only {wide} x {high} places for its images of {width} x {height} px, too few to say "
            "where: train with a larger --imgsz"
        )
    return network


def locate(network: Network, pictures: Sequence[Picture], *, many: bool, progress: Progress) -> Located:
    """What the network says of each picture, as `predict` would, and the box of the likeliest class.

    network: from `network_with_maps`. many: more than a few pictures, so that working in batches pays.
    """
    located = Located()
    preprocess = network.bundle.manifest.preprocess
    asked = [(picture, None) for picture in pictures]
    decoded = decode_with(read_cropped, asked, preprocess, located.reasons, ahead=4 * BATCH)
    for (number, cropped), answer in network.stream(_tagged(decoded), many=many):
        if isinstance(answer, str):
            located.reasons[number] = answer
        else:
            located.answers[number], located.sizes[number] = answer, cropped.picture_hw
            box = _box_of_likeliest(network, cropped, answer)
            if box:
                located.boxes[number] = box
        if is_flat(cropped.image):
            located.flat.add(number)
        progress("predicting", len(located.answers) + len(located.reasons), len(pictures))
    return located


def box_of(
    values: NDArray[np.float32], *, crop_hw: tuple[int, int], window: Window, picture_hw: tuple[int, int]
) -> Box | None:
    """The box around the largest region of a map's high values; None where it has none above 0.

    values: (h, w), over the whole crop. crop_hw: of the network's images. window: the part of the picture that the
    crop shows; the box is in it. picture_hw: of the picture held upright.
    """
    high, wide = crop_hw
    enlarged = np.asarray(Image.fromarray(values).resize((wide, high), Image.Resampling.BILINEAR))  # (H, W)
    largest = float(enlarged.max())
    if not 0 < largest < math.inf:  # false for what is no number, too
        return None
    region = largest_region(enlarged > SHARE * largest)
    assert region is not None  # the largest value itself is above its share
    height, width = picture_hw
    left, right = (_placed(at / wide, window.left, window.width, width) for at in (region.left, region.right))
    top, bottom = (_placed(at / high, window.top, window.height, height) for at in (region.top, region.bottom))
    return left, top, right, bottom


def _placed(share: float, start: float, length: float, side: int) -> float:
    """The pixel of the picture's side that is at a share of the window, which begins at `start`; both are shares."""
    return round(min(max((start + share * length) * side, 0.0), float(side)), 2)


def _box_of_likeliest(network: Network, cropped: Cropped, answer: Grounded) -> Box | None:
    assert network.head is not None
    assert answer.maps is not None
    values = activation_map(answer.maps, network.head, int(answer.probabilities.argmax()))
    crop_hw = network.bundle.manifest.preprocess.crop_hw
    return box_of(values, crop_hw=crop_hw, window=cropped.window, picture_hw=cropped.picture_hw)


def _tagged(
    decoded: Iterator[tuple[int, Cropped]],
) -> Iterator[tuple[tuple[int, Cropped], NDArray[np.uint8]]]:
    for number, cropped in decoded:
        yield (number, cropped), cropped.image
