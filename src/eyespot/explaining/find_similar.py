"""The training pictures that a run shows beside an answer: found again by their content, kept in the run's folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from eyespot.bundle.files import FOLDER, Bundle
from eyespot.data.copies import Hashed
from eyespot.data.pictures import thumbnail
from eyespot.engine.run import BATCH
from eyespot.errors import EyespotError, UnreadablePicture
from eyespot.explaining.network import Network
from eyespot.explaining.similar import FILE, MOST_PICTURES, Similar, read_similar, similar_of, write_similar
from eyespot.features.decode import decode_pictures
from eyespot.names import printable
from eyespot.progress import Progress
from eyespot.records import Levels

THUMBNAIL_SIDE = 128


def stored_similar(bundle: Bundle) -> Similar | None:
    """The training pictures that lie beside the bundle; None if there are none of this model."""
    manifest = bundle.manifest
    return read_similar(_file(bundle), graph_sha256=manifest.graph_sha256, classes=len(manifest.classes))


def find_similar(network: Network, data: str | Path | None, progress: Progress) -> tuple[Similar | None, str]:
    """The same, made where they are missing from what the run was trained on; or a sentence on why there are none.

    data: where those pictures are now; None for where they were.
    """
    bundle = network.bundle
    assert isinstance(bundle, Bundle)  # pictures of several labels are kept nowhere
    stored = stored_similar(bundle)
    if stored is not None:
        return stored, ""
    if bundle.folder.name != FOLDER:
        return None, "no similar pictures are shown: a copied bundle carries none of those that it was trained on"
    try:
        trained_on = _trained_on(bundle, data)
        made = _made(network, trained_on, progress)
    except EyespotError as error:
        why = f"because those of the training cannot be read: {error}; say with --data where they are"
        return None, f"no similar pictures are shown, {why}"
    if made is None:
        why = "can be read" if trained_on else "is in a folder of a class that it knows: were the folders renamed?"
        return None, f"no similar pictures are shown: none of those that the model was trained on {why}"
    try:
        write_similar(_file(bundle), made, graph_sha256=bundle.manifest.graph_sha256)
    except OSError as error:
        reason = error.strerror or error
        return made, f"{printable(str(_file(bundle)))} cannot be written ({reason}), so each call has to make it anew"
    return made, ""


def _file(bundle: Bundle) -> Path:
    return bundle.folder.parent / FILE


def _trained_on(bundle: Bundle, data: str | Path | None) -> list[Hashed]:
    """The pictures in the run's data that the model was fitted on, by their content; at most `MOST_PICTURES`.

    Those whose class the model does not know are left out: none, where all class folders were renamed.
    """
    from eyespot.runs.pictures import draw_of_each_class, pictures_of_run  # here: most calls find what is made

    trained = pictures_of_run(bundle.folder.parent, bundle.manifest, data=data, parts=("train",))
    known = [each for each in trained.hashed if each.picture.label in bundle.manifest.classes]
    return draw_of_each_class(known, most=MOST_PICTURES, seed=bundle.manifest.seed)


def _made(network: Network, hashed: Sequence[Hashed], progress: Progress) -> Similar | None:
    """Features and thumbnails of these pictures; None if none of them can be read."""
    kept: list[tuple[int, bytes]] = []
    classes = network.classes
    pictures = [(each.picture, each.content) for each in hashed]
    preprocess = network.bundle.manifest.preprocess

    def images() -> Iterator[np.ndarray]:
        with closing(decode_pictures(pictures, preprocess, {}, ahead=4 * BATCH)) as decoded:
            for number, image in decoded:
                small = _thumbnail(hashed[number], preprocess.levels)
                if small is not None:
                    kept.append((classes.index(str(hashed[number].picture.label)), small))
                    yield image
                progress("reading what it was trained on", number + 1, len(hashed))
        progress("reading what it was trained on", len(hashed), len(hashed))  # the last may be unreadable

    features = [answer.features for answer in network.answers(images(), many=True)]
    if not features:
        return None
    return similar_of(np.stack(features), [index for index, _ in kept], [small for _, small in kept])


def _thumbnail(each: Hashed, levels: Levels | None) -> bytes | None:
    try:
        return thumbnail(each.picture.read(), THUMBNAIL_SIDE, levels)
    except (OSError, UnreadablePicture):
        return None
