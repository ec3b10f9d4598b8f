"""eyespot: a folder of your own pictures becomes a convolutional network that you understand, trust and run."""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False  # for type checkers true; `typing` would be the slowest import here
if TYPE_CHECKING:
    from eyespot.recipes.embed import embed as embed
    from eyespot.recipes.info import info as info
    from eyespot.recipes.model import Model as Model
    from eyespot.recipes.model import load as load
    from eyespot.recipes.predict import predict as predict
    from eyespot.recipes.train import train as train
    from eyespot.recipes.val import val as val

_VERBS = {
    "train": "eyespot.recipes.train",
    "predict": "eyespot.recipes.predict",
    "val": "eyespot.recipes.val",
    "embed": "eyespot.recipes.embed",
    "info": "eyespot.recipes.info",
    "load": "eyespot.recipes.model",
    "Model": "eyespot.recipes.model",
}
__all__ = ["Model", "__version__", "embed", "info", "load", "predict", "train", "val"]


def __getattr__(name: str) -> object:
    """The verbs are imported when first used: `import eyespot` alone costs nothing."""
    if name in _VERBS:
        import importlib

        return getattr(importlib.import_module(_VERBS[name]), name)
    raise AttributeError(f"module 'eyespot' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
