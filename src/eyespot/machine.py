"""What this machine has. The only file that asks."""

from __future__ import annotations

import ctypes
import math
import os
import platform
import sys
from contextlib import suppress
from pathlib import Path

from eyespot.errors import MachineError
from eyespot.files import from_home
from eyespot.words import counted

CACHE_VARIABLE = "EYESPOT_CACHE"
HUB_VARIABLE = "HF_ENDPOINT"
"""Names a mirror of Hugging Face to all libraries that download from there."""


def cores() -> int:
    """Processors that this process may use: those it may run on, or fewer where a container has a share of them."""
    able = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = _share_of_container()
    return able if share is None else max(1, min(able, math.ceil(share)))


def _share_of_container(control_groups: Path = Path("/sys/fs/cgroup")) -> float | None:
    """How many processors' time Linux gives to the container; None where it gives all.

    control_groups: where version 2 writes it as `cpu.max`, version 1 in two files below `cpu`.
    """
    with suppress(OSError, ValueError):
        quota, period = (control_groups / "cpu.max").read_text("ascii").split()
        return None if quota == "max" else int(quota) / int(period)
    with suppress(OSError, ValueError, ZeroDivisionError):
        quota, period = (
            (control_groups / "cpu" / f"cpu.cfs_{each}_us").read_text("ascii") for each in ("quota", "period")
        )
        return int(quota) / int(period) if int(quota) > 0 else None
    return None


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


def hub_address() -> str | None:
    """The mirror of Hugging Face that is to be asked in its place: `HF_ENDPOINT`; None where none is named."""
    return os.environ.get(HUB_VARIABLE) or None


def describe() -> str:
    """Operating system, processor architecture and Python, in one line."""
    return f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {counted(cores(), 'core')}"


def _user_cache() -> Path:
    """`~/.cache` or what `XDG_CACHE_HOME` says: on every system, for so PyTorch and Hugging Face have it."""
    return from_home(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
