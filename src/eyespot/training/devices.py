"""What a network trains on: the processor, or a GPU through CUDA or MPS. The rest of the code asks no further.

A device places tensors and networks, and chooses the number format of the arithmetic.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

import torch
from torch import Tensor, nn

from eyespot.engine.run import available_precisions
from eyespot.errors import MachineError, OptionError
from eyespot.words import counted

DeviceName = Literal["cpu", "cuda", "mps"]
Precision = Literal["fp32", "bf16", "fp16"]
Placed = TypeVar("Placed", Tensor, nn.Sequential, nn.Module)

_AUTO = "auto"
_HALVES: dict[Precision, torch.dtype] = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Device:
    """One device of this machine."""

    where: torch.device
    precision: Precision
    """Of convolutions and products in training. Parameters, sums and losses stay fp32."""

    def place(self, thing: Placed) -> Placed:
        """The tensor, copied only if it has to be, or the network itself, on this device, channels last.

        Convolutions are faster where an image's channels lie beside each other, in every precision.
        """
        if isinstance(thing, Tensor) and thing.ndim != 4:
            return thing.to(self.where)
        return thing.to(device=self.where, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def autocast(self) -> AbstractContextManager[object]:
        """Within it a network computes in the device's precision: for the network and its loss, not for `backward`."""
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.where.type, dtype=_HALVES[self.precision])

    def scaler(self) -> torch.amp.GradScaler:
        """What keeps small gradients from becoming zero in fp16; with other precisions it does nothing.

        A step whose gradients it made too large is left out, and the next are scaled less: that is no failure of the
        training. Its state belongs into checkpoints.
        """
        return torch.amp.GradScaler(self.where.type, enabled=self.precision == "fp16")


def choose(wanted: str = _AUTO, *, local_rank: int = 0) -> Device:
    """The device that a user asked for.

    wanted: a DeviceName, or auto for the fastest kind that is there: cuda, else mps, else cpu.
    local_rank: of this process on this machine; each process has a GPU of its own.
    Raises OptionError for another name; MachineError where the device is not there.
    """
    names = get_args(DeviceName)
    if wanted not in (_AUTO, *names):
        raise OptionError(f"--device is {wanted!r}: expected {_AUTO}, {', '.join(names[:-1])} or {names[-1]}")
    there = available()
    if wanted == _AUTO:
        wanted = there[0]
    if wanted not in there:
        raise MachineError(f"{_absence(wanted)}: give --device {there[0]}, or {_AUTO} for what is there")
    if wanted == "cuda":
        return _cuda(local_rank)
    if wanted == "mps":
        return Device(torch.device("mps"), "fp16")
    # Where the processor has no instructions for it, bf16 is imitated, and slower than fp32.
    return Device(torch.device("cpu"), available_precisions()[0])


def available() -> tuple[DeviceName, ...]:
    """The kinds of device that PyTorch can use here, the fastest first."""
    there: tuple[DeviceName, ...] = ("cpu",)
    if torch.backends.mps.is_available():
        there = ("mps", *there)
    if torch.cuda.is_available():
        there = ("cuda", *there)
    return there


def _cuda(local_rank: int) -> Device:
    count = torch.cuda.device_count()
    if local_rank >= count:
        raise MachineError(
            f"This machine has {counted(count, 'GPU')} and this is its process {local_rank + 1}: "
            f"start at most {counted(count, 'process', 'processes')}"
        )
    where = torch.device("cuda", local_rank)
    with torch.cuda.device(where):
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    return Device(where, "bf16" if native else "fp16")


def _absence(name: str) -> str:
    """Why a kind of device cannot be used, as the beginning of a sentence."""
    if name == "cuda" and torch.version.cuda is None and torch.version.hip is None:
        return f"The PyTorch that is installed ({torch.__version__}) was built without CUDA"
    if name == "cuda":
        return "PyTorch finds no GPU with CUDA on this machine"
    if not torch.backends.mps.is_built():
        return f"The PyTorch that is installed ({torch.__version__}) was built without MPS, which only Macs have"
    return "This Mac has no GPU that PyTorch can use through MPS"
