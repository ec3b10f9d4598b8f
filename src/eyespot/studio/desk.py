"""The pictures that lie on the studio's desk, by number, and the network's walks through them.

The number of a picture of the run's own is its id there, under which it comes to the desk whenever it is asked for.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from eyespot.studio.history import History
from eyespot.studio.lab_process import LabProcess
from eyespot.studio.own_pictures import OwnPictures
from eyespot.studio.run_number import run_number
from eyespot.studio.subject import Answer, Subject

if TYPE_CHECKING:
    from eyespot.walking.peaks import Peaks
    from eyespot.walking.walk import Walk

MOST_PICTURES, MOST_WALKS = 64, 2
"""A walk through a large network holds about 90 MB."""
T = TypeVar("T")


class Desk:
    """Images as the network takes them. Safe to use from several threads, one of which computes at a time."""

    def __init__(self, subject: Subject, lab: LabProcess | None = None) -> None:
        """lab: the studio's; it runs on where another run comes to its desk."""
        self.subject = subject
        self.own = OwnPictures(subject.bundle)
        self.lab = lab or LabProcess()
        self.history = History(subject.bundle.folder.parent if subject.bundle else None)
        self._images: OrderedDict[str, np.ndarray] = OrderedDict()
        self._walks: OrderedDict[str, Walk] = OrderedDict()
        self._lock = threading.Lock()
        self._walking = ThreadPoolExecutor(1, thread_name_prefix="eyespot-walking")
        """Takes all walks: what one thread gave back of its memory, others could not use."""

    @property
    def number(self) -> str:
        """By which a page knows what it shows: 16 hexadecimal digits."""
        bundle = self.subject.bundle
        return run_number(bundle.folder) if bundle else hashlib.sha256(self.subject.name.encode()).hexdigest()[:16]

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

    def glance(self, number: str) -> np.ndarray:
        """The same of a picture that does not come to the desk for it: many are looked at in passing."""
        with self._lock:
            if number in self._images:
                return self._images[number]
        return self.own.image(number)

    def peaks(self, layer: str, images: Sequence[np.ndarray]) -> Peaks:
        """The largest number of each map of a layer, for each image."""
        import torch

        from eyespot.walking.peaks import peaks

        with self._lock:
            return peaks(self.subject.net, torch.stack([self.subject.tensor(each) for each in images]), layer=layer)

    def answer(self, number: str) -> Answer:
        """What the network says of a picture."""
        with self._lock:
            return self.subject.answer(self._image(number))

    def walk(self, number: str) -> Walk:
        """The network's walk through a picture."""
        from eyespot.walking.walk import walk

        with self._lock:
            if number not in self._walks:
                image = self.subject.tensor(self._image(number))
                found = self._walking.submit(walk, self.subject.net, image).result()
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
            _keep(self._images, number, self.own.image(number), most=MOST_PICTURES)
        self._images.move_to_end(number)
        return self._images[number]


def _keep(kept: OrderedDict[str, T], number: str, value: T, *, most: int) -> None:
    kept[number] = value
    kept.move_to_end(number)
    while len(kept) > most:
        kept.popitem(last=False)
