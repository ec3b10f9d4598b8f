"""`embed`: the features of pictures as plain arrays in a .npz file."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from eyespot import machine
from eyespot.building.backbone import DEFAULT, choose_precision
from eyespot.data.copies import Hashed, hash_pictures
from eyespot.data.ranges import find_levels
from eyespot.data.read_as import read_as
from eyespot.data.several_labels import find_labels, open_labels
from eyespot.data.sources import open_pictures
from eyespot.errors import DataError
from eyespot.features.embed import Embedded
from eyespot.features.embed import embed as embed_pictures
from eyespot.files import chosen_file, from_home, write_chosen
from eyespot.names import printable
from eyespot.progress import Progress, silent
from eyespot.records import Levels, Record, SetAside
from eyespot.runs.storage import open_store


class EmbedResult(Record):
    """Where features were written, and of what."""

    out: str
    pictures: int
    features: int
    """Length of each feature vector."""
    computed: int
    set_aside: tuple[SetAside, ...]
    notes: tuple[str, ...]
    seconds: float


def embed(
    data: str | Path,
    out: str | Path,
    *,
    precision: str = "auto",
    overwrite: bool = False,
    progress: Progress = silent,
    **reading: str | None,
) -> EmbedResult:
    """Features of every picture in `data`, written to `out` as arrays `features` (N, D) float32, `pictures` (N,),
    `classes` (N,; empty if a folder has no classes) and `parts` (N,), all text as plain unicode arrays; where there
    are pictures with more than 8 bits, the numbers that became black and white, too, as JSON: `levels`. Where a list
    says several labels of a picture, `classes` has all of them, as cat|dog.

    data: whatever `train` takes (docs/data.md), or a folder or a list of pictures without classes.
    out: a file whose name ends in .npz; an existing one is kept unless `overwrite`.
    reading: `layout`, `image_column`, `label_column` and `split_column`, as `train` has them.
    """
    started = time.perf_counter()
    path = chosen_file(out, ".npz", option="out", overwrite=overwrite)
    how = read_as(**reading)
    labels = find_labels(from_home(data), how)
    data_set = open_labels(labels) if labels else open_pictures(data, how)
    hashed, unread = hash_pictures(data_set.pictures, threads=machine.cores())
    levels, said = find_levels([each for each in hashed if each.picture.part == "train"] or hashed)
    notes = [*data_set.notes, *said]
    embedded = _embedded(hashed, levels, precision, notes, progress)
    if not embedded.pictures:
        raise DataError(f"no picture in {printable(str(data))} can be read: {(*unread, *embedded.set_aside)[0].reason}")
    write_chosen(path, _npz(embedded, levels))
    return EmbedResult(
        out=printable(str(path)),
        pictures=len(embedded.pictures),
        features=embedded.features["identity"].shape[1],
        computed=embedded.computed,
        set_aside=(*data_set.set_aside, *unread, *embedded.set_aside),
        notes=tuple([*notes, *embedded.notes]),
        seconds=round(time.perf_counter() - started, 2),
    )


def _embedded(
    hashed: Sequence[Hashed], levels: Levels | None, precision: str, notes: list[str], progress: Progress
) -> Embedded:
    """The features by the pretrained trunk. notes: takes what is wrong with the store."""
    folder = machine.cache_folder()
    trunk = replace(DEFAULT, levels=levels).trunk(folder, choose_precision(precision), progress)
    with open_store(folder, notes) as store:
        return embed_pictures(trunk, hashed, store=store, progress=lambda d, n: progress("computing features", d, n))


def _npz(embedded: Embedded, levels: Levels | None) -> bytes:
    pictures = [each.picture for each in embedded.pictures]
    arrays = {
        "features": embedded.features["identity"],
        "pictures": np.array([picture.name for picture in pictures], dtype=np.str_),
        "classes": np.array([picture.label or "" for picture in pictures], dtype=np.str_),
        "parts": np.array([picture.part or "" for picture in pictures], dtype=np.str_),
    }
    if levels:
        arrays["levels"] = np.array(levels.model_dump_json())
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()
