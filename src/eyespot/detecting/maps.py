"""The trunk's maps of every view of every picture: computed once, kept in the store, read in any order while training.

A map is kept in 8 bits, each channel of a view with its own scale: half the room of 16 bits, with an error of at most a
254th of the channel's largest value, which is far below what one view differs from the next.
"""

from __future__ import annotations

import math
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image

from eyespot.data.boxes.records import BoxedPicture
from eyespot.data.pictures import decoder_version
from eyespot.data.store import Store
from eyespot.data.store_values import key_of
from eyespot.detecting.windows import VERSION, Window, drawn_window, seen_through
from eyespot.engine.run import engine_version, in_batches
from eyespot.errors import MachineError, StoreError
from eyespot.features.decode import decode_pictures
from eyespot.features.trunk import Trunk
from eyespot.records import SetAside

Shapes = Mapping[str, tuple[int, ...]]
AHEAD = 8
"""Pictures decoded ahead of the engine."""
READ_AT_ONCE = 16
"""Rows that are read from the store at a time: some megabytes."""
COMMIT = 32
"""Rows written to the store at a time."""
_LARGEST = 127


class MapFile:
    """Rows of maps in a nameless file, read in any order without standing in memory; gone with the process."""

    def __init__(self, shapes: Shapes, rows: int, folder: Path) -> None:
        """shapes: of each map of a row, (h, w, C). folder: where there is room on disk."""
        self.shapes = dict(shapes)
        self.row_bytes = sum(math.prod(shape) + 4 * shape[-1] for shape in shapes.values())
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - open as long as it is needed
            self._file.truncate(rows * self.row_bytes)
        except OSError as error:
            raise MachineError(
                f"the maps of {rows} views need {rows * self.row_bytes / 1e9:.1f} GB in {folder}, where no such file "
                f"can be made ({error.strerror}): make room there, or take fewer views"
            ) from error

    def close(self) -> None:
        """Gives the room back."""
        self._file.close()

    def write(self, number: int, row: np.ndarray) -> None:
        """row: as `packed` makes it."""
        with self._lock:
            self._file.seek(number * self.row_bytes)
            self._file.write(row.data)

    def read(self, numbers: Sequence[int]) -> list[np.ndarray]:
        """The maps of some rows, each float32 (n, h, w, C)."""
        return list(unpacked(self._rows(numbers), self.shapes))

    def move(self, number: int, to: int) -> None:
        """Writes one row over another."""
        self.write(to, self._rows([number])[0])

    def _rows(self, numbers: Sequence[int]) -> np.ndarray:
        rows = np.empty((len(numbers), self.row_bytes), np.uint8)
        for row, number in zip(rows, numbers, strict=True):
            with self._lock:
                self._file.seek(number * self.row_bytes)
                row[:] = np.frombuffer(self._file.read(self.row_bytes), np.uint8)
        return rows


def packed(maps: Mapping[str, np.ndarray]) -> np.ndarray:
    """The maps of a view, each (h, w, C), as one row of bytes: of each its scales, then its values."""
    pieces = []
    for values in maps.values():
        scale = np.maximum(np.abs(values).max((0, 1)), np.float32(1e-12)) / np.float32(_LARGEST)  # (C,)
        pieces += [scale.astype("<f4").view(np.uint8), np.rint(values / scale).astype(np.int8).ravel().view(np.uint8)]
    return np.concatenate(pieces)


def unpacked(rows: np.ndarray, shapes: Shapes) -> Iterator[np.ndarray]:
    """The maps of some rows (n, bytes), each float32 (n, h, w, C)."""
    start = 0
    for shape in shapes.values():
        scales, end = start + 4 * shape[-1], start + 4 * shape[-1] + math.prod(shape)
        scale = np.ascontiguousarray(rows[:, start:scales]).view("<f4")[:, None, None]  # (n, 1, 1, C)
        values = rows[:, scales:end].view(np.int8).reshape(-1, *shape)
        yield np.multiply(values, scale, dtype=np.float32)
        start = end


@dataclass(frozen=True)
class Mapped:
    """Pictures whose maps can be read, and the views of each."""

    pictures: list[BoxedPicture]
    views: int
    """Of each picture."""
    file: MapFile
    """Row i of it is view i % views of picture i // views."""
    set_aside: list[SetAside]
    computed: int
    """Views that were computed now; the others came from the store."""
    notes: list[str]

    def window(self, row: int, image_hw: tuple[int, int]) -> tuple[BoxedPicture, Window]:
        """The picture of a row, and the window through which it is seen."""
        each = self.pictures[row // self.views]
        return each, drawn_window(
            each.content, row % self.views, width=each.width, height=each.height, image_hw=image_hw
        )


def maps_of(
    trunk: Trunk,
    pictures: Sequence[BoxedPicture],
    *,
    views: int,
    store: Store | None,
    folder: Path,
    progress: Callable[[int, int], None],
) -> Mapped:
    """The maps of that many views of every picture that can be decoded; those in the store are not computed.

    trunk: its outputs are the maps, each (N, h, w, C). folder: where there is room on disk for all of them.
    progress: told views done and views in all.
    """
    work = _Work(trunk, pictures, views, store, folder, progress)
    missing = work.take_stored()
    reasons = work.compute(missing)
    readable = [number for number in range(len(pictures)) if number not in reasons]
    if reasons:
        work.close_up(readable)
    return Mapped(
        pictures=[pictures[number] for number in readable],
        views=views,
        file=work.file,
        set_aside=[SetAside(picture=pictures[number].picture.name, reason=why) for number, why in reasons.items()],
        computed=sum(map(len, missing.values())) - views * len(reasons),
        notes=work.notes,
    )


class _Work:
    """What is being mapped, and how far it is."""

    def __init__(
        self,
        trunk: Trunk,
        pictures: Sequence[BoxedPicture],
        views: int,
        store: Store | None,
        folder: Path,
        progress: Callable[[int, int], None],
    ) -> None:
        self._trunk, self._pictures, self._views, self._store = trunk, pictures, views, store
        self._progress, self._done = progress, 0
        self.notes: list[str] = []
        self.file = MapFile(map_shapes(trunk), len(pictures) * views, folder)
        self._keys = MapKeys.of(trunk)
        self._waiting: dict[str, np.ndarray] = {}

    def take_stored(self) -> dict[int, list[int]]:
        """Takes the rows that the store has; the views of each picture that it has not, by the picture's number."""
        wanted = list(product(range(len(self._pictures)), range(self._views)))
        missing: dict[int, list[int]] = {}
        for start in range(0, len(wanted), READ_AT_ONCE):
            some = wanted[start : start + READ_AT_ONCE]
            keys = [self._key(*each) for each in some]
            found = self._found(keys)
            for (number, view), key in zip(some, keys, strict=True):
                row = found.get(key)
                if row is None or row.nbytes != self.file.row_bytes:
                    missing.setdefault(number, []).append(view)
                else:
                    self._take(number, view, row)
        return missing

    def compute(self, missing: Mapping[int, list[int]]) -> dict[int, str]:
        """Computes the others; why some pictures have none, by their numbers."""
        numbers = list(missing)
        reasons: dict[int, str] = {}
        batches = in_batches(self._images(missing, numbers, reasons), self._trunk.engine.batch)
        for tags, outputs in self._trunk.engine.stream(batches):
            for place, (number, view) in enumerate(tags):
                row = packed({name: outputs[name][place] for name in self.file.shapes})
                self._take(number, view, row)
                self._keep(self._key(number, view), row)
        self._flush()
        return {numbers[at]: why for at, why in reasons.items()}

    def close_up(self, readable: Sequence[int]) -> None:
        """Moves the rows of these pictures to the front of the file."""
        for place, number in enumerate(readable):
            for view in range(self._views if place != number else 0):
                self.file.move(number * self._views + view, to=place * self._views + view)

    def _images(
        self, missing: Mapping[int, list[int]], numbers: Sequence[int], reasons: dict[int, str]
    ) -> Iterator[tuple[tuple[int, int], np.ndarray]]:
        preprocess = self._trunk.preprocess
        asked = [(self._pictures[number].picture, self._pictures[number].content) for number in numbers]
        for at, pixels in decode_pictures(asked, preprocess, reasons, ahead=AHEAD, resized=False):
            number = numbers[at]
            each, picture = self._pictures[number], _as_picture(pixels)
            for view in missing[number]:
                window = drawn_window(
                    each.content, view, width=each.width, height=each.height, image_hw=preprocess.crop_hw
                )
                reduced = window.on(picture.width / each.width, picture.height / each.height)
                yield (number, view), seen_through(reduced, picture, preprocess)

    def _key(self, number: int, view: int) -> str:
        return self._keys.of_view(self._pictures[number].content, view)

    def _take(self, number: int, view: int, row: np.ndarray) -> None:
        self.file.write(number * self._views + view, row)
        self._done += 1
        self._progress(self._done, len(self._pictures) * self._views)

    def _found(self, keys: Sequence[str]) -> Mapping[str, np.ndarray]:
        try:
            return self._store.get(keys) if self._store else {}
        except StoreError as error:
            return self._without_store(error)

    def _keep(self, key: str, row: np.ndarray) -> None:
        self._waiting[key] = row
        if len(self._waiting) >= COMMIT:
            self._flush()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, {}
        try:
            if self._store:
                self._store.put(waiting)
        except StoreError as error:
            self._without_store(error)

    def _without_store(self, error: StoreError) -> dict[str, np.ndarray]:
        self._store = None
        self.notes.append(f"the views' maps are not kept for the next run: {error}")
        return {}


@dataclass(frozen=True)
class MapKeys:
    """Keys under which the store has the maps of one trunk."""

    shared: str

    @classmethod
    def of(cls, trunk: Trunk) -> MapKeys:
        return cls(
            key_of(
                kind="maps",
                preprocess=trunk.preprocess,
                trunk=trunk.fingerprint,
                precision=trunk.precision,
                engine=engine_version(),
                decoder=decoder_version(),
                windows=VERSION,
            )
        )

    def of_view(self, content: str, view: int) -> str:
        return f"{self.shared}-{content}-{view}"


def map_shapes(trunk: Trunk) -> Shapes:
    """The shape of each map of a view, (h, w, C), the finest first. Compiles the trunk."""
    shapes = trunk.engine.row_shapes
    return dict(sorted(shapes.items(), key=lambda each: -each[1][0]))


def _as_picture(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0])
