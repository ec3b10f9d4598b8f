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

from eyespot.data.addresses import asked, kind_of, opened
from eyespot.data.data_set import MOST_BYTES, PARQUET_SUFFIX, TABLE_SUFFIXES, DataSet, Picture, labelled
from eyespot.data.folders import read_every_picture, read_sifted
from eyespot.data.formats import PICTURE_SUFFIXES
from eyespot.data.read_as import ReadAs
from eyespot.data.remote import CONNECTIONS, RemoteFile, version_in
from eyespot.data.shards import SUFFIX as SHARD_SUFFIX
from eyespot.data.shards import names_in_braces, read_shards
from eyespot.data.sifting import BUNDLE, Sifted, is_read
from eyespot.data.zipped import SUFFIX as ZIP_SUFFIX
from eyespot.data.zipped import require_class_folders, sift_zip
from eyespot.errors import DataError, NoPictures
from eyespot.names import printable
from eyespot.records import SetAside

METADATA = ("metadata.jsonl", "metadata.csv")
_LISTS = {*TABLE_SUFFIXES, PARQUET_SUFFIX, ".json"}
_PATTERN = set("*?[")


def read_address(address: str, how: ReadAs, *, every: bool) -> DataSet:
    """The pictures behind an address, with classes and parts where its folders, or its archives, say so.

    every: those without a class, too.
    Raises NoPictures, DataError, MissingExtra, DownloadError.
    """
    suffix = _suffix(address)
    if suffix in _LISTS:
        raise DataError(f"{printable(address)} is a list, and lists are read from disk: download it with its pictures")
    if suffix in PICTURE_SUFFIXES and not _is_pattern(address):
        return DataSet(address, (Picture(printable(_name(address)), member=_file(address)),))
    if suffix == SHARD_SUFFIX and not _is_pattern(address):
        found = {_name(each): _file(each) for each in names_in_braces(address) or [address]}
        return _in_shards(found, address, how, every=every, is_one=len(found) == 1)
    if suffix == ZIP_SUFFIX:
        sifted, files = sift_zip(Path(address), _file(address)), dict[str, RemoteFile]()
    else:
        sifted, files = _sifted(address)
    if how.classes_count:
        _require_no_lists(sifted, files)
    shards = {name: file for name, file in files.items() if _suffix(name) == SHARD_SUFFIX}
    if shards and len({each.name.split("/")[0] for each in sifted.pictures if "/" in each.name}) < 2:
        return _in_shards(shards, address, how, every=every, is_one=False)
    return (read_every_picture if every else read_sifted)(sifted, layout=how.layout)


def above(address: str) -> str:
    """What the names of the pictures behind an address are told below."""
    if _is_pattern(address):
        return posixpath.dirname(address[: min(address.find(each) for each in _PATTERN & {*address})])
    is_file = _suffix(address) in {SHARD_SUFFIX, *PICTURE_SUFFIXES}
    return posixpath.dirname(address) if is_file else address.rstrip("/")


def _in_shards(shards: Mapping[str, RemoteFile], address: str, how: ReadAs, *, every: bool, is_one: bool) -> DataSet:
    name = printable(posixpath.splitext(_name(address))[0])
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
    sifted = Sifted(root, [], [], [], sorted(run or "." for run in runs), printable(_name(address)), address=address)
    for name, file in sorted(files.items()):
        if any(not run or name.startswith(f"{run}/") for run in runs):
            continue
        suffix = posixpath.splitext(name)[1]
        if suffix.lower() not in PICTURE_SUFFIXES:
            reason = f"is not a picture file ({printable(suffix) or 'no suffix'})"
            sifted.others.append(str(root / name))
        elif isinstance(file, str):
            reason = file
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
    listing = files.glob if _is_pattern(address) else files.find
    found: dict[str, dict[str, Any]] = asked(address, lambda: listing(path, detail=True))
    top = _below_kind(above(address))
    named = {}
    for at, said in found.items():
        name = _name_below(top, at)
        if name and said.get("type") == "file":
            named[name] = (at if _is_web(address) else f"{kind_of(address)}://{at}", said)
    if not named:
        raise NoPictures(f"there is nothing at {printable(address)}: look whether bucket and folder are so spelled")
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return dict(zip(named, pool.map(_known, named.values()), strict=True))


def _name_below(top: str, at: str) -> str:
    """The name of a file that was listed; empty for what is hidden, leads elsewhere, or is a question to the server."""
    parts = [unquote(each) if _is_web(at) else each for each in at[len(top) :].split("/") if each not in ("", ".")]
    is_one = ".." not in parts and all(map(is_read, parts)) and not (_is_web(at) and "?" in at)
    return "/".join(parts) if is_one else ""


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
    return [posixpath.dirname(each) if _name(each) == "bundle" else each for each in found]


def _require_no_lists(sifted: Sifted, names: Iterable[str]) -> None:
    """Raises DataError where something else than folders says what pictures show."""
    tables = [each for each in names if _name(each).lower() in METADATA and each.count("/") < 2]
    if tables:
        raise DataError(
            f"{sifted.where} holds a list ({printable(tables[0])}), and lists are read from disk: download it with its "
            "pictures"
        )
    require_class_folders(sifted, instead="download it")


def _name(address: str) -> str:
    """The last part of an address."""
    last = posixpath.basename(address.rstrip("/"))
    return unquote(last) if _is_web(address) else last


def _suffix(address: str) -> str:
    return posixpath.splitext(address)[1].lower()


def _below_kind(address: str) -> str:
    """Without `s3://`, which file systems leave out; of a web server with it."""
    return address if _is_web(address) else address.partition("://")[2] or address


def _is_web(address: str) -> bool:
    return address.startswith(("https://", "http://"))


def _is_pattern(address: str) -> bool:
    """Whether it stands for all that it fits; in an address of the web a `?` does not."""
    return not _is_web(address) and bool(_PATTERN & {*address})
