"""Pictures decoded by several threads, in order, a little ahead of whoever uses them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from itertools import chain, islice, takewhile
from typing import TypeVar

import numpy as np

from eyespot import machine
from eyespot.data.copies import content_hash
from eyespot.data.data_set import Picture
from eyespot.data.pictures import read_as_they_are, read_images
from eyespot.data.remote import read_each
from eyespot.errors import UnreadablePicture
from eyespot.records import Preprocess

T = TypeVar("T")
S = TypeVar("S")


CHUNK = 128
"""Pictures that one thread decodes in a row, at most: handing over one at a time may cost more than decoding it."""
MOST_WHOLE = 16
"""Pictures as they are that may wait, whatever is asked for: one of 12 megapixels takes 36 MB."""
MOST_HELD_BYTES = 2**20
"""Files that a thread holds at a time: many digits or a photo."""
SMALL_BYTES = 2**12
"""Below this many bytes a picture, Python's work around each is most of it, and that only one thread can do at a time;
two would hand Python over to each other many times a picture, and take half as long again as one."""


Read = Callable[[Sequence[bytes], Preprocess], Iterator[T | UnreadablePicture]]
"""What becomes of files, in order, or the error that each raises."""


def decode_pictures(
    pictures: Sequence[tuple[Picture, str | None]],
    preprocess: Preprocess,
    reasons: dict[int, str],
    *,
    ahead: int,
    threads: int | None = None,
    resized: bool = True,
) -> Generator[tuple[int, np.ndarray], None, None]:
    """The number of each picture that can be read, and its image (H, W, C), in order.

    pictures: each with the content hash that its file must still have, or None.
    reasons: takes the numbers of the others, and why they have no image.
    ahead: images that may wait to be taken; bounds the memory. threads: that decode; None for one a core.
    resized: False for a graph that resizes pictures itself, and so takes them as they are; at most `MOST_WHOLE` wait.
    """
    read: Read[np.ndarray] = read_images if resized else read_as_they_are
    ahead = ahead if resized else min(ahead, MOST_WHOLE)
    return decode_with(read, pictures, preprocess, reasons, ahead=ahead, threads=threads)


def decode_with(
    read: Read[T],
    pictures: Sequence[tuple[Picture, str | None]],
    preprocess: Preprocess,
    reasons: dict[int, str],
    *,
    ahead: int,
    threads: int | None = None,
) -> Generator[tuple[int, T], None, None]:
    """The number of each picture that can be read, and what `read` makes of it, in order. See `decode_pictures`."""
    threads = threads or machine.cores()
    most = max(1, min(CHUNK, ahead // (2 * threads)))
    stopped, alone = threading.Event(), threading.Lock()

    def decode(chunk: Sequence[tuple[Picture, str | None]]) -> list[T | str]:
        images: list[T | str] = []
        for files in _read_some(chunk):
            with alone if _are_small(files) else nullcontext():
                images += takewhile(lambda _: not stopped.is_set(), _decode(read, files, preprocess))
            if stopped.is_set():
                break
        return images

    with ThreadPoolExecutor(threads) as pool:
        try:
            chunks = _chunks(pictures, most=most, threads=threads)
            results = _in_order(pool, decode, chunks, ahead=max(1, ahead // most - 1))
            yield from _readable(chain.from_iterable(results), reasons)
        finally:
            stopped.set()  # nobody takes what is still being decoded


def _readable(images: Iterable[T | str], reasons: dict[int, str]) -> Iterator[tuple[int, T]]:
    for number, image in enumerate(images):
        if isinstance(image, str):
            reasons[number] = image
        else:
            yield number, image


def _decode(read: Read[T], files: Sequence[bytes | str], preprocess: Preprocess) -> Iterator[T | str]:
    """The image of each file, or why it has none, which may be known already."""
    images = read([data for data in files if isinstance(data, bytes)], preprocess)
    for data in files:
        image = next(images) if isinstance(data, bytes) else data
        yield image.reason if isinstance(image, UnreadablePicture) else image


def _read_some(chunk: Sequence[tuple[Picture, str | None]]) -> Iterator[list[bytes | str]]:
    """The files of a chunk, as many at a time as may be held; in place of one that has no image, why."""
    files: list[bytes | str] = []
    held = 0
    for (_, content), data in zip(chunk, read_each([picture for picture, _ in chunk]), strict=True):
        files.append(_checked(data, content))
        held += len(files[-1])
        if held >= MOST_HELD_BYTES:
            yield files
            files, held = [], 0
    yield files


def _are_small(files: Sequence[bytes | str]) -> bool:
    return sum(map(len, files)) < SMALL_BYTES * len(files)


def _checked(data: bytes | OSError, content: str | None) -> bytes | str:
    """The picture's bytes, or why it has none."""
    if isinstance(data, OSError):
        return f"cannot be read: {data.strerror or data}"
    if content is not None and content_hash(data) != content:
        return "changed on disk while it was being read: run again"
    return data


def _chunks(items: Sequence[T], *, most: int, threads: int) -> Iterator[Sequence[T]]:
    """The items in rows, ever shorter towards the end, so that no thread has much to do when the others are done."""
    start = 0
    while start < len(items):
        stop = start + max(1, min(most, (len(items) - start) // (4 * threads)))
        yield items[start:stop]
        start = stop


def _in_order(pool: ThreadPoolExecutor, work: Callable[[S], T], items: Iterable[S], *, ahead: int) -> Iterator[T]:
    """The results of `work` on every item, in order, at most `ahead` of them waiting to be taken."""
    source = iter(items)
    waiting: deque[Future[T]] = deque(pool.submit(work, item) for item in islice(source, ahead))
    try:
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(pool.submit(work, item) for item in islice(source, 1))
            yield result
    finally:
        for future in waiting:
            future.cancel()
