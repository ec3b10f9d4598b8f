"""Names of files and classes as any terminal, page and file can show them, and told apart."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress

_UNSEEN = {"Cc", "Cs", "Zl", "Zp"}
"""Unicode's categories of what commands a terminal, breaks a line, or is no character."""
MOST_BYTES = 200
"""Of the name of a file or folder that is made; systems take 255, and all of a path 260 letters on many Windows."""
MOST_LETTERS = 80
"""Of what a sentence quotes from a file."""
MOST_REASON = 200
"""Of what it quotes from a library's."""
_RESERVED = re.compile(r"con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]", re.IGNORECASE)
_TURNS_TEXT_ROUND = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""With these `gpj.exe` reads like a picture's name."""


def printable(name: str) -> str:
    """The name with what cannot or must not be shown written out: `\\xff` for a byte that is not UTF-8, `\\x1b`, `\\n`
    and the like for a control character, `\\u202e` for one that reverses the text."""
    if name.isascii() and name.isprintable():  # nearly all are, and lists name many
        return name
    with suppress(UnicodeEncodeError):  # it is no file's name
        name = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(each.encode("unicode_escape").decode("ascii") if _is_unseen(each) else each for each in name)


def brief(text: str, *, most: int = MOST_LETTERS) -> str:
    """The same of what may be of any length, as a cell of a table: its beginning, where it has more letters."""
    return printable(text) if len(text) <= most else f"{printable(text[:most])}..."


def quoted(error: Exception) -> str:
    """What a library says of a file that it cannot read, which may quote any number of its bytes."""
    return brief(str(error), most=MOST_REASON)


def printable_lines(text: str) -> str:
    """The same for a text of several lines."""
    return "\n".join(printable(line) for line in text.split("\n"))


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in _UNSEEN or character in _TURNS_TEXT_ROUND


def told_apart(names: Iterable[str]) -> Iterator[str]:
    """Each name, with the first of -2, -3 and so on that none before has, where one has it; `A` and `a` are the same,
    as they are in the folders of many systems."""
    taken: set[str] = set()
    numbers: Counter[str] = Counter()
    for name in names:
        apart = name
        while apart.casefold() in taken:
            numbers[name] += 1
            apart = f"{name}-{numbers[name] + 1}"
        taken.add(apart.casefold())
        yield apart


def as_typed(path: str) -> str:
    """The path as a command line on this system takes it: in quotes where it needs them."""
    if os.name == "nt":
        from subprocess import list2cmdline

        return list2cmdline([path])
    from shlex import quote

    return quote(path)


def as_file_name(name: str, *, otherwise: str = "_") -> str:
    """A name that a file or folder can have on any system, with room for an ending.

    otherwise: where nothing is left of it.
    """
    plain = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", name)
    plain = plain.encode("utf-8", "replace")[:MOST_BYTES].decode("utf-8", "ignore").strip(" .")
    return f"_{plain}" if is_reserved(plain) else plain or otherwise


def as_folder_name(name: str) -> str:
    """A data set's name as a folder's on any system."""
    return as_file_name(name, otherwise="run")


def is_reserved(name: str) -> bool:
    """True for what Windows takes for a device, whatever follows a dot: `con`, `NUL.txt`, `COM1`."""
    return _RESERVED.fullmatch(name.partition(".")[0].rstrip(" ")) is not None
