"""What a person decided on single pictures: the list that `audit` writes and she fills in, matched by content.

A row without anything in the column `do` decides nothing. `x` leaves the picture out; a class gives it that class. The
picture is known by the hash of its bytes, so it may be moved or renamed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eyespot.data.copies import HASH_BYTES
from eyespot.data.csv_lines import told
from eyespot.data.data_set import spelled_alike
from eyespot.data.written_lists import Entry, read_list
from eyespot.errors import DataError
from eyespot.names import brief, printable
from eyespot.words import nearest

COLUMNS = ("content_hash", "picture", "class", "why", "likelier_class", "do")
"""Of the list as it is written; read are those of `NEEDED`, and `why` where it is there."""
NEEDED = ("content_hash", "picture", "do")
LEAVE_OUT = "x"
_HASH = re.compile(f"[0-9a-f]{{{2 * HASH_BYTES}}}")


@dataclass(frozen=True)
class Suspect:
    """A picture that a person should look at: a row of the list."""

    content: str
    """The hash of its bytes."""
    picture: str
    label: str
    """Its class."""
    why: str
    likelier: str = ""
    """The class that it may be of instead; empty where none is likelier."""
    do: str = ""
    """What she decided in an earlier list; empty where she did not."""

    @property
    def cells(self) -> tuple[str, ...]:
        """In the order of `COLUMNS`."""
        return self.content, self.picture, self.label, self.why, self.likelier, self.do


@dataclass(frozen=True)
class Decision:
    """What is to be done with one picture."""

    content: str
    picture: str
    """Its name when the list was written; its hash where the list names none."""
    why: str
    do: str
    """`LEAVE_OUT`, or the class that it gets."""
    line: int

    @property
    def leaves_out(self) -> bool:
        return self.do == LEAVE_OUT


@dataclass(frozen=True)
class Decisions:
    """A list as a person filled it in."""

    where: str
    """The list's path, as errors and notes name it."""
    sha256: str
    """Of the file."""
    by_content: Mapping[str, Decision]
    """Only the pictures on which something was decided."""


def read_decisions(path: Path, *, classes: Sequence[str]) -> Decisions:
    """The list, understood. classes: those that the data have.

    Raises DataError, with the line, for a class that is none of them, for a hash that is none, and for two decisions on
    the same picture.
    """
    where = printable(str(path))
    by_content: dict[str, Decision] = {}
    for entry in read_list(path, needed=NEEDED, what="a list of decisions"):
        if not entry["do"]:
            continue
        decision = _decision(entry, classes, where)
        before = by_content.setdefault(decision.content, decision)
        if before.do != decision.do:
            raise DataError(
                f"lines {before.line} and {decision.line} of {where} are about the same picture, "
                f"{brief(decision.picture)}, and decide otherwise ({before.do!r} and {decision.do!r}): clear one"
            )
    with told(where), path.open("rb") as file:
        return Decisions(where, hashlib.file_digest(file, "sha256").hexdigest(), by_content)


def _decision(entry: Entry, classes: Sequence[str], where: str) -> Decision:
    content = entry["content_hash"].casefold()
    if not _HASH.fullmatch(content):
        raise DataError(
            f"line {entry.line} of {where} has the content_hash {brief(entry['content_hash'])!r}, and one has "
            f"{2 * HASH_BYTES} digits and letters from a to f: copy it anew, as text, from the list as it was written"
        )
    do = spelled_alike(printable(entry["do"]))
    if do not in classes and do.casefold() == LEAVE_OUT:
        do = LEAVE_OUT
    if do not in (LEAVE_OUT, *classes):
        raise DataError(
            f"line {entry.line} of {where} has {brief(do)!r} in the column do, which is no class of the data: "
            f"{nearest(do, classes, otherwise=_what_may_stand(classes))}"
        )
    return Decision(content, entry["picture"] or content, entry["why"], do, entry.line)


def _what_may_stand(classes: Sequence[str]) -> str:
    return f"write {LEAVE_OUT} to leave the picture out, a class such as {classes[0]!r}, or nothing"
