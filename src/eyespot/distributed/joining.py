"""Joins a Ray cluster, quietly and in time: it says one sentence where it cannot, and Ray says nothing at all."""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

from eyespot.errors import MachineError

AUTO = "auto"
"""The cluster that this machine is part of."""
ANSWER_SECONDS = 5.0
"""For whoever listens at an address."""
PLACE = Path("/tmp/ray")
"""What Ray keeps on each machine of a cluster."""
REMEMBERED = "ray_current_cluster"
"""Has the address of the cluster that Ray began here last, which may have ended."""
NODES = "session_latest/sockets/raylet*"
"""Where the nodes that Ray began here last listen, as long as they run."""
NO_CLUSTER = (
    "this machine is in no Ray cluster ({}): begin one with ray start --head, join one with ray start --address "
    "HOST:PORT, or leave --cluster out"
)
JOIN_SECONDS = 60.0
"""For a cluster to take this process, where somebody listens: machines may be busy."""


def joined(address: str) -> Any:
    """Ray, joined to the cluster until this process ends."""
    ray = _ray()
    if not ray.is_initialized():
        if not _has_node_of(address):
            _require_reachable(address)
        _join(ray, address)
    return ray


def _ray() -> Any:
    """The module, told to be silent and to report to nobody."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # or it warns of what it will do one day
    os.environ["RAY_DEDUP_LOGS_SKIP_REGEX"] = "^"  # matches every line: that a worker ended is mended, not told
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import ray
    return ray


def _join(ray: Any, address: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context = ray.init(address=address, logging_level=logging.CRITICAL, log_to_driver=False)
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    return context


def _has_node_of(address: str) -> bool:
    """Whether a node of that cluster runs on this machine, so that joining it takes a moment.

    Without one Ray would end this process.
    """
    asked = _remembered() if address == AUTO else address
    return asked == _remembered_here() and not _why_unheard(asked) and any(map(_listens, PLACE.glob(NODES)))


def _listens(node: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as there:
        there.settimeout(ANSWER_SECONDS)
        return not there.connect_ex(str(node))


def _require_reachable(address: str) -> None:
    """Raises MachineError unless a cluster is there that takes this process.

    A process of its own tries: Ray waits for minutes where nobody answers, and says why in lines of its own.
    """
    if address != AUTO:
        _require_listener(address)
    elif (before := _remembered()) and (why := _why_unheard(before)):
        raise MachineError(NO_CLUSTER.format(f"nobody answers at {before}, where it was: {why}"))
    command = [sys.executable, "-c", f"from eyespot.distributed.joining import try_to_join; try_to_join({address!r})"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=JOIN_SECONDS, start_new_session=True)
    except subprocess.TimeoutExpired:
        said = f"it did not answer within {JOIN_SECONDS:g} s"
    else:
        said = json.loads(done.stdout.splitlines()[-1]) if done.stdout and not done.returncode else done.stderr[-200:]
    if not said:
        return
    if address == AUTO:
        raise MachineError(NO_CLUSTER.format(said))
    raise MachineError(
        f"the cluster at {address} cannot be joined ({said}): this machine must belong to it, by ray start --address "
        f"{address}, with the same versions of Python and Ray"
    )


def _require_listener(address: str) -> None:
    if why := _why_unheard(address):
        raise MachineError(
            f"nobody answers at {address} ({why}): give the address that ray start --head has printed, or auto for the "
            "cluster that this machine is in"
        )


def _why_unheard(address: str) -> str:
    """Why nobody answers there; empty where somebody does."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:  # the latter for a port that there is none
        return str(getattr(error, "strerror", None) or error)
    return ""


def _remembered() -> str:
    """Where Ray takes this machine's cluster to be, as HOST:PORT; empty where it does not say."""
    named = os.environ.get("RAY_ADDRESS")
    return _host_and_port(named) if named else _remembered_here()


def _remembered_here() -> str:
    try:
        return _host_and_port((PLACE / REMEMBERED).read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError):
        return ""


def _host_and_port(address: str) -> str:
    return address if re.fullmatch(r"[^/]+:\d{1,5}", address) else ""


def try_to_join(address: str) -> None:
    """Prints why the cluster cannot be joined, as JSON; empty where it can. For a process of its own."""
    try:
        _join(_ray(), address)
    except Exception as error:
        why = str(error).strip().splitlines() or [type(error).__name__]
        print(json.dumps(why[0].split(". ")[0]))
    else:
        print(json.dumps(""))
