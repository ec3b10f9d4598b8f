"""What this machine has. The only file that asks."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from pathlib import Path

from eyespot.errors import MachineError
from eyespot.files import from_home
from eyespot.words import counted

CACHE_VARIABLE = "EYESPOT_CACHE"


def cores() -> int:
    """Processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_bytes() -> int | None:
    """Memory of the machine; None where the system does not tell, as Windows."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def glibc() -> ctypes.CDLL | None:
    """The C library, where it is one that can be told what to do with freed memory: that of Linux."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "gnu_get_libc_version") else None


def cache_folder() -> Path:
    """The folder for converted networks and features: `EYESPOT_CACHE`, or the platform's user cache folder.

    Raises MachineError where EYESPOT_CACHE begins with the home of somebody who is not there.
    """
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        folder = from_home(chosen)
        if str(folder).startswith("~"):
            raise MachineError(f"{CACHE_VARIABLE} is {chosen!r}, and there is no such home folder: give another")
        return folder
    import platformdirs

    return Path(platformdirs.user_cache_dir("eyespot", appauthor=False))


def torch_downloads() -> Path:
    """The folder where PyTorch keeps downloaded weights, as `torch.hub` has it: below `TORCH_HOME`, if that is set."""
    chosen = os.environ.get("TORCH_HOME")
    return (from_home(chosen) if chosen else _user_cache() / "torch") / "hub" / "checkpoints"


def hub_downloads() -> Path:
    """The folder where Hugging Face's libraries keep downloads: `HF_HUB_CACHE`, or below `HF_HOME`, if one is set."""
    chosen = os.environ.get("HF_HUB_CACHE")
    home = os.environ.get("HF_HOME")
    if chosen:
        return from_home(chosen)
    return (from_home(home) if home else _user_cache() / "huggingface") / "hub"


def describe() -> str:
    """Operating system, processor architecture and Python, in one line."""
    return f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {counted(cores(), 'core')}"


def _user_cache() -> Path:
    """`~/.cache` or what `XDG_CACHE_HOME` says: on every system, for so PyTorch and Hugging Face have it."""
    return from_home(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
