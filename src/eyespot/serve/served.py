"""A bundle as it is served: its graph ready for many threads at once, its names ready to be sent.

What differs from task to task is the methods of `Served`: `classification.py` has them for models that name classes,
`detection.py` for those that find boxes, `multilabel.py` for those of several labels. All else asks no bundle what its
task is.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from eyespot.bundle.described import fingerprint_of
from eyespot.bundle.files import AnyBundle
from eyespot.bundle.many_threads import ManyThreads
from eyespot.data.framed import Framed
from eyespot.errors import RequestError
from eyespot.records import Preprocess

if TYPE_CHECKING:
    from eyespot.serve.explaining import Explaining

Tensor = dict[str, Any]
"""An output of the Open Inference Protocol without its name: `datatype`, `shape`, and `data` where there is some."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is known of one picture, whatever the model's task."""

    size_wh: tuple[int, int]
    """Of the upright picture, pixels."""
    is_flat: bool = False
    """True if the network saw only one color."""


Wanted = TypeVar("Wanted")
"""The options of a request."""
Found = TypeVar("Found", bound=Answer)
"""The answer to a picture."""


@dataclass(frozen=True, eq=False)
class Served(ABC, Generic[Wanted, Found]):
    """One bundle at work. A request keeps the one it began with, whatever is served when it ends."""

    bundle: AnyBundle
    answering: ManyThreads
    fingerprint: str
    classes_json: tuple[str, ...]
    """Each class's name, as JSON."""

    @property
    def classes(self) -> tuple[str, ...]:
        return self.bundle.manifest.classes

    @property
    def preprocess(self) -> Preprocess:
        return self.bundle.manifest.preprocess

    @abstractmethod
    def asked(self, fields: Sequence[tuple[str, str]]) -> Wanted:
        """The options of `POST /predict`. Raises RequestError for any other."""

    def require_few(self, wanted: Wanted, *, pictures: int) -> None:
        """Raises RequestError if this many pictures of a request cannot be asked about in this way."""

    @abstractmethod
    def read(self, data: bytes) -> Framed:
        """A file as an image. Raises RequestError with the status that says why not."""

    @abstractmethod
    def answers(
        self, images: Sequence[Framed], wanted: Sequence[Wanted], *, alone: bool
    ) -> Sequence[Found | RequestError]:
        """The answer to each image, or why it has none; `ManyThreads.most` of them at most.

        wanted: the options for each. alone: nothing else is being answered.
        """

    @abstractmethod
    async def entries(self, answer: Found, picture: bytes, wanted: Wanted, explaining: Explaining) -> str:
        """What `POST /predict` says of a picture besides its name and size: entries of a JSON object, without braces.

        picture: the file. Raises RequestError.
        """

    @abstractmethod
    def described(self) -> dict[str, Any]:
        """What `GET /model` says of the bundle."""

    @abstractmethod
    def tensors_described(self) -> dict[str, Tensor]:
        """The outputs that the Open Inference Protocol has, by name, without data; -1 is a length that varies."""

    @abstractmethod
    def tensors(self, answers: Sequence[Found]) -> dict[str, Tensor]:
        """The same with the data of these answers, at least one."""


def known_by(bundle: AnyBundle) -> tuple[str, tuple[str, ...]]:
    """The bundle's fingerprint, and the names of its classes as JSON."""
    manifest = bundle.manifest
    return fingerprint_of(manifest), tuple(json.dumps(name) for name in manifest.classes)


def black(preprocess: Preprocess) -> np.ndarray:
    """A black image (1, H, W, C), which every model is asked about before it is served."""
    return np.zeros((1, *preprocess.crop_hw, preprocess.channels), np.uint8)
