"""The published classifier in eyespot against timm's, on pictures of ImageNet: the same answers, picture for picture.

    python benchmarks/imagenet_truth.py DATA

DATA holds pictures whose names begin with the WordNet id of their class, such as n01494475_hammerhead.JPEG. eyespot:
decoding and features with the publisher's preprocessing, times the published head. timm: tf_efficientnet_lite0 with
the same weights, and timm's own preprocessing. timm's side does not turn pictures by their EXIF orientation, eyespot
does: pictures that have one are named.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import measuring
import numpy as np
import torch
from measuring import at_least
from outside import published_tensors, timm_network, timm_transform, timm_with_torchvision
from PIL import ExifTags, Image

from eyespot import machine
from eyespot.building.backbone import DEFAULT
from eyespot.data.copies import hash_pictures
from eyespot.data.sources import list_pictures
from eyespot.engine.run import available_precisions
from eyespot.features.embed import embed
from eyespot.records import PrecisionName
from eyespot.zoo.weights import EFFICIENTNET_LITE0

BAR = at_least(1.0, "of the answers", "in fp32 every answer equals that of timm with the same weights")


@dataclass(frozen=True)
class Answers:
    """Probabilities of pictures, and what they show."""

    probabilities: np.ndarray
    """(N, 1000)."""
    labels: np.ndarray
    """(N,)."""

    @property
    def accuracy(self) -> float:
        return float((self.probabilities.argmax(axis=1) == self.labels).mean())


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("data", type=Path, help="a folder of pictures named by WordNet id")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    paths = pictures_of(options.data)
    for path in turned(paths):
        print(f"note: {path.name} has an EXIF orientation")
    theirs = timm_answers(paths)
    print(f"timm, fp32: top-1 {theirs.accuracy:.2f} on {len(paths)} pictures")
    for precision in reversed(available_precisions()):
        ours = eyespot_answers(paths, cache_folder=machine.cache_folder(), precision=precision)
        equal, difference = compared(ours, theirs)
        print(
            f"eyespot, {precision}: top-1 {ours.accuracy:.2f}; {equal} of {len(paths)} answers equal timm's; ", end=""
        )
        print(f"probabilities differ by at most {difference:.2g}")
        if precision == "fp32":
            verdict = BAR.verdict(equal / len(paths))
    print(verdict)


def pictures_of(folder: Path) -> list[Path]:
    """The pictures, in order of their names."""
    return sorted(picture.path for picture in list_pictures([folder])[0] if picture.path)


def turned(paths: list[Path]) -> list[Path]:
    """Those with an EXIF orientation other than upright."""
    found = []
    for path in paths:
        with Image.open(path) as picture:
            if picture.getexif().get(ExifTags.Base.Orientation, 1) != 1:
                found.append(path)
    return found


def eyespot_answers(paths: list[Path], *, cache_folder: Path, precision: PrecisionName) -> Answers:
    hashed, _ = hash_pictures(list_pictures(paths)[0], threads=machine.cores())
    trunk = replace(DEFAULT.trunk(cache_folder, precision), preprocess=EFFICIENTNET_LITE0.preprocess)
    embedded = embed(trunk, hashed, store=None)
    assert not embedded.set_aside, embedded.set_aside
    tensors = published_tensors()
    logits = torch.from_numpy(embedded.features["identity"]) @ tensors["_fc.weight"].T + tensors["_fc.bias"]
    return Answers(logits.softmax(1).numpy(), labels_of(paths))


def timm_answers(paths: list[Path]) -> Answers:
    net = timm_network()
    transform: Any = timm_transform(net)
    rows = []
    for path in paths:
        with Image.open(path) as picture, torch.inference_mode():
            rows.append(net(transform(picture.convert("RGB"))[None]).softmax(1))
    return Answers(torch.cat(rows).numpy(), labels_of(paths))


def labels_of(paths: list[Path]) -> np.ndarray:
    """Class indices (N,), by the WordNet ids in the names."""
    identifiers = timm_with_torchvision().data.ImageNetInfo().label_names()
    return np.array([identifiers.index(path.name.split("_")[0]) for path in paths])


def compared(ours: Answers, theirs: Answers) -> tuple[int, float]:
    """How many answers are equal, and the largest difference of a probability."""
    equal = ours.probabilities.argmax(axis=1) == theirs.probabilities.argmax(axis=1)
    return int(equal.sum()), float(np.abs(ours.probabilities - theirs.probabilities).max())


if __name__ == "__main__":
    main()
