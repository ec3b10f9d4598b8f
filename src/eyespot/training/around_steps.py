"""What holds around the steps of a training: Ctrl-C comes between two of them, and memory that they free stays.

Ctrl-C within a step would leave weights that no replay comes to.

The C library of Linux gives large pieces of memory back to the system at once. Every step of training then takes them
anew, and the system clears them page by page: on two cores that was 45 % of all time of fine-tuning EfficientNet-Lite0.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

from eyespot.machine import glibc

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
"""glibc's malloc.h: M_TRIM_THRESHOLD, M_MMAP_MAX."""
_NEVER, _DEFAULT_TRIM, _DEFAULT_MMAPS = -1, 2**26, 2**16
"""The last two are glibc's own: 64 MB, which it comes to by itself once large pieces were freed, and 65,536 pieces."""


class WholeSteps:
    """Within it Ctrl-C waits for `between`, which raises KeyboardInterrupt then. A second Ctrl-C does not wait.

    It does nothing outside the main thread, or where Ctrl-C is ignored.
    """

    def __init__(self) -> None:
        self._before: Any = None
        self._asked = False

    def __enter__(self) -> Self:
        handler = signal.getsignal(signal.SIGINT)
        if callable(handler) and threading.current_thread() is threading.main_thread():
            self._before = handler
            signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
        if error is None:
            self.between()

    def between(self) -> None:
        """To be called after each step."""
        if self._asked:
            self._asked = False
            raise KeyboardInterrupt

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            self._before(number, frame)
        self._asked = True


@contextmanager
def freed_memory_stays() -> Iterator[None]:
    """Within it, freed memory stays with the process; afterwards it is given back.

    On other systems than Linux with glibc nothing is done.
    """
    library = glibc()
    if library is None:
        yield
        return
    library.mallopt(_TRIM_THRESHOLD, _NEVER)
    library.mallopt(_MMAP_MAX, 0)
    try:
        yield
    finally:
        library.mallopt(_TRIM_THRESHOLD, _DEFAULT_TRIM)
        library.mallopt(_MMAP_MAX, _DEFAULT_MMAPS)
        library.malloc_trim(0)
