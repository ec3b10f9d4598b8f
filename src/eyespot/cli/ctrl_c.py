"""Ctrl-C ends the command with one sentence and exit status 130, whenever it comes. Imports nothing that takes time.

While a command works, Ctrl-C is Python's KeyboardInterrupt, so that work ends in order and says what is usable. Before
and after that nothing is being written, so the process ends on the spot: no handler around it can be missed.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

STATUS = 130
"""Exit status after Ctrl-C, as shells have it."""
SENTENCE = "eyespot: stopped"
_IMPORT_FILE = "<frozen importlib._bootstrap>"
_RECORDS_FOLDER = f"{os.sep}pydantic{os.sep}"
_ASK_AGAIN_SECONDS = 0.02

_working = False


def listen() -> None:
    """From now on Ctrl-C ends the process in a sentence, unless it is ignored here or handled by someone else."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop)
        sys.unraisablehook = _not_lost


@contextmanager
def as_exception() -> Iterator[None]:
    """Within it, Ctrl-C raises KeyboardInterrupt."""
    global _working
    _working = True
    try:
        yield
    finally:
        _working = False


def ignore() -> None:
    """From now on Ctrl-C does nothing: all is said, and the process is about to end with its own status."""
    if signal.getsignal(signal.SIGINT) is _stop:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _stop(number: int, frame: FrameType | None) -> None:
    if not _working:
        os.write(2, f"{SENTENCE}\n".encode())
        os._exit(STATUS)
    if _would_be_lost(frame):
        _thread.start_new_thread(_ask_again, ())
        return
    raise KeyboardInterrupt


def _would_be_lost(frame: FrameType | None) -> bool:
    """True while a module is imported, or a record's checks are compiled: extensions in C turn the exception into
    another one there, or lose it."""
    while frame is not None:
        file = frame.f_code.co_filename
        if file == _IMPORT_FILE or _RECORDS_FOLDER in file:
            return True
        frame = frame.f_back
    return False


def _ask_again() -> None:
    time.sleep(_ASK_AGAIN_SECONDS)
    _thread.interrupt_main()


def _not_lost(unraisable: Any) -> None:
    """Python can only print what is raised while it destroys an object; Ctrl-C is asked for again instead."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        _thread.start_new_thread(_ask_again, ())
    else:
        sys.__unraisablehook__(unraisable)
