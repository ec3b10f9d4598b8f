"""Standard input, output and error: open from the start, and their failure is said. Imports nothing slow.

A process may be started without them, or with one that leads to a full disk or to a reader who has gone.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from typing import Any, NoReturn, TextIO

LOST = 74
"""Exit status where standard output could not take what was to be said, as BSD's `sysexits.h` has it."""


def prepare() -> None:
    """Opens those that are closed: else the next file that is opened takes their number, and is printed into.

    What is written to a closed standard output fails then, as it should; standard error drops it.
    """
    for number, flag in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flag)  # takes the lowest number that is free
    sys.stdin = sys.stdin or io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), encoding="utf-8")
    sys.stderr = sys.stderr or io.TextIOWrapper(_writer(2), encoding="utf-8", errors="backslashreplace")
    if sys.stdout is None or not sys.stdout.isatty():
        encoding = "utf-8" if sys.stdout is None else sys.stdout.encoding
        sys.stdout = io.TextIOWrapper(_writer(1), encoding=encoding, errors="backslashreplace")


def output_failed() -> OSError | None:
    """What prevented something from being written to standard output, if anything did."""
    return _dropped(sys.stdout) or getattr(getattr(getattr(sys.stdout, "buffer", None), "raw", None), "failure", None)


def finish(status: int | str | None) -> NoReturn:
    """Ends the command with its status, or with `LOST` and a sentence, once what was said has gone where it should.

    Python itself would say so in a traceback, after everything.
    """
    failure = output_failed()
    if failure is not None and failure.errno == errno.EPIPE:
        status = status or 1  # the reader has gone, and wants no more
    elif failure is not None:
        with suppress(OSError):
            sys.stderr.write(f"eyespot: standard output cannot be written to: {failure.strerror or failure}\n")
        status = LOST
    _dropped(sys.stderr)
    sys.exit(status)


class _Recorded(io.FileIO):
    """A file that remembers that it could not be written to."""

    failure: OSError | None = None

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.failure = error
            raise


def _writer(number: int) -> io.BufferedWriter:
    return io.BufferedWriter(_Recorded(number, "w", closefd=False))


def _dropped(stream: TextIO) -> OSError | None:
    """None once all is written; else why it cannot be, and it is dropped."""
    try:
        stream.flush()
    except OSError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        with suppress(OSError, ValueError):  # it is no file of this process
            os.dup2(nowhere, stream.fileno())
            stream.flush()
        os.close(nowhere)
        return error
    return None
