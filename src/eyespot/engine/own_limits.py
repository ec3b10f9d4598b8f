"""What this process, which tries a model, may have at most. Linux knows both limits; elsewhere nothing is limited."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
import time
from pathlib import Path

IN_ALL = 4
"""Times as long as for its own code: where a busy host gives memory slowly, the system needs most of the time."""
OUT_OF_TIME = frozenset(getattr(signal, name) for name in ("SIGVTALRM", "SIGXCPU") if hasattr(signal, name))
"""What ends a process that has worked too long."""


def limit_memory(more: int) -> None:
    """Lets this process have so many bytes more than it has. It leaves no image of its memory when it ends."""
    if sys.platform.startswith("linux"):
        import resource

        taken = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
        _limit(resource.RLIMIT_AS, taken + more)
        _limit(resource.RLIMIT_CORE, 0)


def limit_processor(more: float) -> None:
    """Lets this process work for so many seconds more in its own code, in all its threads together, and for `IN_ALL`
    times as many with what the system does for it; then one of `OUT_OF_TIME` ends it.
    """
    if sys.platform.startswith("linux"):
        import resource

        signal.setitimer(signal.ITIMER_VIRTUAL, max(more, 1e-6))  # 0 would be no limit
        _limit(resource.RLIMIT_CPU, math.ceil(time.process_time() + IN_ALL * more))


def _limit(what: int, most: int) -> None:
    import resource

    with contextlib.suppress(ValueError, OSError):  # a lower limit than this is in force
        resource.setrlimit(what, (most, resource.getrlimit(what)[1]))
