"""Folders of classes and parts, with odd names, links in circles, and files that only claim to be pictures."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from random import Random

from fuzz.damage import NAMES
from fuzz.kinds import Kind
from fuzz.pictures import tiny
from fuzz.verbs import read_data

FOLDERS = ("cat", "dog", "train/cat", "train/dog", "test/cat", "test/dog", "val", "Cat", "images", "photos/cat")
FILES = ("a.png", "b.PNG", "c.jpg", "d.png", "notes.txt", "e.json", "f.xml", "g.zip", "data.yaml", "metadata.csv")


def write(chance: Random, folder: Path) -> Path:
    top = folder / "data"
    top.mkdir()
    for _ in range(chance.randrange(1, 7)):
        inside = top / _name(chance, chance.choice(FOLDERS))
        with suppress(OSError, ValueError):  # what this system cannot have
            inside.mkdir(parents=True, exist_ok=True)
            for _ in range(chance.randrange(4)):
                with suppress(OSError, ValueError):
                    (inside / _name(chance, chance.choice(FILES))).write_bytes(chance.choice((*tiny(), b"", b"\0")))
    for _ in range(chance.choice((0, 0, 1, 3))):
        places = [Path(above, name) for above, folders, files in os.walk(top) for name in (*folders, *files)]
        with suppress(OSError, ValueError, IndexError):
            target = chance.choice(("..", ".", "/", "loop", "gone", str(top), *map(str, places)))
            at = chance.choice([top, *places])
            (at / "loop").symlink_to(target if target != "/" else "../" * 2 + "data")
    return top


def _name(chance: Random, usual: str) -> str:
    """Mostly the usual one; never one that leads out of the folder."""
    if chance.random() > 0.15:
        return usual
    odd = chance.choice(NAMES).replace("/", "_").replace("\0", "")
    return usual if odd in ("", ".", "..") else odd[:200]


KINDS = {"folders": Kind(write, read_data)}
