"""A model of several labels per picture, opened: what it is, and its answers to pictures. Needs no torch."""

from __future__ import annotations

from eyespot.answering.opened import Compiled
from eyespot.bundle.files import MultilabelBundle
from eyespot.bundle.multilabel_manifest import MultilabelManifest


class OpenedLabels(Compiled):
    """One that gives labels, of which a picture may have several."""

    bundle: MultilabelBundle

    @property
    def manifest(self) -> MultilabelManifest:
        return self.bundle.manifest
