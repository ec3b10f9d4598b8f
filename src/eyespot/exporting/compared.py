"""The run's own pictures, on which an export is compared with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eyespot.bundle.files import AnyBundle, DetectorBundle, Naming
from eyespot.bundle.run import ClassAnswer
from eyespot.data.handed_sets import Data, path_of
from eyespot.errors import DataError, OptionError
from eyespot.exporting.agreement import answers_of_bundle
from eyespot.exporting.quantize import Int8Check
from eyespot.progress import Progress
from eyespot.records import Part
from eyespot.runs.folder import ARGS
from eyespot.runs.pictures import RunPictures, boxed_pictures_of_run, pictures_of_run
from eyespot.words import counted


def pictures_to_compare(run: str | Path, bundle: Naming, data: Data | None, *parts: Part) -> RunPictures:
    """Those of the first of these parts of which some are found.

    run: its folder, or the bundle in it. data: where its pictures are now, or None. Raises DataError.
    """
    with _saying_where(data):
        return pictures_of_run(_run_around(run, bundle), bundle.manifest, data=data, parts=parts)


def boxed_pictures_to_compare(run: str | Path, bundle: DetectorBundle, data: Data | None) -> list[RunPictures]:
    """The same of a detector, by part."""
    with _saying_where(data):
        return boxed_pictures_of_run(
            _run_around(run, bundle), bundle.manifest, data=None if data is None else path_of(data)
        )


def answers_of_run(
    run: str | Path, bundle: Naming, pictures: RunPictures, progress: Progress
) -> dict[int, ClassAnswer]:
    """The run's answers to its pictures, by their number."""
    answers = answers_of_bundle(bundle, pictures.hashed, progress)
    if not answers:
        raise DataError(f"none of the pictures that {run} was made on can be read")
    return answers


def notes_on_pictures(pictures: RunPictures, read: int, int8: Int8Check | None) -> Iterator[str]:
    """What is worth saying of them. read: how many could be; int8: how it was judged, if it was."""
    if pictures.passed:
        gone = " and ".join(f"{counted(count, 'picture')} of part {part!r}" for part, count in pictures.passed)
        so = f"so it was compared on those of part {pictures.part!r}"
        yield f"the run's {gone} cannot be found, {so}: say with --data where they are"
    elif pictures.part != "val":
        yield f"the run has no validation pictures, so it was compared on those of part {pictures.part!r}"
    if pictures.missing:
        yield f"{counted(pictures.missing, 'picture')} of the run cannot be found or changed, and went uncompared"
    if read < len(pictures.hashed):
        yield f"{counted(len(pictures.hashed) - read, 'picture')} cannot be decoded, and went uncompared"
    if int8 is not None and int8.pictures < read:
        left_out = counted(read - int8.pictures, "picture")
        yield f"int8 was judged without {left_out}, of classes that the model does not know: were folders renamed?"


def _run_around(run: str | Path, bundle: AnyBundle) -> str | Path:
    """The run's folder: the bundle in it may be what was named."""
    around = bundle.folder.parent
    return around if (around / ARGS).is_file() else run


@contextmanager
def _saying_where(data: Data | None) -> Iterator[None]:
    """Within it, an error about where the run's pictures are says what to do, unless `data` has said where."""
    try:
        yield
    except (DataError, OptionError) as error:
        if data is not None:
            raise
        raise DataError(f"{error}; say with --data where the run's pictures are") from error
