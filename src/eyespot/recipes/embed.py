"""`embed`: the features of pictures as plain arrays in a .npz file."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Unpack, cast

import numpy as np

from eyespot import machine, zoo
from eyespot.answering.keywords import ClusterKeywords
from eyespot.answering.model import load_classifier
from eyespot.building.backbone import DEFAULT, choose_backbone, choose_precision
from eyespot.building.named import is_network
from eyespot.bundle.exported import Exported
from eyespot.data.copies import hash_pictures
from eyespot.data.data_set import DataSet
from eyespot.data.handed import is_path
from eyespot.data.handed_sets import Data, name_of, open_given
from eyespot.data.ranges import find_levels
from eyespot.data.read_as import ReadAs, ReadKeywords, read_as
from eyespot.data.several_labels import find_labels, open_labels
from eyespot.data.sources import open_pictures
from eyespot.distributed.cluster import cluster_at
from eyespot.distributed.world import World
from eyespot.engine.attach import without_head
from eyespot.engine.compiled import compiled_folder
from eyespot.errors import DataError, OptionError
from eyespot.features.compute import import_engine
from eyespot.features.embed import Embedded
from eyespot.features.embed import embed as embed_pictures
from eyespot.features.trunk import Trunk
from eyespot.files import chosen_file, from_home, write_chosen
from eyespot.names import printable
from eyespot.progress import Progress, shows_progress, silent
from eyespot.records import Levels, PrecisionName, Record, SetAside
from eyespot.runs.storage import open_store
from eyespot.zoo.catalogue import SHORT_NAMES


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


@shows_progress
def embed(
    data: Data,
    out: str | Path,
    *,
    model: str | Path | None = None,
    precision: str = "auto",
    overwrite: bool = False,
    progress: Progress = silent,
    **options: Unpack[ClusterKeywords],
) -> EmbedResult:
    """Features of every picture in `data`, written to `out` as arrays: `features` (N, D) float32; `pictures`, `classes`
    and `parts` (N,), texts; of pictures with more than 8 bits what is black and white, too, as JSON: `levels`. Where a
    list says several labels of a picture, `classes` has all of them, as cat|dog.

    data: whatever `train` takes, or a folder or a list of pictures without classes.
    out: a file whose name ends in .npz; an existing one is kept unless `overwrite`.
    model: what gives the features: a run, or a network with published weights; None for EfficientNet-Lite0.
    options: `layout`, `image_column`, `label_column`, `split_column` and `cluster`, as `train` has them.

    >>> eyespot.embed("digits", "digits.npz", model="runs/train/digits").features
    84
    """
    started = time.perf_counter()
    path = chosen_file(out, ".npz", option="out", overwrite=overwrite)
    world = World(cluster=cluster_at(options.pop("cluster", None), first=import_engine))
    trunk_of = _trunk_of(model, choose_precision(precision), progress)
    data_set = _opened(data, read_as(**cast(ReadKeywords, options)))
    embedded, levels = _embedded(data_set, trunk_of, world, progress)
    if not embedded.pictures:
        raise DataError(f"no picture in {name_of(data)} can be read: {embedded.set_aside[0].reason}")
    write_chosen(path, _npz(embedded, levels))
    return EmbedResult(
        out=printable(str(path)),
        pictures=len(embedded.pictures),
        features=embedded.features["identity"].shape[1],
        computed=embedded.computed,
        set_aside=(*data_set.set_aside, *embedded.set_aside),
        notes=tuple([*data_set.notes, *embedded.notes]),
        seconds=round(time.perf_counter() - started, 2),
    )


def _embedded(
    data_set: DataSet, trunk_of: Callable[[Levels | None], Trunk], world: World, progress: Progress
) -> tuple[Embedded, Levels | None]:
    """The features, with what could not be read and all notes; and the levels of the pictures."""
    hashed, unread = hash_pictures(data_set.pictures, threads=machine.cores())
    levels, notes = find_levels([each for each in hashed if each.picture.part == "train"] or hashed)
    trunk = trunk_of(levels)
    with open_store(machine.cache_folder(), notes) as store:
        tell = partial(progress, "computing features")
        found = embed_pictures(trunk, hashed, store=store, world=world, progress=tell)
    found = replace(found, set_aside=[*unread, *found.set_aside], notes=[*notes, *found.notes])
    return found, trunk.preprocess.levels


def _opened(data: Data, how: ReadAs) -> DataSet:
    if not is_path(data):
        return open_given(data, how)
    labels = find_labels(from_home(data), how)
    return open_labels(labels) if labels else open_pictures(data, how)


def _trunk_of(
    model: str | Path | None, precision: PrecisionName, progress: Progress
) -> Callable[[Levels | None], Trunk]:
    """What gives the trunk that computes the features, by the levels of the pictures; a run has its own levels.

    Raises OptionError for a name that is neither a network's nor a run's, WeightsError, BundleError.
    """
    folder = machine.cache_folder()
    if model is None:
        return lambda levels: replace(DEFAULT, levels=levels).trunk(folder, precision, progress)
    name = SHORT_NAMES.get(str(model), str(model))
    if is_network(name):
        backbone = choose_backbone(name, None)
        return lambda levels: replace(backbone, levels=levels).trunk(folder, precision, progress)
    bundle = load_classifier(model).bundle if from_home(model).exists() else None
    if bundle is None or isinstance(bundle, Exported):
        what = "an exported file, which gives no features" if bundle else f"no run, and {zoo.hint(name)}"
        raise OptionError(f"the option model cannot be {str(model)!r}: it is {what}")
    return lambda _: Trunk(
        without_head(bundle.graph),
        network=bundle.manifest.network,
        preprocess=bundle.manifest.preprocess,
        precision=precision,
        folder=compiled_folder(folder),
    )


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
