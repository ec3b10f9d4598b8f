"""A bundle as it is served: compiled and asked once. The one place of the server where the model's task decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eyespot.bundle.files import AnyBundle, DetectorBundle, MultilabelBundle, Naming
from eyespot.recipes.explain import Explainer
from eyespot.serve.classification import ServedClassifier
from eyespot.serve.detection import ServedDetector
from eyespot.serve.multilabel import ServedMultilabel
from eyespot.serve.served import Served


def loaded(bundle: AnyBundle, explain: Callable[[Naming], Explainer] | None = None) -> Served[Any, Any]:
    """The bundle compiled and tried. Raises BundleError.

    explain: makes what explains the answers of a bundle that gives probabilities.
    """
    if isinstance(bundle, DetectorBundle):
        return ServedDetector.of(bundle)
    explainer = explain(bundle) if explain else None
    if isinstance(bundle, MultilabelBundle):
        return ServedMultilabel.of(bundle, explain=explainer)
    return ServedClassifier.of(bundle, explain=explainer)
