"""What lies in a folder on disk, of any depth: pictures, other files, and what eyespot wrote there itself.

Nothing of the user's is written, moved or changed. What is not used is named with its reason.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from eyespot.data.data_set import Picture
from eyespot.data.formats import PICTURE_SUFFIXES
from eyespot.errors import DataError
from eyespot.names import printable
from eyespot.records import SetAside
from eyespot.words import some

SYSTEM_FILES = {"thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r"}
SYSTEM_FOLDERS = {"__macosx", "@eadir", "$recycle.bin"}
BUNDLE = ("manifest.json", "model.onnx")
"""Files by which a model of ours is known."""
UNREAD = "is a folder that cannot be read"
LARGEST_ARGS = 2**16
"""Bytes of a run's `args.json` in which it says what it is."""


@dataclass(frozen=True)
class Sifted:
    """What lies in a folder, by what it is."""

    root: Path
    pictures: list[Picture]
    """Files that may be pictures, without classes."""
    set_aside: list[SetAside]
    others: list[str]
    """Paths of ordinary files that are no pictures; all of them are set aside."""
    runs: list[str]
    """Folders that eyespot wrote."""
    known_as: str = ""
    """The name of what is no folder."""
    remarks: tuple[str, ...] = ()
    address: str = ""
    """Of what is not on this machine; `root` is then this as a path, which only names what lies below."""

    @property
    def where(self) -> str:
        """What errors call it."""
        return printable(self.address or str(self.root))

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self.known_as or printable(self.root.resolve().name or str(self.root))

    @property
    def notes(self) -> tuple[str, ...]:
        passed = (f"passed over what eyespot wrote itself: {some(self.runs)}",) if self.runs else ()
        return (*self.remarks, *passed)

    def below(self, path: str) -> str:
        """The name of what lies at a path."""
        return _name_below(self.root, path)


def sift(root: Path) -> Sifted:
    """Files that may be pictures, and what else lies there, with reasons. Hidden and system files are passed over."""
    pictures: list[Picture] = []
    others: list[str] = []
    files, left, runs = _walk(root)
    for path in files:
        suffix = os.path.splitext(path)[1]
        if not os.path.isfile(path):
            is_link = os.path.islink(path) and not os.path.exists(path)
            left[path] = "is a link to a file that does not exist" if is_link else "is not an ordinary file"
        elif suffix.lower() not in PICTURE_SUFFIXES:
            left[path] = f"is not a picture file ({printable(suffix) or 'no suffix'})"
            others.append(path)
        else:
            pictures.append(Picture(_name_below(root, path), path=Path(path)))
    set_aside = [SetAside(picture=_name_below(root, path), reason=reason) for path, reason in left.items()]
    return Sifted(root, pictures, set_aside, others, [_name_below(root, run) or "." for run in runs])


def lone_folders(folder: Path) -> Iterator[Path]:
    """The folder, the only one in it, the only one in that, and so on."""
    yield folder
    inside = folders_in(folder)
    if len(inside) == 1 and not inside[0].is_symlink():
        yield from lone_folders(inside[0])


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder, without hidden ones."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:  # `_walk` says so
        return []
    return [entry for entry in entries if is_read(entry.name) and os.path.isdir(entry)]


def _walk(root: Path) -> tuple[list[str], dict[str, str], list[str]]:
    """Every file below a folder in a fixed order, the folders that are not read, with reasons, and our own.

    Links to folders are followed once all folders are read under their own names, and each real folder is read once.
    Paths are strings here, all below `root` as it is given: with a Path for each, this takes three times as long.
    """
    files: list[str] = []
    left: dict[str, str] = {}
    runs: list[str] = []
    tops, seen = [str(root)], {str(parent) for parent in Path(os.path.realpath(root)).parents}

    def refuse(error: OSError) -> None:
        if error.filename == str(root):
            raise DataError(f"the folder {printable(str(root))} cannot be read: {error.strerror}")
        left[error.filename] = f"{UNREAD}: {error.strerror}"

    for top in tops:  # links that are found on the way are appended
        for folder, folders, names in os.walk(top, onerror=refuse):
            real = os.path.realpath(folder)
            if real in seen:
                left[folder] = "is a link to a folder that is read already, or that holds the data set"
                folders.clear()
                continue
            seen.add(real)
            if _is_ours(folder, folders, names):
                runs.append(folder)
                folders.clear()
                continue
            inside = sorted(name for name in folders if is_read(name))
            folders[:] = [n for n in inside if os.path.realpath(os.path.join(folder, n)) == os.path.join(real, n)]
            tops += [os.path.join(folder, name) for name in inside if name not in folders]
            files += [os.path.join(folder, name) for name in sorted(names) if is_read(name)]
    return files, left, runs


def _is_ours(folder: str, folders: list[str], names: list[str]) -> bool:
    """True for a run, also one that failed half-way, and for a model: what is in them tells, not their names."""
    if all(name in names for name in BUNDLE):
        return True
    if "bundle" in folders and all(os.path.isfile(os.path.join(folder, "bundle", name)) for name in BUNDLE):
        return True
    args = os.path.join(folder, "args.json")
    if "args.json" not in names or not os.path.isfile(args):
        return False
    try:
        with open(args, "rb") as file:
            beginning = file.read(LARGEST_ARGS)
    except OSError:
        return False
    return b'"command": "train"' in beginning and b'"fingerprint"' in beginning


def is_read(name: str) -> bool:
    """False for files and folders that are hidden or the system's own."""
    return not name.startswith(".") and name.lower() not in SYSTEM_FILES | SYSTEM_FOLDERS


def _name_below(root: Path, path: str) -> str:
    """The name of what lies at `path`, which begins with `root`, with '/' on every system."""
    return printable(path[len(os.path.join(root, "")) :].replace(os.sep, "/"))
