"""Dropout in front of a network's last layer, and the chance that decides what it drops.

Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov: "Dropout: A Simple Way to Prevent Neural Networks from
Overfitting", 2014. A share of the features is set to zero in each step of training, others each time, so that no
class hangs on a few of them; the rest grow to make up for it. In evaluation it does nothing, and a converted network
has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b

import torch
from torch import nn

from eyespot.blocks import chain, is_chain, named_stages
from eyespot.errors import OptionError


def with_dropout(net: nn.Sequential, p: float | None) -> nn.Sequential:
    """`net` with a dropout in front of its last layer, which is fully connected; one that stands there drops `p` now.

    All weights are shared, and `net` itself stays as it is. The dropout acts where `net` is in training. Give the
    network whole, before it is cut: the tail then has the dropout.

    p: share of the features that is dropped, at least 0 and below 1; None for the network as it is.
    Raises OptionError where the last layer is not a fully connected one.
    """
    if p is None:
        return net
    stages = dict(named_stages(net))
    name, last = stages.popitem()
    if is_chain(last):
        last = with_dropout(last, p)
    elif isinstance(last, nn.Linear):
        before, old = next(reversed(stages.items()), ("", None))
        stages[before if isinstance(old, nn.Dropout) else f"drop_{name}"] = nn.Dropout(p).train(net.training)
    else:
        raise OptionError(
            f"the option dropout is for networks that end in a fully connected layer, and this one ends in {name!r}, a "
            f"{type(last).__name__}: leave the option out"
        )
    made = chain(**stages, **{name: last})
    made.training = net.training  # and not .train(), which would switch the stages too
    return made


@contextmanager
def drawn_from(seed: int, *, step: int, rank: int = 0) -> Iterator[None]:
    """Within it, what is dropped follows only from these numbers, so that a resumed run drops what the whole one did.

    step: number of the step; rank: of the process, since each has other pictures.
    """
    key = blake2b(f"{seed} {step} {rank}".encode(), digest_size=8).digest()
    with torch.random.fork_rng(devices=[]):  # other devices' generators serve only dropout
        torch.manual_seed(int.from_bytes(key, "little"))
        yield
