"""What can be said of the pictures before any is decoded: their content hashes, copies, contradictions."""

from __future__ import annotations

import hashlib
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

from eyespot.data.data_set import DataSet, Picture
from eyespot.data.levels import is_deep
from eyespot.data.remote import read_each
from eyespot.data.taken import Taken, taken
from eyespot.records import SetAside
from eyespot.words import some

HASH_BYTES = 16
CHUNK = 64
"""Pictures that one thread hashes in a row: handing over one at a time would cost as much as hashing it."""
IMBALANCE = 3.0
"""The largest class may be this many times the smallest before it is worth a note."""
FIRST_CLAIM = {"test": 0, "val": 1, "train": 2, None: 3}
"""Of identical files in several parts, the one in the part read last is kept: nothing tested is trained on."""


@dataclass(frozen=True)
class Hashed:
    """A picture with the hash of its bytes."""

    picture: Picture
    content: str
    deep: bool = False
    """Whether it has more than 8 bits a pixel."""
    taken: Taken | None = None
    """When and by which camera, where its file says so."""


def content_hash(data: bytes) -> str:
    """The hash that stands for a picture wherever it lies and whatever its name: blake2b, hexadecimal."""
    return hashlib.blake2b(data, digest_size=HASH_BYTES).hexdigest()


def hash_pictures(
    pictures: Sequence[Picture], *, threads: int, progress: Callable[[int], None] = lambda done: None
) -> tuple[list[Hashed], list[SetAside]]:
    """Every picture with its content hash, in order, and those whose file cannot be read."""
    hashed: list[Hashed] = []
    set_aside: list[SetAside] = []
    chunks = [pictures[start : start + CHUNK] for start in range(0, len(pictures), CHUNK)]
    stopped = threading.Event()

    def hash_chunk(chunk: Sequence[Picture]) -> list[Hashed | SetAside]:
        return [] if stopped.is_set() else [*map(_hashed, chunk, read_each(chunk))]

    with ThreadPoolExecutor(threads) as pool:
        try:
            results = chain.from_iterable(pool.map(hash_chunk, chunks))
            for done, result in enumerate(results, start=1):
                if isinstance(result, SetAside):
                    set_aside.append(result)
                else:
                    hashed.append(result)
                progress(done)
        finally:
            stopped.set()  # after Ctrl-C the chunks still waiting are not read
    return hashed, set_aside


def without_copies(hashed: Sequence[Hashed]) -> tuple[list[Hashed], list[SetAside]]:
    """Each content once, and the copies set aside; contents that stand in two classes are set aside altogether.

    Of identical files in train, val and test, the one in test is kept, then the one in val.
    """
    groups: dict[str, list[Hashed]] = defaultdict(list)
    for each in hashed:
        groups[each.content].append(each)
    set_aside: dict[str, SetAside] = {}
    for group in groups.values():
        if len(group) > 1:
            set_aside |= {each.picture: each for each in _judge_copies(group)}
    return [each for each in hashed if each.picture.name not in set_aside], list(set_aside.values())


def notes_on_counts(counts: dict[str, int]) -> Iterator[str]:
    """Sentences on classes with no picture or one, and on imbalance.

    counts: pictures per class, of the part that is trained on.
    """
    none, one = ([repr(name) for name, count in counts.items() if count == few] for few in (0, 1))
    if len(none) == 1:
        yield f"class {none[0]} has no picture left to train on, so it is never answered: see what was set aside"
    elif none:
        yield (
            f"the classes {some(none)} have no picture left to train on, so they are never answered: see what was set "
            "aside"
        )
    if len(one) == 1:
        yield f"class {one[0]} has one picture to train on: add more, nothing can be learned or tested from one"
    elif one:
        yield (
            f"the classes {some(one)} have one picture to train on each: add more, nothing can be learned or tested "
            "from one"
        )
    present = {name: count for name, count in counts.items() if count}
    if present and is_unbalanced(list(present.values())):
        most, least = max(present, key=present.__getitem__), min(present, key=present.__getitem__)
        yield (
            f"the classes are unbalanced: {most!r} has {present[most]} pictures to train on, {least!r} has "
            f"{present[least]}; where a head is fitted each weighs the same, unless --class-weight none is given"
        )


def is_unbalanced(counts: Sequence[int]) -> bool:
    """True where one class has over three times the pictures of another.

    counts: pictures per class; classes without any do not count.
    """
    present = [count for count in counts if count]
    return bool(present) and max(present) > IMBALANCE * min(present)


def mirror_matters(classes: Sequence[str]) -> bool:
    """True where a mirror image may be another class: digits, single letters, names that say left or right."""
    words = {word for name in classes for word in re.split(r"[\W_]+", name.casefold())}
    signs = sum(len(name) == 1 or name.isdecimal() for name in classes)
    return 2 * signs > len(classes) or {"left", "right"} <= words


def data_fingerprint(data_set: DataSet, hashed: Sequence[Hashed], *, left_out: Sequence[Hashed] = ()) -> str:
    """A hash of what the data set is: every content with its class and part, whatever the files are called.

    left_out: pictures that are there, and that a person does not want to be used.
    """
    lines = sorted(f"{each.content} {each.picture.label} {each.picture.part}" for each in hashed)
    lines += sorted(f"{each.content} left out" for each in left_out)
    return content_hash("\n".join([*data_set.classes, *lines]).encode())


def _hashed(picture: Picture, data: bytes | OSError) -> Hashed | SetAside:
    if isinstance(data, OSError):
        return SetAside(picture=picture.name, reason=f"cannot be read: {data.strerror or data}")
    return Hashed(picture, content_hash(data), is_deep(data), taken(data))


def _judge_copies(group: Sequence[Hashed]) -> Iterator[SetAside]:
    labels = sorted({str(each.picture.label) for each in group})
    if len(labels) > 1:
        count, where = {2: "two"}.get(len(labels), len(labels)), " and ".join(repr(label) for label in labels)
        for each in group:
            yield SetAside(picture=each.picture.name, reason=f"the same picture has {count} labels, {where}: keep one")
        return
    kept = min(group, key=lambda each: FIRST_CLAIM[each.picture.part])
    for each in group:
        if each is not kept:
            yield SetAside(picture=each.picture.name, reason=f"is a copy of {kept.picture.name}")
