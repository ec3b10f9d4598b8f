"""Pictures in tar archives, as WebDataset packs them: `a.jpg` with `a.cls`, `a.json` or `a.txt` beside it.

Nothing is unpacked: the headers are read once, and each picture where it lies. What no file gives a class is read as
the folders that it was made of. https://github.com/webdataset/webdataset#the-webdataset-format
"""

from __future__ import annotations

import errno
import json
import re
import tarfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from eyespot.data.data_set import MOST_BYTES, PARTS, DataSet, Picture, class_of
from eyespot.data.folders import read_every_picture
from eyespot.data.formats import PICTURE_SUFFIXES
from eyespot.data.read_as import ReadAs
from eyespot.data.sifting import Sifted, is_read
from eyespot.errors import DataError
from eyespot.names import printable, quoted
from eyespot.records import Part, SetAside

SUFFIX = ".tar"
LABELS = ("cls", "json", "txt")
"""Endings of files that give the class of what lies beside them; the first that is there counts."""
KEYS = ("label", "cls", "class", "class_name")
"""By which a `.json` may name it."""
MOST_LABEL_BYTES = 2**16
MOST_SHARDS = 100_000
_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
_DAMAGED = (tarfile.TarError, EOFError, ValueError, OverflowError, MemoryError, RecursionError)


@dataclass(frozen=True)
class Member:
    """One file of an archive."""

    shard: Path
    offset: int
    """Where its content begins, bytes."""
    size: int

    def read(self) -> bytes:
        """Its content. OSError where it cannot be read; any number of threads may call it."""
        with self.shard.open("rb") as file:
            file.seek(self.offset)
            data = file.read(self.size)
        if len(data) < self.size:
            raise OSError(errno.EIO, "its archive became shorter")
        return data


@dataclass
class _Sample:
    """What has the same name up to the first dot of its last part."""

    pictures: list[Picture] = field(default_factory=list)
    labels: dict[str, str | None] = field(default_factory=dict)
    """The class that each kind of file gives; None where it gives none."""

    @property
    def label(self) -> str | None:
        return next((self.labels[kind] for kind in LABELS if kind in self.labels), None)


def is_shard(path: Path) -> bool:
    return path.suffix.lower() == SUFFIX and path.is_file()


def in_braces(where: str | Path) -> list[Path]:
    """The files that `shards-{000..012}.tar` stands for; none where it is no such name. Raises DataError."""
    found = _RANGE.search(str(where))
    if not found or not str(where).lower().endswith(SUFFIX):
        return []
    first, last = (int(number) for number in found.groups())
    if not 0 <= last - first < MOST_SHARDS:
        raise DataError(f"{printable(str(where))} must count up, and to at most {MOST_SHARDS:,} archives")
    names = [_RANGE.sub(f"{number:0{len(found[1])}}", str(where), count=1) for number in range(first, last + 1)]
    missing = [name for name in names if not Path(name).is_file()]
    if missing:
        raise DataError(
            f"{len(missing)} of the {len(names)} archives of {printable(str(where))} are not there, such as "
            f"{printable(missing[0])}: check the numbers, or download those"
        )
    return [Path(name) for name in names]


def read_shards(shards: Sequence[Path], how: ReadAs, *, name: str, root: Path | None = None) -> DataSet:
    """The pictures of the archives, with the classes unjudged.

    name: of the data set. root: the folder below which their names are told; None where they are one archive.
    Raises DataError for an archive that is not whole.
    """
    pictures: list[Picture] = []
    set_aside: list[SetAside] = []
    is_labelled = False
    for shard in shards:
        below = "" if root is None else f"{printable(shard.relative_to(root).as_posix())}/"
        samples = _samples(shard, below, set_aside)
        part = _part(shard, root)
        is_labelled |= any(sample.labels for sample in samples.values())
        for key, sample in samples.items():
            pictures += [replace(each, label=sample.label, part=part) for each in sample.pictures]
            if not sample.pictures:
                reason = "gives the class of no picture beside it"
                set_aside += [
                    SetAside(picture=printable(f"{below}{key}.{kind}"), reason=reason) for kind in sample.labels
                ]
    if not is_labelled:
        plain = [replace(each, name=each.name, label=None, part=None) for each in pictures]
        sifted = Sifted(root or shards[0], plain, set_aside, [], [], known_as=name)
        return read_every_picture(sifted, layout=how.layout)
    return DataSet(name, tuple(pictures), (), tuple(set_aside))


def _samples(shard: Path, below: str, set_aside: list[SetAside]) -> Mapping[str, _Sample]:
    """The archive's samples by their names, in order; `set_aside` takes what is no picture and no label."""
    found: dict[str, _Sample] = defaultdict(_Sample)
    seen: set[str] = set()
    for info, content in _files(shard):
        parts = [each for each in info.name.split("/") if each not in ("", ".")]
        if not all(each == ".." or is_read(each) for each in parts):
            continue
        name = "/".join(parts)
        reason = _reason_against(info, name, is_double=name in seen)
        if reason:
            set_aside.append(SetAside(picture=printable(below + name), reason=reason))
            continue
        seen.add(name)
        key = str(PurePosixPath(name).parent / parts[-1].split(".")[0])
        kind = name.rpartition(".")[2].lower()
        if kind in LABELS:
            found[key].labels[kind] = _class_in(kind, content)
        else:
            member = Member(shard, info.offset_data, info.size)
            found[key].pictures.append(Picture(printable(below + name), member=member))
    return found


def _files(shard: Path) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """Every file of an archive, and the content of what may say a class. Raises DataError where it is not whole."""
    where = printable(str(shard))
    try:
        size = shard.stat().st_size
        with tarfile.open(shard, "r:") as archive, shard.open("rb") as file:
            for info in archive:
                if info.isdir():
                    continue
                if info.isreg() and info.offset_data + info.size > size:
                    raise DataError(f"{where} ends in the midst of {printable(info.name)}: download or pack it anew")
                content = b""
                if info.isreg() and info.name.lower().endswith(LABELS) and info.size <= MOST_LABEL_BYTES:
                    file.seek(info.offset_data)
                    content = file.read(info.size)
                yield info, content
            file.seek(archive.offset)
            while rest := file.read(2**20):  # a damaged header ends the list in silence
                if rest.strip(b"\0"):
                    raise DataError(f"{where} is damaged, or goes on, after byte {archive.offset:,}: pack it anew")
    except _DAMAGED as error:
        raise DataError(
            f"{where} is no whole tar archive ({quoted(error)}): download or pack it anew; a compressed one must be "
            "decompressed first, so that each picture can be read by itself"
        ) from error
    except OSError as error:
        raise DataError(f"{where} cannot be read: {error.strerror or error}") from error


def _reason_against(info: tarfile.TarInfo, name: str, *, is_double: bool) -> str:
    """Why a member is neither a picture nor a label to be read; empty where it may be one."""
    suffix = PurePosixPath(name).suffix
    if ".." in name.split("/") or info.name.startswith("/"):
        return "has a name that leads out of the archive"
    if not info.isreg() or info.issparse():
        return "is a link, or no ordinary file"
    if is_double:
        return "has the name of another file in the archive"
    if suffix.lower() in PICTURE_SUFFIXES:
        return f"has more than the {MOST_BYTES // 2**20} MB that are read" if info.size > MOST_BYTES else ""
    if suffix[1:].lower() not in LABELS:
        return f"is not a picture file ({printable(suffix) or 'no suffix'})"
    return f"has more than the {MOST_LABEL_BYTES // 2**10} kB of a class" if info.size > MOST_LABEL_BYTES else ""


def _class_in(kind: str, content: bytes) -> str | None:
    """The class that a file gives; None where it gives none."""
    try:
        text = content.decode("utf-8-sig")
        if kind != "json":
            return class_of(text)
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    values = [value.get(key) for key in KEYS] if isinstance(value, dict) else [value]
    return next((found for found in map(class_of, values) if found), None)


def _part(shard: Path, root: Path | None) -> Part | None:
    """The part that an archive's name says, such as `train-0001.tar` or `test/0001.tar`; None where it says none."""
    said = shard.name if root is None else shard.relative_to(root).as_posix()
    parts = {PARTS[word] for word in re.split(r"[^a-z]+", said.lower()) if word in PARTS}
    return parts.pop() if len(parts) == 1 else None
