"""Which places of an image raised an answer: exactly if the network allows it, else found by hiding them.

The class activation map is that of Zhou, Khosla, Lapedriza, Oliva, Torralba 2016, "Learning deep features for
discriminative localization", arXiv:1512.04150, equation 2. A linear head over the mean of a feature map takes the mean
of what it would say at each place, so the map is no estimate: its mean, plus the class's bias, is the class's score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from eyespot.engine.last_map import LinearHead
from eyespot.explaining.network import Answer, Network
from eyespot.explaining.occlusion import occlusion_map

Method = Literal["class activation map", "occlusion"]
FEWEST_PLACES = 9
"""A feature map of fewer places, as of very small images, says too little of where: occlusion does better."""

_SENTENCES: dict[Method, str] = {
    "class activation map": (
        "It shows where the network found what raised its score for {class_!r}, not why, and not whether the answer "
        "is right."
    ),
    "occlusion": (
        "It shows where hiding a patch made {class_!r} less likely, not why, and not whether the answer is right."
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


def heat_of(network: Network, image: NDArray[np.uint8], answer: Answer, class_index: int) -> HeatMap:
    """The heat map of one class. image: (H, W, C). answer: the network's to it."""
    name, probability = network.classes[class_index], min(1.0, float(answer.probabilities[class_index]))
    if network.head is not None and answer.maps is not None and answer.maps[0].size >= FEWEST_PLACES:
        values = activation_map(answer.maps, network.head, class_index)
        return HeatMap("class activation map", class_index, name, probability, values)
    values = occlusion_map(network, image, class_index, probability)
    return HeatMap("occlusion", class_index, name, probability, values)


def activation_map(maps: NDArray[np.float32], head: LinearHead, class_index: int) -> NDArray[np.float32]:
    """What each place adds to the score of a class, (h, w): the sum over k of weight[class, k] * maps[k].

    maps: the last feature map of one image, (C, h, w).
    """
    added = np.tensordot(head.weight[class_index].astype(np.float64), maps, axes=1)  # (h, w)
    return np.asarray(added, np.float32)
