"""Whether a file of weights holds as much as its tensors claim: a few bytes can stand for any number of zeros."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from eyespot.errors import WeightsError
from eyespot.names import quoted

if TYPE_CHECKING:
    from torch import Tensor

TIMES = 2
"""A tensor that two layers share is stored once, and is there twice."""


def require_unpacked(file: Path) -> None:
    """Raises WeightsError for an archive whose members are packed: PyTorch packs none. May raise OSError."""
    if not zipfile.is_zipfile(file):
        return
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise WeightsError(f"{file} cannot be read as weights: it is damaged ({quoted(error)}).") from error
    if any(each.compress_type != zipfile.ZIP_STORED for each in members):
        raise WeightsError(f"{file} cannot be read as weights: it is packed, as PyTorch packs no weights.")
    _require(sum(each.file_size for each in members), file, "its members")


def require_stored(tensors: Mapping[str, Tensor], file: Path) -> None:
    """Raises WeightsError where tensors are more than the file's bytes: repeated, sparse, or without any numbers."""
    import torch

    for name, tensor in tensors.items():
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type != "cpu":
            raise WeightsError(f"{file} holds {name[:80]!r} in another form than as plain numbers.")
    _require(sum(each.numel() * each.element_size() for each in tensors.values()), file, "its tensors")


def _require(claimed: int, file: Path, what: str) -> None:
    size = file.stat().st_size
    if claimed > TIMES * size:
        raise WeightsError(
            f"{file} cannot be read as weights: {what} claim {claimed / 1e6:,.0f} MB, and the file has "
            f"{size / 1e6:,.1f} MB."
        )
