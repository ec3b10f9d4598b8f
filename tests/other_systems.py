"""The rules of Windows, as far as they can be had on Linux: what is absent there is absent, and a file that is open, or
mapped into memory, can be neither removed nor replaced."""

from __future__ import annotations

import builtins
import errno
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

NO_MODULES = ("fcntl", "resource", "pwd", "grp", "termios")
NOT_IN_OS = (
    *("fork", "forkpty", "sched_getaffinity", "sched_setaffinity", "getuid", "geteuid", "getgid", "setpriority"),
    *(
        "posix_fallocate",
        "posix_fadvise",
        "sysconf",
        "uname",
        "mkfifo",
        "killpg",
        "getpgid",
        "chown",
        "fchmod",
    ),
)
NOT_IN_SIGNAL = ("SIGHUP", "SIGKILL", "SIGUSR1", "SIGALRM", "SIGPIPE", "SIGSTOP", "pthread_sigmask", "setitimer")
WITH_PLATFORM = ("eyespot.files", "eyespot.locks", "eyespot.serve.run", "eyespot.serve.painting_in_steps")
"""Files of ours that ask for the system's name; machine.py asks for glibc, which other systems do not have."""


def open_files() -> set[str]:
    """Of this process: what is open, and what is mapped."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        try:
            found.add(os.readlink(f"/proc/self/fd/{number}"))
        except OSError:
            continue
    with builtins.open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
        found |= {line.split(maxsplit=5)[5].strip() for line in file if "/" in line}
    return found


def require_closed(path: Any, dir_fd: int | None = None) -> None:
    """As Windows: PermissionError for a file, or a folder with one, that somebody has open."""
    if isinstance(path, int):
        return
    above = os.readlink(f"/proc/self/fd/{dir_fd}") if dir_fd is not None else ""
    where = os.path.join(above, os.fspath(path))
    where = os.path.join(os.path.realpath(os.path.dirname(where)), os.path.basename(where))
    if os.path.isdir(where) and not os.path.islink(where):
        held = [each for each in open_files() if each.startswith(f"{where}/")]
    else:
        held = [where] if where in open_files() else []
    if held:
        raise PermissionError(errno.EACCES, "used by another process", str(path))


class Locks(ModuleType):
    """`msvcrt.locking`: one who has it, until the descriptor is closed."""

    LK_NBLCK, LK_UNLCK, LK_LOCK = 2, 0, 1

    def __init__(self) -> None:
        super().__init__("msvcrt")
        self._held: dict[tuple[int, int], int] = {}

    def locking(self, descriptor: int, mode: int, count: int) -> None:
        where = os.fstat(descriptor)
        key = where.st_dev, where.st_ino
        holder = self._held.get(key)
        if mode == self.LK_UNLCK:
            self._held.pop(key, None)
            return
        if holder is not None and holder != descriptor and self._is_open(holder, key):
            raise PermissionError(errno.EACCES, "Permission denied")
        self._held[key] = descriptor

    @staticmethod
    def _is_open(descriptor: int, key: tuple[int, int]) -> bool:
        try:
            found = os.fstat(descriptor)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == key


def as_on_windows(patch: pytest.MonkeyPatch) -> None:
    """From now on, until the patch is undone."""
    for module in NO_MODULES:
        patch.setitem(sys.modules, module, None)
    patch.setitem(sys.modules, "msvcrt", Locks())
    for name in NOT_IN_OS:
        patch.delattr(os, name, raising=False)
    for name in NOT_IN_SIGNAL:
        patch.delattr(signal, name, raising=False)
    for name in WITH_PLATFORM:
        module = __import__(name, fromlist=["sys"])
        patch.setattr(module, "sys", SimpleNamespace(**{**vars(sys), "platform": "win32"}))
    for name in ("unlink", "remove", "rmdir"):
        patch.setattr(os, name, _careful(getattr(os, name)))
    for name in ("replace", "rename"):
        patch.setattr(os, name, _careful_twice(getattr(os, name), may_replace=name == "replace"))


def _careful(function: Callable[..., None]) -> Callable[..., None]:
    def call(path: Any, *, dir_fd: int | None = None) -> None:
        require_closed(path, dir_fd)
        function(path, dir_fd=dir_fd)

    return call


def _careful_twice(function: Callable[..., None], *, may_replace: bool) -> Callable[..., None]:
    def call(source: Any, target: Any) -> None:
        require_closed(source)
        require_closed(target)
        if not may_replace and os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, "exists already", str(target))
        if Path(target).is_dir():
            raise PermissionError(errno.EACCES, "is a folder that is there", str(target))
        function(source, target)

    return call
