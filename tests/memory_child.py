"""What a process of its own holds in memory: before, and each time that it took and freed MEBIBYTES.

memory_child.py: prints a line with five numbers of mebibytes: at first, after freeing, after freeing where freed memory
stays, after that, and after freeing once more.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from eyespot.training.around_steps import freed_memory_stays

MEBIBYTES = 300
PAGE = 4096


def resident_mebibytes() -> float:
    """What this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 2**20


def take_and_free() -> None:
    """The memory that one array takes, and no longer."""
    np.ones(MEBIBYTES * 2**17)  # of 8 bytes each


def main() -> None:
    """The five numbers."""
    found = [resident_mebibytes()]
    take_and_free()
    found.append(resident_mebibytes())
    with freed_memory_stays():
        take_and_free()
        found.append(resident_mebibytes())
    found.append(resident_mebibytes())
    take_and_free()
    found.append(resident_mebibytes())
    print(*found)


if __name__ == "__main__":
    main()
