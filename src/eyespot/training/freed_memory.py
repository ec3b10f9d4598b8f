"""Memory that one training step frees stays with the process, so that the next need not ask the system for it again.

The C library of Linux gives large pieces back to the system at once. Every step of training then takes them anew, and
the system clears them page by page: on two cores that was 45 % of all time of fine-tuning EfficientNet-Lite0.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from eyespot.machine import glibc

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
"""glibc's malloc.h: M_TRIM_THRESHOLD, M_MMAP_MAX."""
_NEVER, _DEFAULT_TRIM, _DEFAULT_MMAPS = -1, 2**26, 2**16
"""The last two are glibc's own: 64 MB, which it comes to by itself once large pieces were freed, and 65,536 pieces."""


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
