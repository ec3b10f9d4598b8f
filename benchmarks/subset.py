"""A folder of links to a data folder's pictures, all or a seeded part: what a benchmark may change."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import measuring

from eyespot.data.sources import open_data_set

TRAINING_DATA = "a folder of pictures as `eyespot train` takes it"
SEED = 0
LEAST = 6
"""Pictures of a class folder that stay at least, where it has so many: five folds need them."""


def arguments_parser(description: str | None, *, data: str = TRAINING_DATA) -> argparse.ArgumentParser:
    """A parser that knows the data folder and how many of its pictures to use.

    data: what the folder must be, in words.
    """
    parser = measuring.arguments_parser(description)
    parser.add_argument("data", type=Path, help=data)
    parser.add_argument("--pictures", type=int, help="about so many pictures, drawn with a fixed seed (default all)")
    return parser


@contextmanager
def workplace(options: argparse.Namespace) -> Iterator[tuple[Path, Path]]:
    """A temporary folder, and in it a folder of links to the pictures that the arguments name."""
    print(measuring.heading(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield folder, linked(options.data, folder / "data", pictures=options.pictures)


def linked(data: Path, folder: Path, *, pictures: int | None = None) -> Path:
    """`folder`, made and filled with links to the pictures of `data` in the same layout.

    pictures: about how many; the same share of every class folder. None for all.
    """
    root = data.resolve()
    by_folder: dict[Path, list[Path]] = defaultdict(list)
    for each in open_data_set(root).pictures:
        assert each.path is not None
        by_folder[each.path.parent].append(each.path)
    total = sum(len(paths) for paths in by_folder.values())
    drawing = random.Random(SEED)
    for paths in by_folder.values():
        wanted = len(paths) if pictures is None else max(LEAST, round(len(paths) * pictures / total))
        for path in drawing.sample(paths, min(wanted, len(paths))):
            link(path, folder / path.relative_to(root))
    return folder


def link(path: Path, place: Path) -> None:
    """At `place` lies a link to the file `path`, or a copy where the system allows no links."""
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.symlink(path, place)
    except FileExistsError:  # a copy would go through the link that lies there, into another picture
        raise
    except OSError:  # Windows allows links to some people only
        shutil.copyfile(path, place)
