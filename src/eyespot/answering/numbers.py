"""What a model makes of pictures as plain arrays, a row for each: its features, its probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from eyespot.answering.opened import FEW_PICTURES, Opened
from eyespot.bundle.exported import WholeClassifier
from eyespot.bundle.run import NO_ANSWER
from eyespot.data.data_set import Picture
from eyespot.data.handed import Pictures, listed
from eyespot.engine.gate import FEATURES
from eyespot.engine.run import BATCH
from eyespot.errors import BundleError, DataError
from eyespot.features.decode import decode_pictures
from eyespot.progress import Progress
from eyespot.words import counted

EMBEDDING = "computing features"


def probabilities_of(model: Opened, pictures: Pictures, *, progress: Progress) -> NDArray[np.float32]:
    """(N, classes), a row for each picture, in the order of the model's classes. See Model.probabilities."""
    found, _ = listed(pictures)
    unread = [(picture, None) for picture in found]
    said = model.answers(unread, doing="predicting", many=len(found) > FEW_PICTURES, progress=progress)
    _require_all(found, said.reasons)
    return np.stack([said.answers[number].probabilities for number in range(len(found))]).astype(np.float32)


def features_of(model: Opened, pictures: Pictures, *, progress: Progress) -> NDArray[np.float32]:
    """(N, D), a row for each picture: what the network gives before its head. See Model.embed."""
    found, _ = listed(pictures)
    classifier = model.classifier
    if isinstance(classifier, WholeClassifier):
        raise BundleError(f"{model.bundle.folder} is an exported file, which gives no features: load its run instead")
    reasons: dict[int, str] = {}
    rows: dict[int, NDArray[np.float32]] = {}
    unread = [(picture, None) for picture in found]
    decoded = decode_pictures(unread, model.manifest.preprocess, reasons, ahead=4 * BATCH)
    for number, outputs in classifier.outputs(decoded, many=len(found) > FEW_PICTURES):
        if FEATURES not in outputs:
            raise BundleError(f"the model in {model.bundle.folder} gives no features: train it again")
        rows[number] = outputs[FEATURES].reshape(-1).astype(np.float32)
        if not np.isfinite(rows[number]).all():
            reasons[number] = NO_ANSWER
        progress(EMBEDDING, len(rows) + len(reasons), len(found))
    _require_all(found, reasons)
    return np.stack([rows[number] for number in range(len(found))])


def _require_all(pictures: Sequence[Picture], reasons: Mapping[int, str]) -> None:
    """Raises DataError unless each picture has its row."""
    if reasons:
        first = min(reasons)
        others = f", and {counted(len(reasons) - 1, 'other')} neither" if len(reasons) > 1 else ""
        raise DataError(
            f"{pictures[first].name} {reasons[first]}, so it has no row{others}: leave it out; predict names all such "
            "pictures"
        )
