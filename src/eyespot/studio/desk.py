"""The pictures that lie on the studio's desk, by number, and the network's walks through them."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from eyespot.errors import RequestError
from eyespot.studio.subject import Answer, Subject

if TYPE_CHECKING:
    from eyespot.walking.walk import Walk

MOST_PICTURES, MOST_WALKS = 64, 2
"""A walk through a large network holds about 90 MB."""
T = TypeVar("T")


class Desk:
    """Images as the network takes them. Safe to use from several threads, one of which computes at a time."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self._images: OrderedDict[str, np.ndarray] = OrderedDict()
        self._walks: OrderedDict[str, Walk] = OrderedDict()
        self._lock = threading.Lock()

    def lay(self, image: np.ndarray) -> str:
        """The number under which an image, uint8 (H, W, C), lies here from now on."""
        number = hashlib.sha256(image.tobytes()).hexdigest()[:16]
        with self._lock:
            _keep(self._images, number, image, most=MOST_PICTURES)
        return number

    def image(self, number: str) -> np.ndarray:
        """Raises RequestError for a picture that is not here any more."""
        with self._lock:
            return self._image(number)

    def answer(self, number: str) -> Answer:
        """What the network says of a picture."""
        with self._lock:
            return self.subject.answer(self._image(number))

    def walk(self, number: str) -> Walk:
        """The network's walk through a picture."""
        from eyespot.walking.walk import walk

        with self._lock:
            if number not in self._walks:
                found = walk(self.subject.net, self.subject.tensor(self._image(number)))
                _keep(self._walks, number, found, most=MOST_WALKS)
            return self._walks[number]

    def without(self, number: str, layer: str, map_index: int) -> dict[str, Any]:
        """Probabilities by the layers themselves, in 32 bits: as the picture is, and without one map of a layer."""
        import torch

        from eyespot.walking.walk import logits_without

        before = self.walk(number).logits
        with self._lock:
            net, image = self.subject.net, self.subject.tensor(self._image(number))
            after = logits_without(net, image, layer=layer, map_index=map_index)
        return {name: torch.softmax(each, 0).tolist() for name, each in (("before", before), ("after", after))}

    def _image(self, number: str) -> np.ndarray:
        if number not in self._images:
            raise RequestError(404, "this picture is not on the desk any more: choose it again")
        self._images.move_to_end(number)
        return self._images[number]


def _keep(kept: OrderedDict[str, T], number: str, value: T, *, most: int) -> None:
    kept[number] = value
    kept.move_to_end(number)
    while len(kept) > most:
        kept.popitem(last=False)
