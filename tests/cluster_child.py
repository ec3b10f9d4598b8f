"""What the processes of a cluster do in `distributed/test_cluster.py`."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from eyespot.errors import MachineError


class Killed:
    """Squares; the first process that is asked for the square of 5 leaves a mark and is killed."""

    def __init__(self, mark: str) -> None:
        self.mark = Path(mark)

    def __call__(self, number: int) -> int:
        if number == 5 and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return number**2


class Refusing:
    """A machine that cannot do the work."""

    def __init__(self, shared: None) -> None:
        raise MachineError("it rounds otherwise")
