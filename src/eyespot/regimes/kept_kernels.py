"""Which kernels a training from scratch keeps after every epoch: those of a small first convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eyespot.runs.job import Job
from eyespot.runs.kernels import KernelLog

if TYPE_CHECKING:
    from torch import nn

    from eyespot.training.loop import Training

MOST_WEIGHTS = 20_000
"""Of the first convolution. A file of larger ones would soon weigh more than the model."""


def kernel_record(training: Training, job: Job) -> KernelLog | None:
    """What keeps the kernels of this training; None where no folder is written, or where they are not kept.

    They are those of the weights that validation measures, averaged ones where training averages.
    """
    folder, found = job.folder.path, first_convolution(training.measured)
    if folder is None or not job.world.is_writer or found is None:
        return None
    layer, conv = found
    if conv.weight.numel() > MOST_WEIGHTS:
        return None

    def look() -> NDArray[np.float32]:
        weight = training.measured.get_parameter(f"{layer}.weight")
        return np.array(weight.detach().float().cpu().numpy())  # a copy: training goes on in the same place

    return KernelLog(folder, layer, look, epochs=training.plan.epochs, notes=training.notes.append)


def first_convolution(net: nn.Module) -> tuple[str, nn.Conv2d] | None:
    """The name and module of the first layer that is a convolution over pictures."""
    from torch import nn

    return next(((name, each) for name, each in net.named_modules() if isinstance(each, nn.Conv2d)), None)
