"""Pictures behind an address, as the folder, the archive or the one picture that it leads to.

A folder is listed once. Its class folders, parts and archives are read as those of a folder on disk, of which nothing
lies here but what `remote` keeps. Lists and boxes, which name pictures by their paths, are read from disk only.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from eyespot.data.addresses import SHARD_SUFFIX, above, asked, is_pattern, is_web, kind_of, name_of, opened, suffix_of
from eyespot.data.data_set import MOST_BYTES, PARQUET_SUFFIX, TABLE_SUFFIXES, DataSet, Picture, labelled
from eyespot.data.folders import read_every_picture, read_sifted
from eyespot.data.formats import PICTURE_SUFFIXES
from eyespot.data.read_as import ReadAs
from eyespot.data.remote import CONNECTIONS, RemoteFile, version_in
from eyespot.data.shards import names_in_braces, read_shards
from eyespot.data.sifting import BUNDLE, Sifted, is_read
from eyespot.data.tables import METADATA
from eyespot.data.zipped import SUFFIX as ZIP_SUFFIX
from eyespot.data.zipped import require_class_folders, sift_zip
from eyespot.errors import DataError, NoPictures
from eyespot.names import printable
from eyespot.records import SetAside

MOST_PAGES = 10_000
"""Folders of a web server that are listed."""
_LISTS = {*TABLE_SUFFIXES, PARQUET_SUFFIX, ".json"}
_NO_FOLDERS = {"", ".", ".."}


def read_address(address: str, how: ReadAs, *, every: bool) -> DataSet:
    """The pictures behind an address, with classes and parts where its folders, or its archives, say so.

    every: those without a class, too.
    Raises NoPictures, DataError, MissingExtra, DownloadError.
    """
    suffix = suffix_of(address)
    if suffix in _LISTS:
        raise DataError(f"{printable(address)} is a list, and lists are read from disk: download it with its pictures")
    if suffix in PICTURE_SUFFIXES and not is_pattern(address):
        return DataSet(address, (Picture(printable(name_of(address)), member=_file(address)),))
    if suffix == SHARD_SUFFIX and not is_pattern(address):
        found = {name_of(each): _file(each) for each in names_in_braces(address) or [address]}
        return _in_shards(found, address, how, every=every, is_one=len(found) == 1)
    if suffix == ZIP_SUFFIX:
        sifted, files = sift_zip(Path(address), _file(address)), dict[str, RemoteFile]()
    else:
        sifted, files = _sifted(address)
    if how.classes_count:
        _require_no_lists(sifted, files)
    shards = {name: file for name, file in files.items() if suffix_of(name) == SHARD_SUFFIX}
    if shards and len({each.name.split("/")[0] for each in sifted.pictures if "/" in each.name}) < 2:
        return _in_shards(shards, address, how, every=every, is_one=False)
    return (read_every_picture if every else read_sifted)(sifted, layout=how.layout)


def _in_shards(shards: Mapping[str, RemoteFile], address: str, how: ReadAs, *, every: bool, is_one: bool) -> DataSet:
    name = printable(posixpath.splitext(name_of(address))[0])
    listed = read_shards(shards, how, name=name, root=Path(address), address=address, is_one=is_one)
    if not how.classes_count:
        return listed
    try:
        return labelled(listed)
    except NoPictures:
        if not every:
            raise
        return listed


def _file(address: str) -> RemoteFile:
    """The one file behind an address. Raises NoPictures where it is none."""
    files, path = opened(address)
    said = asked(address, lambda: files.info(path))
    if said.get("type") == "directory":
        raise NoPictures(f"{printable(address)} is a folder, and is called like a file: give another one")
    if said.get("size") is None:
        raise DataError(f"the server of {printable(address)} does not tell how large it is: download it first")
    return RemoteFile(address, int(said["size"]), version_in(said))


def _sifted(address: str) -> tuple[Sifted, dict[str, RemoteFile]]:
    """What lies below an address, and every file there that may be a picture or an archive, by its name."""
    files = _listed(address)
    runs = _runs(files)
    root = Path(address)
    sifted = Sifted(root, [], [], [], sorted(run or "." for run in runs), printable(name_of(address)), address=address)
    for name, file in sorted(files.items()):
        if any(not run or name.startswith(f"{run}/") for run in runs):
            continue
        suffix = posixpath.splitext(name)[1]
        if suffix.lower() not in PICTURE_SUFFIXES:
            reason = f"is not a picture file ({printable(suffix) or 'no suffix'})"
            sifted.others.append(str(root / name))
        elif isinstance(file, str):
            reason = file
        elif _NO_FOLDERS & {*name.split("/")}:
            reason = "has a name that leads out of the folder, or that no folder can have"
        elif file.size > MOST_BYTES:
            reason = f"has more than the {MOST_BYTES // 2**20} MB that are read"
        else:
            sifted.pictures.append(Picture(printable(name), member=file))
            continue
        sifted.set_aside.append(SetAside(picture=printable(name), reason=reason))
    return sifted, {name: file for name, file in files.items() if isinstance(file, RemoteFile)}


def _listed(address: str) -> dict[str, RemoteFile | str]:
    """Every file below an address that is not hidden, by its name there, or why it cannot be read."""
    files, path = opened(address)
    files.invalidate_cache()
    found: dict[str, dict[str, Any]] = asked(address, lambda: _below(files, path, address))
    top = f"{above(address) if is_web(address) else above(address).partition('://')[2]}/"
    named = {}
    for at, said in found.items():
        name = unquote(at[len(top) :]) if is_web(address) else at[len(top) :]
        is_there = said.get("type") == "file" and at.startswith(top) and not (is_web(address) and "?" in at)
        if is_there and all(each in _NO_FOLDERS or is_read(each) for each in name.split("/")):
            named[name] = (at if is_web(address) else f"{kind_of(address)}://{at}", said)
    if not named:
        raise NoPictures(f"there is nothing at {printable(address)}: look whether bucket and folder are so spelled")
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return dict(zip(named, pool.map(_known, named.values()), strict=True))


def _below(files: Any, path: str, address: str) -> dict[str, dict[str, Any]]:
    """What a file system says of every file below a path, or below all that a pattern fits."""
    if is_web(address):
        return _below_page(files, path)
    if not is_pattern(address):
        return dict(files.find(path, detail=True))
    fitting = files.glob(path, detail=True)
    folders = [files.find(at, detail=True) for at, said in fitting.items() if said["type"] == "directory"]
    return {at: said for found in (fitting, *folders) for at, said in found.items()}


def _below_page(files: Any, url: str) -> dict[str, dict[str, Any]]:
    """The same of all that a page, and those of its folders, link to; `find` would omit a folder that fails."""
    found: dict[str, dict[str, Any]] = {}
    pages = [url]
    for page in pages:  # folders that are found on the way are appended
        listed = {each["name"]: each for each in files.ls(page, detail=True) if each["name"].startswith(url)}
        pages += [name for name, each in listed.items() if each["type"] == "directory" and name not in pages]
        found |= listed
        if len(pages) > MOST_PAGES:
            raise DataError(f"{printable(url)} leads to more than {MOST_PAGES:,} folders: give one with fewer")
    return found


def _known(found: tuple[str, dict[str, Any]]) -> RemoteFile | str:
    """A file that was listed, or why it cannot be read; a web server is asked for the size, which no page tells."""
    address, said = found
    if said.get("size") is not None:
        return RemoteFile(address, int(said["size"]), version_in(said))
    try:
        return _file(address)
    except NoPictures:
        return "is not there, though the page names it"


def _runs(names: Iterable[str]) -> list[str]:
    """The folders that eyespot wrote: a bundle by itself, or the run that it lies in; "" for all of it."""
    held = {*names}
    bundles = {each.removesuffix(BUNDLE[0]) for each in held if each.split("/")[-1] == BUNDLE[0]}
    found = [each.rstrip("/") for each in bundles if each + BUNDLE[1] in held]
    return [posixpath.dirname(each) if name_of(each) == "bundle" else each for each in found]


def _require_no_lists(sifted: Sifted, names: Iterable[str]) -> None:
    """Raises DataError where something else than folders says what pictures show."""
    tables = [each for each in names if name_of(each).lower() in METADATA and each.count("/") < 2]
    if tables:
        raise DataError(
            f"{sifted.where} holds a list ({printable(tables[0])}), and lists are read from disk: download it with its "
            "pictures"
        )
    require_class_folders(sifted, instead="download it")
