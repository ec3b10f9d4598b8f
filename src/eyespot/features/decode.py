"""Pictures decoded by several threads, in order, a little ahead of whoever uses them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import numpy as np

from eyespot.data.audit import content_hash
from eyespot.data.data_set import Picture
from eyespot.data.pictures import read_image
from eyespot.errors import UnreadablePicture
from eyespot.records import Preprocess

T = TypeVar("T")
S = TypeVar("S")


def decode_pictures(
    pictures: Sequence[tuple[Picture, str | None]], preprocess: Preprocess, *, threads: int, ahead: int
) -> Iterator[np.ndarray | str]:
    """Each picture as an image (H, W, C), or the reason why it has none, in order.

    pictures: each with the content hash that its file must still have, or None.
    ahead: images that may wait to be taken; bounds the memory.
    """
    with ThreadPoolExecutor(threads) as pool:
        yield from _in_order(pool, lambda each: decode_or_reason(*each, preprocess), pictures, ahead=ahead)


def decode_or_reason(picture: Picture, content: str | None, preprocess: Preprocess) -> np.ndarray | str:
    """The picture as an image (H, W, C), or why it has none. A file that changed since it was hashed has none."""
    try:
        data = picture.read()
        if content is not None and content_hash(data) != content:
            return "changed on disk while it was being read: run again"
        return read_image(data, preprocess)
    except UnreadablePicture as error:
        return error.reason
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"


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
