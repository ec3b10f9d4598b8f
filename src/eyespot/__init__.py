"""eyespot: a folder of your own pictures becomes a convolutional network that you understand, trust and run."""

from __future__ import annotations

from eyespot.version import VERSION as __version__

TYPE_CHECKING = False  # for type checkers true; `typing` would be the slowest import here
if TYPE_CHECKING:
    from eyespot.answering.detector import Detector as Detector
    from eyespot.answering.model import Model as Model
    from eyespot.answering.model import load as load
    from eyespot.answering.multilabel import MultilabelModel as MultilabelModel
    from eyespot.building.create import create as create
    from eyespot.labs.lab import lab as lab
    from eyespot.recipes.add import add as add
    from eyespot.recipes.audit import audit as audit
    from eyespot.recipes.augment import augment as augment
    from eyespot.recipes.benchmark import benchmark as benchmark
    from eyespot.recipes.by_hand.convolve import convolve as convolve
    from eyespot.recipes.by_hand.learn_kernel import learn_kernel as learn_kernel
    from eyespot.recipes.by_hand.pixel_coverage import pixel_coverage as pixel_coverage
    from eyespot.recipes.by_hand.pool import pool as pool
    from eyespot.recipes.compare import compare as compare
    from eyespot.recipes.convert_boxes import convert_boxes as convert_boxes
    from eyespot.recipes.embed import embed as embed
    from eyespot.recipes.explain import explain as explain
    from eyespot.recipes.export import export as export
    from eyespot.recipes.feature_maps import feature_maps as feature_maps
    from eyespot.recipes.info import info as info
    from eyespot.recipes.kernels import kernels as kernels
    from eyespot.recipes.list_runs import list_runs as list_runs
    from eyespot.recipes.networks import networks as networks
    from eyespot.recipes.predict import predict as predict
    from eyespot.recipes.sample import sample as sample
    from eyespot.recipes.stylize import stylize as stylize
    from eyespot.recipes.summary import summary as summary
    from eyespot.recipes.train import train as train
    from eyespot.recipes.val import val as val

_NOT_IN_RECIPES = {
    "Detector": "eyespot.answering.detector",
    "Model": "eyespot.answering.model",
    "MultilabelModel": "eyespot.answering.multilabel",
    "convolve": "eyespot.recipes.by_hand.convolve",
    "create": "eyespot.building.create",
    "lab": "eyespot.labs.lab",
    "learn_kernel": "eyespot.recipes.by_hand.learn_kernel",
    "load": "eyespot.answering.model",
    "pixel_coverage": "eyespot.recipes.by_hand.pixel_coverage",
    "pool": "eyespot.recipes.by_hand.pool",
}
"""Where these are; any other verb has a file of its name in `recipes`."""
__all__ = [
    "Detector",
    "Model",
    "MultilabelModel",
    "__version__",
    "add",
    "audit",
    "augment",
    "benchmark",
    "compare",
    "convert_boxes",
    "convolve",
    "create",
    "embed",
    "explain",
    "export",
    "feature_maps",
    "info",
    "kernels",
    "lab",
    "learn_kernel",
    "list_runs",
    "load",
    "networks",
    "pixel_coverage",
    "pool",
    "predict",
    "sample",
    "stylize",
    "summary",
    "train",
    "val",
]


def __getattr__(name: str) -> object:
    """The verbs are imported when first used: `import eyespot` alone costs nothing."""
    if name in __all__:
        import importlib

        return getattr(importlib.import_module(_NOT_IN_RECIPES.get(name, f"eyespot.recipes.{name}")), name)
    raise AttributeError(f"module 'eyespot' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
