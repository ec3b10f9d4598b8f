"""Several processes that train or embed together, started by torchrun. One process alone is a world of size 1.

All ranks run the same program on the same global batches; each computes every size-th row. The gradient is that of the
mean loss over the global batch, so the number of processes decides the speed, not the result. Only BatchNorm that
trains differs: each rank normalises its own rows by themselves.

A world of size 1 costs nothing: every function returns at once, PyTorch is not even imported.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

from eyespot.errors import MachineError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from eyespot.distributed.cluster import Cluster

Module = TypeVar("Module", bound="nn.Module")

TIMEOUT_SECONDS = 1800.0
"""A rank that ended is noticed at once, one that hangs after so long: others wait while the writer solves a head."""
_WRITER = 0
_BACKENDS = {"cpu": "gloo", "cuda": "cpu:gloo,cuda:nccl"}
"""Rows and decisions are exchanged from the CPU's memory, gradients from where they are."""


@dataclass(frozen=True)
class World:
    """This process among those that work together."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    """Among the processes of this machine: the number of its GPU."""
    cluster: Cluster | None = None
    """Computes features in place of this process; only for a world of size 1."""

    @property
    def is_writer(self) -> bool:
        """True in the one process that writes files and talks to the user."""
        return self.rank == _WRITER


ALONE = World()


def world() -> World:
    """The world that torchrun's environment describes; of size 1 without it.

    Raises MachineError where only a part of it is there, or where it makes no sense.
    """
    if os.environ.get("WORLD_SIZE", "1") == "1":
        return World()
    given = {
        name: os.environ.get(name, "") for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
    }
    rank, size, local_rank = (int(each) if each.isdecimal() else -1 for each in list(given.values())[:3])
    if not 0 <= rank < size or local_rank < 0 or not all(given.values()):
        said = ", ".join(f"{name}={value}" for name, value in given.items())
        raise MachineError(
            f"The environment speaks of several processes and makes no sense ({said}): "
            "start them with torchrun, or unset WORLD_SIZE to work with one"
        )
    return World(rank, size, local_rank)


@contextmanager
def joined(
    world: World, *, device: Literal["cpu", "cuda", "mps"] = "cpu", timeout_seconds: float = TIMEOUT_SECONDS
) -> Iterator[None]:
    """Within it the processes can exchange what they have.

    device: where the network computes.
    timeout_seconds: how long a rank waits for the others.
    Raises MachineError where the others cannot be reached, end, or do not answer in time.
    """
    if world.size == 1:
        yield
        return
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # read by its import: no remarks on the names of hosts
    import torch
    from torch import distributed

    if device not in _BACKENDS:
        raise MachineError(f"Several processes cannot train on {device}: give --device cpu, or start one process")
    if device == "cuda":
        torch.cuda.set_device(world.local_rank)
    try:
        distributed.init_process_group(
            _BACKENDS[device],
            rank=world.rank,
            world_size=world.size,
            timeout=timedelta(seconds=timeout_seconds),
        )
        yield
    except RuntimeError as error:
        if not _is_about_others(error):
            raise
        raise MachineError(
            f"The process of rank {world.rank} of {world.size} cannot go on: another has ended, cannot be reached, or "
            f"did not answer within {timeout_seconds:g} s; look for the first error of the others"
        ) from error
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()  # closes the connections, by which the others notice


def shard(rows: np.ndarray, world: World) -> np.ndarray:
    """Those rows of a global batch that this rank computes; none, where the batch has fewer rows than there are ranks.

    rows: (N,), the same on every rank.
    """
    return rows[world.rank :: world.size]


def mean_loss(losses: Tensor, world: World, *, count: int) -> Tensor:
    """The scalar to call `backward` on, for the gradient of the mean loss over the global batch.

    DistributedDataParallel averages gradients over ranks, however many rows each has. So the local sum is divided by
    the global count, and multiplied by the number of ranks: averaged, that is the mean over all rows.

    losses: (n,) of this rank's rows.
    count: rows of the global batch.
    """
    return losses.sum() * (world.size / count)


def parallel(net: Module, world: World) -> Module:
    """The network to call in training: it begins everywhere as the writer's, its gradients are those of all ranks.

    net: frozen where it is to be frozen; its parameters are shared, so go on to use it for saving and validating.

    Buffers are broadcast once, not at every step: those of a frozen BatchNorm never move, those of one that trains are
    not used before validation, and then `average_statistics` gives all ranks' instead of the writer's.
    """
    if world.size == 1:
        return net
    from torch import distributed
    from torch.nn.parallel import DistributedDataParallel

    for buffer in net.buffers():
        distributed.broadcast(buffer, src=_WRITER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # the option's next name is not in every torch that we take
        return DistributedDataParallel(net, broadcast_buffers=False)  # type: ignore[return-value]


def average_statistics(net: nn.Module, world: World) -> None:
    """Gives every BatchNorm in training mode the mean of all ranks' running statistics, so that the ranks' networks are
    equal again. Call it before validating or saving. A BatchNorm in eval mode is not touched."""
    if world.size == 1:
        return
    from torch import distributed
    from torch.nn.modules.batchnorm import _BatchNorm

    for module in net.modules():
        if isinstance(module, _BatchNorm) and module.training:
            for statistic in (module.running_mean, module.running_var):
                if statistic is not None:
                    distributed.all_reduce(statistic)
                    statistic /= world.size


def broadcast(value: Any, world: World) -> Any:
    """The writer's value, on every rank: for decisions, such as those of the clock, that all must take alike.

    value: what JSON can say; that of other ranks is not used.
    """
    return gather(value if world.is_writer else None, world)[_WRITER]


def gather(value: Any, world: World) -> list[Any]:
    """Every rank's value, in the order of ranks, on every rank.

    value: what JSON can say.
    """
    if world.size == 1:
        return [value]
    data = np.frombuffer(json.dumps(value).encode(), np.uint8)
    lengths = gather_rows(np.array([len(data)]), world, count=world.size)
    padded = np.zeros((1, lengths.max()), np.uint8)
    padded[0, : len(data)] = data
    rows = gather_rows(padded, world, count=world.size)
    return [json.loads(row[:length].tobytes()) for row, length in zip(rows, lengths, strict=True)]


def total(value: float, world: World) -> float:
    """The sum over all ranks, the same bits on each. Not finite where any rank's value is not."""
    if world.size == 1:
        return value
    import torch
    from torch import distributed

    sums = torch.tensor([value], dtype=torch.float64)
    distributed.all_reduce(sums)
    return float(sums)


def gather_rows(part: np.ndarray, world: World, *, count: int) -> np.ndarray:
    """All rows (count, ...), in order, on every rank.

    part: the rows that `shard` gave to this rank, (n, ...); of the same shape after the first, and dtype, everywhere.
    count: rows of all ranks together.
    """
    if world.size == 1:
        return part
    import torch
    from torch import distributed

    counts = [len(range(rank, count, world.size)) for rank in range(world.size)]
    assert len(part) == counts[world.rank], "a part has the rows that `shard` gives"
    padded = np.zeros((counts[0], *part.shape[1:]), part.dtype)  # all ranks must send equally much
    padded[: len(part)] = part
    sent = torch.from_numpy(padded.reshape(-1).view(np.uint8))
    received = [torch.empty_like(sent) for _ in counts]
    distributed.all_gather(received, sent)
    rows = np.empty((count, *part.shape[1:]), part.dtype)
    for rank, each in enumerate(received):
        rows[rank :: world.size] = each.numpy().view(part.dtype).reshape(padded.shape)[: counts[rank]]
    return rows


def _is_about_others(error: Exception) -> bool:
    """True where a process group failed; gloo's errors have no class of their own, only its name in their text."""
    from torch import distributed

    return isinstance(error, distributed.DistError) or "gloo" in str(error).lower()
