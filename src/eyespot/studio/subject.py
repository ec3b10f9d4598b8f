"""What the studio looks into: a network with its weights, and what a person is told of its answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eyespot import machine
from eyespot.answering.rules import rules_of
from eyespot.arithmetic.table import Layer, flat
from eyespot.building.create import require_torch
from eyespot.building.named import bundle_with_weights, is_network, preprocess_of, read_run, with_weights
from eyespot.bundle.described import DRAWN_SIDE, SAMPLE
from eyespot.bundle.files import Bundle, find_bundle
from eyespot.bundle.run import Classifier, require_answer
from eyespot.engine.compiled import compiled_folder
from eyespot.files import from_home
from eyespot.heads.problems import log_softmax
from eyespot.records import Preprocess
from eyespot.runs.folder import ARGS

if TYPE_CHECKING:
    import torch
    from torch import nn

Answer = dict[str, Any]
"""`probabilities`, one for each class, and `known`: false where the picture is unlike all classes, null where no model
says that."""


@dataclass(frozen=True)
class Subject:
    """A network that is looked into."""

    name: str
    network: str
    net: nn.Sequential
    """In evaluation."""
    preprocess: Preprocess
    classes: tuple[str, ...]
    rows: tuple[Layer, ...]
    """Of its table, in the order in which the layers run."""
    answer: Callable[[np.ndarray], Answer]
    """To an image, uint8 (H, W, C): of a run, what `predict` says."""
    bundle: Bundle | None
    """Of a run."""

    @property
    def draws(self) -> str | None:
        """How a drawing is framed that it may be asked about; None where it wants no drawings."""
        if self.preprocess.color != "gray" or max(self.preprocess.crop_hw) > DRAWN_SIDE:
            return None
        return "filling" if self.bundle and self.bundle.manifest.data.name == SAMPLE else "mnist"

    def tensor(self, image: np.ndarray) -> torch.Tensor:
        """What the network takes, (C, H, W), for an image, uint8 (H, W, C)."""
        import torch

        normed = (image - np.array(self.preprocess.mean)) / np.array(self.preprocess.scale)
        return torch.from_numpy(np.ascontiguousarray(normed.transpose(2, 0, 1), np.float32))


def opened(where: str | Path) -> Subject:
    """The network of a run folder or a bundle, or one of the catalogue with its published weights.

    Raises NetworkError, BundleError, WeightsError, MissingExtra.
    """
    require_torch(f"looking into {where}")
    if is_network(where):
        return _of_catalogue(str(where))
    bundle = read_run(where)
    net, manifest = bundle_with_weights(bundle).eval(), bundle.manifest
    classifier, rules = Classifier(bundle, cache_folder=compiled_folder(machine.cache_folder())), rules_of(manifest)
    require_answer(classifier.of_black(), bundle)

    def answer(image: np.ndarray) -> Answer:
        said = classifier.answers(classifier.engine(1).run(image[None]))[0]
        return {"probabilities": [*map(float, said.probabilities)], "known": rules.is_known(said)}

    rows = _rows(net, manifest.preprocess)
    name, network = manifest.name, manifest.network.name
    return Subject(name, network, net, manifest.preprocess, manifest.classes, rows, answer, bundle)


def has_no_model_yet(where: str | Path) -> bool:
    """True for the folder of a run that trains just now, or that ended before it had a model."""
    if is_network(where):
        return False
    folder = from_home(where)
    try:
        return (folder / ARGS).is_file() and find_bundle(folder) is None
    except OSError:  # no permission: told where it is opened
        return False


def _of_catalogue(name: str) -> Subject:
    net, preprocess = with_weights(name, None).eval(), preprocess_of(name, None)
    rows = _rows(net, preprocess)
    classes = tuple(f"class {number}" for number in range(rows[-1].output[0]))

    def answer(image: np.ndarray) -> Answer:
        import torch

        with torch.inference_mode():
            logits = net(subject.tensor(image)[None]).flatten().numpy()
        return {"probabilities": np.exp(log_softmax(logits[None])[0]).tolist(), "known": None}

    subject = Subject(name, name, net, preprocess, classes, rows, answer, None)
    return subject


def _rows(net: nn.Sequential, preprocess: Preprocess) -> tuple[Layer, ...]:
    from eyespot.arithmetic.trace import trace

    return tuple(flat(trace(net, (preprocess.channels, *preprocess.crop_hw))))
