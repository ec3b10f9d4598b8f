"""A process whose children save checkpoints until they are killed; run by `test_checkpoint.py`.

python checkpoint_child.py FOLDER LIVES

After each life it loads, and ends with an error where what was saved is not there, or not whole.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from random import Random

import torch

from eyespot.training import checkpoint

LONGEST_SECONDS = 0.05


def save_for_ever(folder: Path, first: int, said: int) -> None:
    """Saves states that tell their number, and says each number once it is saved."""
    os.fsync = lambda handle: None  # the system outlives the process: more saves, more places to be killed at
    for number in range(first, sys.maxsize):
        checkpoint.save(folder, {"number": number, "weights": torch.full((100_000,), number)})
        os.write(said, number.to_bytes(4, "big"))


def live(folder: Path, first: int, seconds: float) -> int:
    """The last number that a child said before it was killed; 0 for none."""
    heard, said = os.pipe()
    child = os.fork()
    if child == 0:
        threading.Thread(target=lambda: (time.sleep(seconds), os.kill(os.getpid(), signal.SIGKILL))).start()
        save_for_ever(folder, first, said)
    os.close(said)
    numbers = b""
    while piece := os.read(heard, 4096):
        numbers += piece
    os.waitpid(child, 0)
    os.close(heard)
    return int.from_bytes(numbers[-4:], "big")


def main(folder: Path, lives: int) -> None:
    torch.set_num_threads(1)  # a child that was forked would wait for ever for threads that only its parent has
    random, last = Random(0), 0
    for _ in range(lives):
        said = live(folder, last + 1, random.uniform(0, LONGEST_SECONDS))
        found = checkpoint.load(folder)
        assert found.skipped == (), found.skipped
        number = 0 if found.state is None else found.state["number"]
        assert number >= max(said, last), (number, said, last)
        assert found.state is None or bool((found.state["weights"] == number).all())
        last = number
    print(last)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
