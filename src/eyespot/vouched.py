"""Files that carry a hash of all else in them: what a disk, a copy or a hand changed is not taken for what was written.

It finds damage, not intent: whoever changes such a file can change its hash, too.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import Any, NoReturn

KEY = "sha256"
"""The key under which JSON carries it."""
NO_HASH_YET = hashlib.sha256(b"the hash of this file will stand here").hexdigest()
"""What other files are hashed with in place of their hash."""
_HASH = re.compile("[0-9a-f]{64}")


class Changed(ValueError):
    """A file is not what was written."""


def read_json(data: bytes) -> Any:
    """What JSON in UTF-8 says; a float that is whole comes as a whole number.

    Raises ValueError for what two readers could understand in two ways: a key that is given twice, NaN, a number beyond
    all. RecursionError where it is nested too deeply.
    """
    return json.loads(
        data.decode("utf-8"), parse_float=_number, parse_constant=_no_number, object_pairs_hook=_each_once
    )


def hash_of(said: Mapping[str, Any]) -> str:
    """The SHA-256 of all that a JSON object says but its hash: whatever the order of its keys, its spaces, and how its
    numbers are written. said: as `read_json` gives it.
    """
    rest = {key: value for key, value in said.items() if key != KEY}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def require_unchanged(said: Mapping[str, Any]) -> None:
    """Raises Changed where a JSON object carries a hash that is not its own; one without any was written before."""
    if KEY in said and said[KEY] != hash_of(said):
        raise Changed(f"its {KEY} is that of other content")


def with_hash(data: bytes) -> bytes:
    """A file that holds `NO_HASH_YET`, once, with its hash in the place of that."""
    assert data.count(NO_HASH_YET.encode()) == 1
    return data.replace(NO_HASH_YET.encode(), hashlib.sha256(data).hexdigest().encode())


def is_hash_of(found: str, data: bytes) -> bool:
    """Whether that is the hash which `with_hash` wrote into the file."""
    at, view = data.find(found.encode()), memoryview(data)
    if at < 0 or not _HASH.fullmatch(found):
        return False
    digest = hashlib.sha256(view[:at])
    digest.update(NO_HASH_YET.encode())
    digest.update(view[at + len(found) :])
    return digest.hexdigest() == found


def _number(text: str) -> float | int:
    value = float(text)
    if not math.isfinite(value):
        _no_number(text)
    return int(value) if value.is_integer() else value


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]} is no number")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"it says {twice[:40]!r} twice")
    return found
