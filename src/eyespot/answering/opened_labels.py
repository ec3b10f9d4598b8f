"""A model of several labels per picture, opened: what it is, and its answers to pictures. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from eyespot import machine
from eyespot.answering.opened import FEW_PICTURES, Answered, answers_of
from eyespot.bundle.exported import ExportedMultilabel, WholeClassifier
from eyespot.bundle.files import MultilabelBundle
from eyespot.bundle.multilabel_manifest import MultilabelManifest
from eyespot.bundle.run import Classifier
from eyespot.data.data_set import Picture
from eyespot.engine.compiled import compiled_folder
from eyespot.progress import Progress


class OpenedLabels:
    """A bundle of a model of several labels, or one that was exported, compiled when it is first asked."""

    def __init__(self, bundle: MultilabelBundle) -> None:
        self.bundle = bundle

    @property
    def manifest(self) -> MultilabelManifest:
        """Everything that is known of the model."""
        return self.bundle.manifest

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels, in the order of the probabilities."""
        return self.manifest.classes

    @cached_property
    def classifier(self) -> Classifier | WholeClassifier:
        """The graph on this machine, compiled when first used."""
        cache_folder = compiled_folder(machine.cache_folder())
        if isinstance(self.bundle, ExportedMultilabel):
            return WholeClassifier(self.bundle, cache_folder=cache_folder)
        return Classifier(self.bundle, cache_folder=cache_folder)

    def answers(self, pictures: Sequence[tuple[Picture, str | None]], *, doing: str, progress: Progress) -> Answered:
        """What it says to each picture, each with the content hash that its file must still have, or None."""
        many = len(pictures) > FEW_PICTURES
        return answers_of(
            self.classifier, self.manifest.preprocess, pictures, doing=doing, many=many, progress=progress
        )
