"""Which columns of a table name the picture, its class and its part: what the person says, else what is well known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from eyespot.data.data_set import LISTS
from eyespot.errors import DataError
from eyespot.names import brief
from eyespot.words import some


@dataclass(frozen=True)
class Column:
    """What a column is for, the option that names it, and its usual names: the first group with any decides."""

    holds: str
    option: str
    names: tuple[frozenset[str], ...]
    usual: str


@lru_cache(maxsize=4096)
def _plain(name: str) -> str:
    """Only letters and digits, in lower case; `labels` is `label`."""
    letters = re.sub(r"[\W_]+", "", name.casefold())
    return letters.removesuffix("s") if len(letters) > 3 else letters


def _column(holds: str, option: str, *groups: str) -> Column:
    usual = " or ".join(groups[0].split())
    return Column(holds, option, tuple(frozenset(map(_plain, group.split())) for group in groups), usual)


IMAGE = _column(
    "the pictures",
    "--image-column",
    "image_path file_name",
    "image img picture pic photo file path filepath imagepath imgpath picturepath photopath imagename imgname "
    "imagefile filename fname bild datei dateiname archivo fichier 文件名 图片",
    "imageid imgid pictureid photoid id name uuid",
)
LABEL = _column(
    "the classes",
    "--label-column",
    "label",
    "class classes category categories target classname labelname labeltext categoryname klasse kategorie classe clase "
    "categoria etiqueta 类别 标签",
    "species breed variety diagnosis dx type y",
    "labelid classid categoryid targetid classidx labelidx",
)
SPLIT = _column("the parts", "--split-column", "split", "subset set dataset partition part")


def choose(column: Column, names: Sequence[str], *, wanted: str | None, where: str) -> int | None:
    """Which of the columns called `names` it is, or None.

    wanted: the name that the person gives, if any.
    Raises DataError where that is not there, or where several could be meant.
    """
    if wanted is not None:
        found = [at for at, name in enumerate(names) if name == wanted]
        found = found or [at for at, name in enumerate(names) if _plain(name) == _plain(wanted)]
        if len(found) != 1:
            count = "no column" if not found else f"{len(found)} columns"
            raise DataError(f"{where} has {count} {wanted!r}: there are {shown(names)}; {column.option} names one")
        return found[0]
    exact = [at for at, name in enumerate(names) if name.strip().casefold() in column.usual.split(" or ")]
    plain = [_plain(name) for name in names]
    for found in (exact, *([at for at, name in enumerate(plain) if name in group] for group in column.names)):
        if len(found) == 1:
            return found[0]
        if found:
            several = some([repr(brief(names[at])) for at in found])
            raise DataError(
                f"the columns of {where} are {shown(names)}, and {several} may hold {column.holds}: say which with "
                f"{column.option}; {LISTS}"
            )
    return None


def shown(names: Sequence[str]) -> str:
    """Some columns as an error names them."""
    return ", ".join(repr(brief(name)) for name in names[:8]) + (" ..." if len(names) > 8 else "") or "none"
