"""Runs of `train` that are killed with SIGKILL, and go on until they are killed again; run by `test_again.py`.

python train_child.py DATA OUT OPTIONS KILLS SEED

Trains DATA twice under OUT, with OPTIONS (JSON): in one go as the run `whole`, and with KILLS kills as the run
`killed`. Prints, as JSON, how often `killed` was killed, how many steps of training its last life took, and how many
`whole` took.

A run is killed at a step of training, or in the midst of writing a file: at which one follows from SEED.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import sklearn.datasets
import torch
from few_digits import few_digits

from eyespot.evaluate.paired import Comparison
from eyespot.recipes.train import train
from eyespot.regimes import run_training as running
from eyespot.runs import folder as run_folder
from eyespot.training import loop

FILE_STEPS = ("fsync", "replace", "rename")


class Moments:
    """Counts the moments at which this process may be killed, and kills it at one of them."""

    def __init__(self, fatal: int | None) -> None:
        self.count, self.steps, self._fatal = 0, 0, fatal

    def count_them(self) -> None:
        for name in FILE_STEPS:
            setattr(os, name, self._counted(getattr(os, name)))
        loop.Training._one_step = self._counted(loop.Training._one_step, is_step=True)

    def _counted(self, function: Callable[..., Any], *, is_step: bool = False) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            self.count += 1
            self.steps += is_step
            if self.count == self._fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **options)

        return call


def keep_often() -> None:
    """Checkpoints come after every second step, instead of after seconds."""
    running.CHECKPOINT_SECONDS, running.CHECKPOINT_SHARE, loop.KEPT_EVERY = 0.0, 1e9, 2


def live(begin: Callable[[], Any], fatal: int | None) -> Moments | None:
    """How many moments and steps the run had in a process of its own; None where it was killed."""
    heard, said = os.pipe()
    child = os.fork()
    if child == 0:
        moments = Moments(fatal)
        moments.count_them()
        try:
            begin()
            os.write(said, json.dumps([moments.count, moments.steps]).encode())
        finally:
            os._exit(0)
    os.close(said)
    with os.fdopen(heard) as file:
        text = file.read()
    _, status = os.waitpid(child, 0)
    if status == signal.SIGKILL:
        return None
    moments = Moments(None)
    moments.count, moments.steps = json.loads(text)
    return moments


def main(data: str, out: Path, options: dict[str, Any], kills: int, seed: int) -> None:
    Comparison.is_the_same = True  # what so short a training spoils is kept, too
    sklearn.datasets.load_digits = few_digits
    torch.set_num_threads(1)  # a child that was forked would wait for ever for threads that only its parent has
    whole = live(lambda: train(data, out=out, name="whole", **options), None)
    assert whole is not None
    random, run = Random(seed), out / "train" / "killed"
    keep_often()
    ends = sorted(random.randint(1, whole.count) for _ in range(kills))
    for number, end in enumerate([*ends, None]):
        if (run / run_folder.ARGS).exists():
            last = live(lambda: train(resume=run), end)
        else:
            shutil.rmtree(run, ignore_errors=True)  # made, and nothing more
            last = live(lambda: train(data, out=out, name="killed", **options), end)
        if last is not None:
            print(json.dumps({"kills": number, "last": last.steps, "whole": whole.steps}))
            return


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
