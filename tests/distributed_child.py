"""What every rank of `test_distributed.py` does; the tests read what it found from OUT/RANK.npz.

torchrun ... distributed_child.py work OUT
distributed_child.py (fail | hang | early) SECONDS
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from eyespot.distributed.world import (
    World,
    average_statistics,
    broadcast,
    gather,
    gather_rows,
    joined,
    mean_loss,
    parallel,
    shard,
    total,
    world,
)
from eyespot.errors import MachineError

ROWS, BATCH, STEPS = 53, 10, 20
"""The last batch of an epoch has 3 rows: two for the first rank, one for the second."""


def network(seed: int) -> nn.Sequential:
    """A small network whose BatchNorm is frozen."""
    torch.manual_seed(seed)
    norm = nn.BatchNorm2d(4)
    with torch.no_grad():
        norm.running_mean += torch.rand(4)
        norm.running_var += torch.rand(4)
    norm.eval().requires_grad_(False)
    return nn.Sequential(nn.Conv2d(1, 4, 3), norm, nn.ReLU(), nn.Flatten(), nn.Linear(4 * 6 * 6, 3))


def train(ours: World, *, rows: int) -> dict[str, np.ndarray]:
    """The state after STEPS steps; as every rank holds other weights at first, the writer's must come to all."""
    random = np.random.default_rng(0)
    images = torch.from_numpy(random.normal(size=(rows, 1, 8, 8)).astype("f4"))
    labels = torch.from_numpy(random.integers(0, 3, rows))
    net = network(seed=ours.rank)
    called = parallel(net, ours)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    batches = [batch for _ in range(STEPS) for batch in np.split(random.permutation(rows), range(BATCH, rows, BATCH))]
    for batch in batches[:STEPS]:
        own = torch.from_numpy(shard(batch, ours))
        losses = nn.functional.cross_entropy(called(images[own]), labels[own], reduction="none")
        optimiser.zero_grad()
        mean_loss(losses, ours, count=len(batch)).backward()
        optimiser.step()
    return {name: tensor.numpy() for name, tensor in net.state_dict().items()}


def statistics(ours: World) -> np.ndarray:
    """Running means and variances of a BatchNorm that trained on rows of its own, and of one that is frozen."""
    net = nn.Sequential(nn.BatchNorm1d(2), nn.BatchNorm1d(2))
    net[1].eval()
    net(torch.arange(8.0).reshape(4, 2) * (1 + ours.rank))
    with torch.no_grad():
        net[1].running_mean += ours.rank
    average_statistics(net, ours)
    return np.stack([each.numpy() for norm in net for each in (norm.running_mean, norm.running_var)])


def gathered(ours: World) -> dict[str, np.ndarray]:
    """Rows of several shapes and dtypes, put together again."""
    found = {}
    for count in (0, 1, 2, 7):
        for dtype in ("f4", "f2", "u1", "i8", "u2", "?"):
            rows = (np.arange(count * 6).reshape(count, 2, 3) % 5).astype(dtype)
            found[f"{count} {dtype}"] = gather_rows(rows[shard(np.arange(count), ours)], ours, count=count)
    return found


def work(out: Path) -> None:
    ours = world()
    with joined(ours, timeout_seconds=60):
        said = broadcast({"stop": True, "seconds": 0.1, "none": None} if ours.is_writer else "not heard", ours)
        found = {
            **{f"trained {name}": value for name, value in train(ours, rows=ROWS).items()},
            **{f"with empty shards {name}": value for name, value in train(ours, rows=BATCH + 1).items()},
            **{f"gathered {name}": value for name, value in gathered(ours).items()},
            "statistics": statistics(ours),
            "said": np.array([str(said)]),
            "told": np.array([str(gather({"é": [None] * ours.rank}, ours))]),
            "totals": np.array([total(ours.rank + 0.5, ours), total(np.nan if ours.rank else 1.0, ours)]),
        }
    np.savez(out / f"{ours.rank}.npz", **found)


def go_wrong(how: str, seconds: float) -> None:
    """Rank 0 waits for rank 1, which fails or hangs; prints the error of rank 0."""
    ours = world()
    if how == "early" and ours.rank == 1:
        return
    try:
        with joined(ours, timeout_seconds=seconds):
            if ours.rank == 1:
                if how == "fail":
                    raise ValueError("the own error of rank 1")
                time.sleep(1000)  # until it is killed
            train(ours, rows=ROWS)
    except (MachineError, ValueError) as error:
        print(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1] == "work":
        work(Path(sys.argv[2]))
    else:
        go_wrong(sys.argv[1], float(sys.argv[2]))
