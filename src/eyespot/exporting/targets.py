"""Which files an export is written to, and whether they can be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from eyespot.bundle.exported import WEIGHTS
from eyespot.bundle.files import AnyBundle
from eyespot.errors import CannotWrite, OptionError
from eyespot.exporting.files import Format
from eyespot.files import from_home, require_writable
from eyespot.runs.folder import ARGS

SUFFIXES: dict[Format, tuple[str, ...]] = {"onnx": (".onnx",), "openvino": (".xml", WEIGHTS)}
FOLDER = "export"
"""In the run's folder, unless another is given."""


def format_of(name: str, *, int8: bool) -> Format:
    """The format of that name. Raises OptionError where there is none, or none with int8."""
    if name not in SUFFIXES:
        raise OptionError(f"the option format cannot be {name!r}: there are {' and '.join(SUFFIXES)}")
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
    new_files = [each for each in targets if not os.path.lexists(each)]
    new_folders = [each for each in (folder, *folder.parents) if not os.path.lexists(each)]
    try:
        _make(folder)
        for target in targets:
            require_writable(target, overwrite=overwrite)
        yield targets
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
