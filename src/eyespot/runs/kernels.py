"""`kernels.npz` in a run's folder: the kernels of the first convolution before training and after its epochs.

It is a file of numpy, read without pickle: nothing in it is ever executed.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eyespot.errors import DataError
from eyespot.files import write_whole

KERNELS = "kernels.npz"
VERSION = 1
"""Of the file; a newer one is refused."""
MOST_BYTES = 8_000_000
"""Of all kernels together: of larger ones, fewer epochs are kept."""
_LARGEST_FILE = 16 * 2**20


@dataclass(frozen=True)
class KernelHistory:
    """The kernels of one convolution, epoch by epoch."""

    layer: str
    """Its name in the network."""
    epochs: tuple[int, ...]
    """Their numbers, rising; 0 is before training."""
    kernels: NDArray[np.float32]
    """(epochs, maps, input maps of each, height, width)."""

    def up_to(self, epoch: int) -> KernelHistory:
        """The same without later epochs."""
        count = sum(each <= epoch for each in self.epochs)
        return KernelHistory(self.layer, self.epochs[:count], self.kernels[:count])

    def with_epoch(self, epoch: int, kernels: NDArray[np.float32]) -> KernelHistory:
        """The same with the kernels (maps, input maps of each, height, width) after an epoch; later ones go."""
        before = self.up_to(epoch - 1)
        return KernelHistory(self.layer, (*before.epochs, epoch), np.concatenate([before.kernels, kernels[None]]))


def kept_every(kernel_bytes: int, epochs: float) -> int:
    """Of so many epochs each that is a multiple of this is kept: of small kernels every one.

    kernel_bytes: of the kernels after one epoch.
    """
    return max(1, -(-kernel_bytes * int(np.ceil(epochs)) // MOST_BYTES))


def write_kernels(folder: Path, history: KernelHistory) -> None:
    """Writes the file, whole or not at all; of the same kernels always the same bytes. OSError."""
    file = io.BytesIO()
    np.savez(
        file,
        version=np.array(VERSION),
        layer=np.array(history.layer),
        epochs=np.array(history.epochs, np.int64),
        kernels=np.ascontiguousarray(history.kernels, np.float32),
    )
    write_whole(folder / KERNELS, file.getvalue())


def read_kernels(folder: Path) -> KernelHistory | None:
    """What the file in the run's folder holds; None where there is none.

    Raises DataError for one that cannot be read, is damaged, or was written by a newer version.
    """
    path = folder / KERNELS
    if not path.is_file():
        return None
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise DataError(f"{KERNELS} has more than {_LARGEST_FILE / 2**20:.0f} MB, which no run writes")
        data = path.read_bytes()
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            if sum(each.file_size for each in file.infolist()) > _LARGEST_FILE:
                raise DataError(f"{KERNELS} unpacks to more than {_LARGEST_FILE / 2**20:.0f} MB, which no run writes")
        with np.load(io.BytesIO(data), allow_pickle=False) as held:
            version, layer = int(held["version"]), str(held["layer"])
            epochs, kernels = held["epochs"], held["kernels"]
    except OSError as error:
        raise DataError(f"{KERNELS} cannot be read ({error.strerror or error})") from error
    except (ValueError, KeyError, TypeError, EOFError, MemoryError, zipfile.BadZipFile, NotImplementedError) as error:
        raise DataError(f"{KERNELS} is damaged: the kernels of the epochs cannot be shown") from error
    if version > VERSION:
        raise DataError(f"{KERNELS} was written by a newer version of eyespot: pip install --upgrade eyespot")
    is_whole = (
        epochs.dtype.kind == "i"
        and epochs.ndim == 1
        and len(epochs) == len(kernels)
        and len(epochs) > 0
        and bool((np.diff(epochs) > 0).all())
        and kernels.dtype == np.float32
        and kernels.ndim == 5
        and bool(np.isfinite(kernels).all())
    )
    if not is_whole:
        raise DataError(f"{KERNELS} is damaged: the kernels of the epochs cannot be shown")
    return KernelHistory(layer, tuple(map(int, epochs)), kernels)


class KernelLog:
    """Keeps the kernels of a training's first convolution in the run's folder, each time an epoch has ended.

    A training that was killed goes on from a checkpoint, and what came after that one is recorded anew, to the same
    bits: every epoch is there once.
    """

    def __init__(
        self,
        folder: Path,
        layer: str,
        look: Callable[[], NDArray[np.float32]],
        *,
        epochs: float,
        notes: Callable[[str], None],
    ) -> None:
        """look: gives the kernels of now, (maps, input maps of each, height, width).
        epochs: of the whole training. notes: takes why no more can be kept.
        """
        self._folder, self._layer, self._look, self._notes = folder, layer, look, notes
        self._every = kept_every(look().nbytes, epochs)
        self._history: KernelHistory | None = None
        self._is_on = True

    def begin(self, epochs: int, *, is_new: bool) -> None:
        """Goes on from what is kept of so many epochs that are done.

        is_new: before the first step, whose kernels are those of epoch 0.
        """
        try:
            found = read_kernels(self._folder)
        except DataError:
            found = None  # a file that somebody damaged: from here on there is a new one
        now = self._look()
        fits = found is not None and found.layer == self._layer and found.kernels.shape[1:] == now.shape
        empty = KernelHistory(self._layer, (), np.zeros((0, *now.shape), np.float32))
        self._history = found.up_to(epochs) if found is not None and fits else empty
        if is_new:
            self._keep(0, now)

    def after(self, epoch: int, *, is_last: bool = False) -> None:
        """Keeps the kernels of now as those after that epoch."""
        if self._is_on and (epoch % self._every == 0 or is_last):
            self._keep(epoch, self._look())

    def _keep(self, epoch: int, kernels: NDArray[np.float32]) -> None:
        assert self._history is not None, "it was not begun"
        self._history = self._history.with_epoch(epoch, kernels)
        try:
            write_kernels(self._folder, self._history)
        except OSError as error:
            self._is_on = False
            self._notes(f"{self._folder / KERNELS} ends early, for it cannot be written ({error.strerror or error})")
