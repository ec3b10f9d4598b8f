"""What decoders write to standard error, past Python: kept from the terminal, and given to the picture's reason.

The descriptor belongs to the whole process, so threads share one that leads into a file while any of them decodes. What
others write meanwhile is passed on.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

_LINE = re.compile(
    r"(?:_?TIFF|tempfile|\w*(?:Decode|Setup|Predict|JPEG|Fax|LZW|ZIP|Log[Lu])\w*)[^\x1b\n:]{0,80}: [^\x1b\n]*\."
)
"""One that libtiff writes: one of its modules, what is wrong, a full stop."""


@contextmanager
def unprinted() -> Iterator[None]:
    """No decoder's line within it reaches standard error. Threads may be within at once."""
    with _changed:
        _changed.wait_for(lambda: not _redirect.waiting)
        _redirect.enter()
    try:
        yield
    finally:
        with _changed:
            _redirect.leave()
            _changed.notify_all()


@contextmanager
def kept(lines: list[str]) -> Iterator[None]:
    """What decoders write within it is added to the lines. Only one thread is within, so that all of it is its own."""
    with _changed:
        _redirect.waiting += 1
        _changed.wait_for(lambda: not _redirect.within)
        _redirect.waiting -= 1
        _redirect.enter()
        try:
            yield
        finally:
            lines += _redirect.leave()
            _changed.notify_all()


class _Redirect:
    """Standard error led into a file while somebody is within; not on Windows. For one thread at a time."""

    def __init__(self) -> None:
        self.within = 0
        self.waiting = 0
        """Threads that want to be the only one within: nobody enters before them."""
        self._file: IO[bytes] | None = None
        self._saved = -1
        self._read = 0

    def enter(self) -> None:
        self.within += 1
        if self.within > 1 or not hasattr(os, "pread"):
            return
        with suppress(OSError):  # it is closed, or there is no place for the file
            self._saved = os.dup(2)
            try:
                self._file, self._read = tempfile.TemporaryFile(buffering=0), 0  # noqa: SIM115
                os.dup2(self._file.fileno(), 2)
            except OSError:
                os.close(self._saved)
                raise

    def leave(self) -> list[str]:
        """The decoders' lines since somebody left; all others are passed on."""
        self.within -= 1
        if self._file is None:
            return []
        if not self.within:
            os.dup2(self._saved, 2)
        # Not by seeking: whoever writes meanwhile writes where the file's position is.
        new = os.pread(self._file.fileno(), os.fstat(self._file.fileno()).st_size - self._read, self._read)
        self._read += len(new)
        lines = new.decode(errors="surrogateescape").split("\n")
        others = [line for line in lines if not _LINE.fullmatch(line)]
        if any(others):
            with suppress(OSError):
                os.write(self._saved, "\n".join(others).encode(errors="surrogateescape"))
        if not self.within:
            os.close(self._saved)
            self._file.close()
            self._file = None
        return [line for line in lines if _LINE.fullmatch(line)]


_changed = threading.Condition()
_redirect = _Redirect()
