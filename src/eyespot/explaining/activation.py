"""The class activation map: what every place of the last feature map adds to the score of a class.

Zhou, Khosla, Lapedriza, Oliva, Torralba 2016, "Learning deep features for discriminative localization",
arXiv:1512.04150, equation 2. A linear head over the mean of a feature map takes the mean of what it would say at each
place, so the map is no estimate: its own mean, plus the class's bias, is the class's score.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eyespot.engine.last_map import LinearHead


def activation_map(maps: NDArray[np.float32], head: LinearHead, class_index: int) -> NDArray[np.float32]:
    """What each place adds to the score of a class, (h, w): the sum over k of weight[class, k] * maps[k].

    maps: the last feature map of one image, (C, h, w).
    """
    added = np.tensordot(head.weight[class_index].astype(np.float64), maps, axes=1)  # (h, w)
    return np.asarray(added, np.float32)
