"""Which files an export is written to, and whether they can be."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from eyespot.bundle.exported import WEIGHTS
from eyespot.bundle.files import AnyBundle
from eyespot.errors import CannotWrite, OptionError
from eyespot.exporting.files import Format
from eyespot.files import from_home, require_writable
from eyespot.runs.folder import ARGS
from eyespot.words import some

SUFFIXES: dict[Format, tuple[str, ...]] = {"onnx": (".onnx",), "openvino": (".xml", WEIGHTS), "web": ()}
FOLDER, SITE = "export", "web"
"""In the run's folder, unless another is given; and in that, for a page."""


def format_of(name: str, *, int8: bool) -> Format:
    """The format of that name. Raises OptionError where there is none, or none with int8."""
    if name not in SUFFIXES:
        raise OptionError(f"the option format cannot be {name!r}: there are {some(list(SUFFIXES))}")
    if int8 and name != "openvino":
        raise OptionError(f"the option int8 makes OpenVINO's files, not {name}: add --format openvino")
    return name


@contextmanager
def targets_of(
    run: str | Path, bundle: AnyBundle, format: Format, out: str | Path | None, *, overwrite: bool
) -> Iterator[list[Path]]:
    """Within it, the files to be written; all of them can be. What was new is gone if anything fails.

    Raises CannotWrite, or OptionError without a run's folder.
    """
    folder = _folder(run, bundle) if out is None else from_home(out)
    targets = [folder / f"{_file_name(bundle.manifest.name)}{suffix}" for suffix in SUFFIXES[format]]
    with _possible(targets, overwrite=overwrite):
        yield targets


@contextmanager
def site_targets_of(
    run: str | Path, bundle: AnyBundle, names: Iterable[str], out: str | Path | None, *, overwrite: bool
) -> Iterator[dict[str, Path]]:
    """The same of a page: its files by their names, which may have a folder before them."""
    folder = _folder(run, bundle) / SITE if out is None else from_home(out)
    targets = {name: folder.joinpath(*name.split("/")) for name in names}
    with _possible(targets.values(), overwrite=overwrite):
        yield targets


def opened_last(targets: list[Path], contents: tuple[bytes, ...]) -> dict[Path, bytes]:
    """The files in the order in which they are written: the one that programs open comes behind its weights."""
    return dict(reversed([*zip(targets, contents, strict=True)]))


@contextmanager
def _possible(targets: Collection[Path], *, overwrite: bool) -> Iterator[None]:
    new_files = [each for each in targets if not os.path.lexists(each)]
    folders = dict.fromkeys(each for target in targets for each in target.parents)
    new_folders = sorted((each for each in folders if not os.path.lexists(each)), key=lambda each: -len(each.parts))
    try:
        for folder in dict.fromkeys(target.parent for target in targets):
            _make(folder)
        for target in targets:
            require_writable(target, overwrite=overwrite)
        yield
    except BaseException:
        with suppress(OSError):
            for target in new_files:
                target.unlink(missing_ok=True)
            for each in new_folders:
                each.rmdir()
        raise


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise CannotWrite(f"{folder} cannot be made ({reason}): choose another place with --out") from error


def _folder(run: str | Path, bundle: AnyBundle) -> Path:
    around = bundle.folder.parent
    if not (around / ARGS).is_file():
        raise OptionError(f"{run} is a bundle without its run's folder: say with --out where the export should go")
    return around / FOLDER


def _file_name(name: str) -> str:
    """A run's name as that of a file, on every system."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name).strip(".") or "model"
