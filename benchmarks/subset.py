"""A folder of links to a data folder's pictures, all or a seeded part: what a benchmark may change."""

from __future__ import annotations

import os
import random
import shutil
from collections import defaultdict
from pathlib import Path

from eyespot.data.sources import open_data_set

SEED = 0
LEAST = 6
"""Pictures of a class folder that stay at least, where it has so many: five folds need them."""


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
            _link(path, folder / path.relative_to(root))
    return folder


def _link(path: Path, link: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.symlink(path, link)
    except OSError:  # Windows allows links to some people only
        shutil.copyfile(path, link)
