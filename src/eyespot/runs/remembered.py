"""Trainings that nobody asked for, kept beside the store: the next run on the same pictures need not repeat them.

A run that was given no time and betters its frozen model decides by its clock how long. What it decided, and the last
checkpoint of each training, are kept under a key of all that they follow from; another run with that key takes them up
as a killed run does its own. Each file has a checksum: what is damaged counts as missing.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from eyespot.bundle.files import CHECKPOINTS
from eyespot.engine.compiled import keep, read_kept
from eyespot.runs.job import Job

FOLDER, DECISIONS = "trained", "decisions"
MOST = 4
"""Runs whose trainings are kept: those that were of use last. Each takes some 50 MB."""
PART = ".part"
"""Ends the name of what is not whole yet, or not any more."""
ABANDONED_SECONDS = 3600
"""After which nobody is at such a one any more: whoever was is killed."""


def recall(job: Job, key: str) -> bool:
    """Gives a run that begins what an earlier one under that key decided and trained; whether that is still there."""
    kept, there = job.cache_folder / FOLDER / key, job.folder.path
    if there is None or job.world.size > 1:  # all processes would have to find the same
        return False
    decided = read_kept(kept / DECISIONS)
    if decided is None:
        shutil.rmtree(kept, ignore_errors=True)  # a damaged one, so that it can be made again
        return False
    with suppress(OSError, ValueError):
        decisions = dict(json.loads(decided))
        _copy_newest(kept / CHECKPOINTS, there / CHECKPOINTS)
        os.utime(kept)
        job.clock.recall(decisions)
        return True
    return False


def remember(job: Job, key: str) -> None:
    """Keeps what a run that is about to end decided and trained. What cannot be written is not kept."""
    kept, there = job.cache_folder / FOLDER / key, job.folder.path
    if there is None or job.world.size > 1 or kept.exists():
        return
    draft = kept.with_name(f"{key}{PART}")
    with suppress(OSError):
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        _copy_newest(there / CHECKPOINTS, draft / CHECKPOINTS)
        keep(draft / DECISIONS, json.dumps(job.clock.decisions).encode())
        draft.rename(kept)
        _make_room(kept.parent)


def size(cache_folder: Path) -> int:
    """Bytes of all that is kept."""
    files = (each for each in (cache_folder / FOLDER).rglob("*") if each.is_file())
    return sum(each.stat().st_size for each in files)


def forget(cache_folder: Path) -> None:
    """Removes all that is kept."""
    shutil.rmtree(cache_folder / FOLDER, ignore_errors=True)


def _make_room(folder: Path) -> None:
    """Removes all but those that were of use last, and what killed runs left. Half removed, none looks whole."""
    by_use = sorted(folder.iterdir(), key=lambda each: each.stat().st_mtime)
    for old in [each for each in by_use if each.suffix != PART][:-MOST]:
        part = old.with_name(f"{old.name}{PART}")
        shutil.rmtree(part, ignore_errors=True)
        old.rename(part)
        shutil.rmtree(part, ignore_errors=True)
    for part in (each for each in by_use if each.suffix == PART):
        if time.time() - part.stat().st_mtime > ABANDONED_SECONDS:
            shutil.rmtree(part, ignore_errors=True)


def _copy_newest(checkpoints: Path, to: Path) -> None:
    """Of each training the last checkpoint, whose name begins with its number."""
    for training in checkpoints.glob("*"):
        newest = max(training.glob("*.safetensors"), default=None)
        if newest is not None:
            (to / training.name).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(newest, to / training.name / newest.name)
