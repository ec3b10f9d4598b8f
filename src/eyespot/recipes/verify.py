"""Proof that the bundle on disk answers as the model that was measured."""

from __future__ import annotations

import numpy as np

from eyespot import machine
from eyespot.bundle.files import Bundle, read_bundle
from eyespot.bundle.run import Classifier
from eyespot.data.audit import Hashed
from eyespot.errors import BundleError
from eyespot.evaluate.calibration import probabilities
from eyespot.features.decode import decode_or_reason
from eyespot.recipes.backbone import compiled_folder
from eyespot.recipes.measure import Measurements
from eyespot.recipes.regime import Fitted

COMPARED = 8
"""Few enough to be asked one at a time, as most pictures will be; so the graph is compiled for them already."""
CLOSE = {"fp32": 1e-3, "bf16": 3e-2}
"""Largest difference of a probability: the same sums in another order, in the run's precision."""


def require_same_answers(bundle: Bundle, fitted: Fitted, measured: Measurements) -> None:
    """Reads the bundle back and compares its probabilities with those that were measured, on held-out pictures.

    Where none were held out, with the head's on training pictures. Raises BundleError where they differ by more than
    rounding.
    """
    pictures, logits = _answered(fitted, measured)
    preprocess = fitted.trunk.preprocess
    decoded = [decode_or_reason(each.picture, each.content, preprocess) for each in pictures]
    images = [(number, image) for number, image in enumerate(decoded) if not isinstance(image, str)]
    classifier = Classifier(read_bundle(bundle.folder), cache_folder=compiled_folder(machine.cache_folder()))
    expected = probabilities(logits, temperature=fitted.temperature)
    for number, found in classifier.stream(images, many=False):
        difference = float(np.abs(found - expected[number]).max())
        if difference > CLOSE[fitted.trunk.precision]:
            raise BundleError(
                f"the written model answers otherwise than the trained one: {pictures[number].picture.name} "
                f"differs by {difference:.4f} in probability; please report this"
            )


def _answered(fitted: Fitted, measured: Measurements) -> tuple[list[Hashed], np.ndarray]:
    """A few pictures and the trained model's logits for them, (N, classes)."""
    for answers in measured.answers:
        if answers.part != "train":  # those are of other heads, which had not seen them
            return answers.pictures[:COMPARED], answers.logits[:COMPARED]
    embedded = fitted.trunk.embed(measured.prepared.hashed[:COMPARED], views=("identity",), store=None)
    return embedded.pictures, fitted.head.logits(embedded.features["identity"])
