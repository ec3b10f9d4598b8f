"""Pictures in a ZIP archive, read where they are: nothing is unpacked to disk, and no more than a picture to memory."""

from __future__ import annotations

import errno
import re
import stat
import struct
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from eyespot.data.data_set import MOST_BYTES, Picture
from eyespot.data.formats import PICTURE_SUFFIXES
from eyespot.data.sifting import Sifted, is_read
from eyespot.errors import DataError
from eyespot.names import printable, quoted
from eyespot.records import SetAside
from eyespot.words import counted

if TYPE_CHECKING:
    from eyespot.data.remote import RemoteFile

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdError
else:

    class ZstdError(Exception):
        """What no zipfile of before raises."""


try:
    from lzma import LZMAError
except ImportError:  # of a Python that was built without it, which cannot read such members either

    class LZMAError(Exception):  # type: ignore[no-redef]
        """What nothing raises there."""


SUFFIX = ".zip"
MOST_MEMBERS = 2_000_000
MOST_UNPACKED = 2**40
"""Bytes of all members together."""
MOST_PACKED = 200
"""Bytes that one byte of the archive may stand for, on the whole: pictures hardly pack at all."""
SMALL = 2**30
"""Bytes of all members up to which an archive may pack as well as it can: empty bitmaps do."""
_BOXES = re.compile(
    r"(^|/)(labels/(.*/)?[^/]+\.txt|data\.ya?ml|_annotations\.coco\.json|instances_[^/]*\.json|annotations/[^/]+\.xml)$",
    re.IGNORECASE,
)
_LISTS = (".csv", ".tsv", ".jsonl", ".parquet", "-ubyte", "-ubyte.gz")
_UTF8, _ENCRYPTED = 0x800, 0x1
"""Flags of a member (PKWARE's APPNOTE, 4.4.4): its name is UTF-8; its content is encrypted."""
_DAMAGED = (
    *(zipfile.BadZipFile, struct.error, EOFError, ValueError, MemoryError),
    *(zlib.error, LZMAError, ZstdError),  # bz2 raises OSError
    *(RuntimeError, NotImplementedError),  # encrypted, or packed in a way that zipfile does not know
)
"""All that zipfile raises of an archive, beside OSError. MemoryError: of a dictionary larger than the memory."""


@dataclass(frozen=True, eq=False)
class Member:
    """One file of an archive that is open."""

    archive: zipfile.ZipFile
    info: zipfile.ZipInfo

    def read(self) -> bytes:
        """Its content. OSError where it is damaged or has more than `MOST_BYTES`; any number of threads may call it."""
        try:
            with self.archive.open(self.info) as file:
                data = file.read(MOST_BYTES + 1)  # what the archive says of its size may be wrong
        except _DAMAGED as error:
            raise OSError(
                errno.EIO, f"it is damaged in the archive, or packed in an unknown way ({quoted(error)})"
            ) from error
        if len(data) > MOST_BYTES:
            raise OSError(errno.EFBIG, f"it has more than the {MOST_BYTES // 2**20} MB that are read")
        return data


def is_zip(path: Path) -> bool:
    return path.suffix.lower() == SUFFIX and path.is_file()


def sift_zip(path: Path, behind: RemoteFile | None = None) -> Sifted:
    """Files in an archive that may be pictures, and what else lies there, as `sift` tells it of a folder.

    behind: the archive where it lies behind an address, which is then the path.
    Raises DataError for what is no whole archive, and for one that unpacks to more than any pictures do.
    """
    where = printable(str(behind or path))
    try:
        archive = zipfile.ZipFile(behind.open("rb") if behind else path)
    except _DAMAGED as error:
        raise DataError(f"{where} is no whole ZIP archive ({quoted(error)}): download or pack it anew") from error
    except OSError as error:
        raise DataError(f"{where} cannot be read: {error.strerror or error}") from error
    infos = [info for info in archive.infolist() if not info.filename.endswith(("/", "\\"))]
    _require_believable(infos, behind.size if behind else path.stat().st_size, where)
    names, notes = _names(infos)
    sifted = Sifted(
        path, [], [], [], [], known_as=printable(path.stem), remarks=tuple(notes), address=str(behind or "")
    )
    of_name = Counter(names)
    for info, name in zip(infos, names, strict=True):
        if not all(part == ".." or is_read(part) for part in name.split("/")):
            continue
        reason = _reason_against(info, name, is_double=of_name[name] > 1)
        if not reason:
            sifted.pictures.append(Picture(printable(name), member=Member(archive, info)))
            continue
        sifted.set_aside.append(SetAside(picture=printable(name), reason=reason))
        if PurePosixPath(name).suffix.lower() not in PICTURE_SUFFIXES:
            sifted.others.append(str(path / name))
    sifted.pictures.sort(key=lambda picture: picture.name)
    return sifted


def require_class_folders(sifted: Sifted, *, instead: str = "unpack it") -> None:
    """Raises DataError for an archive in which something else than folders says what pictures show.

    instead: what to do so that it can be read.
    """
    where, held = sifted.where, [sifted.below(each) for each in sifted.others]
    boxes = next(filter(_BOXES.search, held), None)
    if boxes:
        raise DataError(f"{where} holds boxes ({boxes}), which are read from folders: {instead}")
    lists = [each for each in held if each.lower().endswith(_LISTS)]
    if lists and not any("/" in each.name for each in sifted.pictures):
        raise DataError(f"{where} holds a list ({lists[0]}), which is read from folders: {instead}")


def _require_believable(infos: Sequence[zipfile.ZipInfo], on_disk: int, where: str) -> None:
    """Raises DataError for an archive that is made to fill a disk or a memory. on_disk: its bytes."""
    what = ""
    packed, unpacked = (sum(getattr(info, size) for info in infos) for size in ("compress_size", "file_size"))
    if len(infos) > MOST_MEMBERS:
        what = f"holds {counted(len(infos), 'file')}, more than the {MOST_MEMBERS:,} that are read"
    elif unpacked > MOST_UNPACKED or (unpacked > SMALL and unpacked > MOST_PACKED * on_disk):
        what = f"unpacks from {on_disk / 1e6:,.1f} MB to {unpacked / 1e9:,.1f} GB, which pictures do not"
    elif packed > on_disk:
        what = "has files that lie over each other"
    if what:
        raise DataError(f"{where} {what}: pack the pictures anew")


def _reason_against(info: zipfile.ZipInfo, name: str, *, is_double: bool) -> str:
    """Why a member is no picture to be read; empty where it may be one."""
    suffix = PurePosixPath(name).suffix
    if ".." in name.split("/"):
        return "has a name that leads out of the archive"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "is a link"
    if suffix.lower() not in PICTURE_SUFFIXES:
        return f"is not a picture file ({printable(suffix) or 'no suffix'})"
    if is_double:
        return "has the name of another file in the archive"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted: pack it without a password"
    if info.file_size > MOST_BYTES:
        return f"has more than the {MOST_BYTES // 2**20} MB that are read"
    return ""


def _names(infos: Sequence[zipfile.ZipInfo]) -> tuple[list[str], list[str]]:
    """The members' names with '/', and notes on those that may be spelled otherwise.

    Programs write UTF-8 without saying so; others write what their system had, of which nothing tells.
    """
    old = [info.filename for info in infos if not info.flag_bits & _UTF8 and not info.filename.isascii()]
    try:
        spelled = {name: name.encode("cp437").decode("utf-8") for name in old}
    except UnicodeError:
        spelled = {}
    parts = [spelled.get(info.filename, info.filename).replace("\\", "/").split("/") for info in infos]
    names = ["/".join(each for each in name if each not in ("", ".")) for name in parts]
    note = f"{counted(len(old), 'name')} in the archive may look wrong: nothing says in which encoding they are"
    return names, [note] if len(spelled) < len({*old}) else []
