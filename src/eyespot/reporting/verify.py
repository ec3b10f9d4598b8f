"""Proof that the bundle on disk answers as the model that was measured."""

from __future__ import annotations

import math
import os
import shutil
from pathlib import Path

import numpy as np

from eyespot import machine
from eyespot.bundle.files import Bundle, place_bundle, read_bundle, write_bundle, write_manifest
from eyespot.bundle.manifest import Agreement, Manifest
from eyespot.bundle.run import Classifier
from eyespot.engine.compiled import compiled_folder
from eyespot.errors import BundleError
from eyespot.evaluate.calibration import probabilities
from eyespot.features.decode import decode_pictures
from eyespot.files import writing
from eyespot.regimes.fitted import Fitted
from eyespot.reporting.measure import Measurements

CLOSE = {"fp32": 1e-4, "bf16": 3e-2}
"""Largest difference of a probability: the same sums in another order, in the run's precision."""


def write_verified(folder: Path, manifest: Manifest, graph: bytes, fitted: Fitted, measured: Measurements) -> Bundle:
    """The bundle, on disk in `folder` once it has been read back and asked; whatever goes wrong leaves what was there.

    Its manifest says how far its answers lie from those that were measured. Raises what `require_same_answers` does,
    and OptionError where it cannot be written.
    """
    draft = folder.with_name(f".{folder.name}.{os.urandom(6).hex()}")
    try:
        with writing(f"the model in {folder}"):
            bundle = write_bundle(draft, manifest, graph)
            agreement = require_same_answers(bundle, fitted, measured)
            manifest = manifest.model_copy(update={"agreement": agreement})
            write_manifest(draft, manifest)
            place_bundle(draft, folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return Bundle(folder, manifest, graph)


def require_same_answers(bundle: Bundle, fitted: Fitted, measured: Measurements) -> Agreement | None:
    """How far the probabilities of the bundle on disk lie from the trained model's own.

    None if no picture can be read any more. Raises BundleError if they differ by more than rounding.
    """
    own = measured.own
    classifier = Classifier(read_bundle(bundle.folder), cache_folder=compiled_folder(machine.cache_folder()))
    if own is None:
        return None
    work = [(each.picture, each.content) for each in own.pictures]
    images = list(decode_pictures(work, fitted.trunk.preprocess, {}, ahead=len(work)))
    expected = probabilities(own.middle, temperature=fitted.temperature.value)
    differences = [0.0]
    for number, found in classifier.stream(images, many=False):  # so the graph for `predict` is compiled already
        away = math.inf if isinstance(found, str) else float(np.abs(found - expected[number]).max())
        differences.append(away)
        if not differences[-1] <= CLOSE[fitted.trunk.precision]:  # nor may it be no number at all
            raise BundleError(
                f"the written model answers otherwise than the trained one, so none was kept: "
                f"{own.pictures[number].picture.name} differs by {differences[-1]:.4f} in probability; please report it"
            )
    return Agreement(n=len(images), largest_difference=max(differences)) if images else None
