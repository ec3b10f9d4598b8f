"""What `convolve`, `pool`, `pixel-coverage` and `learn-kernel` share: what goes in, and the files that come out."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, PlainSerializer

from eyespot.arithmetic.kernels import named_kernel
from eyespot.arithmetic.maps import Mosaic
from eyespot.arithmetic.windows import Slide
from eyespot.data.matrices import MATRIX_SUFFIXES, is_written_out, numbers, read_matrix, written_out
from eyespot.data.pictures import naming, read_named, read_whole
from eyespot.data.ranges import levels_of
from eyespot.errors import DataError, OptionError
from eyespot.evaluate.lettering import captioned
from eyespot.files import chosen_file, from_home, write_chosen
from eyespot.names import printable
from eyespot.records import Record
from eyespot.words import counted

CHANNELS = ("gray", "rgb", "r", "g", "b")
MOST_VALUES_IN_JSON = 10_000

Plane = tuple[tuple[float, ...], ...]
Source = str | Path | NDArray[Any] | Sequence[Any]
"""A picture's path, a matrix's path, a matrix written out as text, or an array (H, W) or (C, H, W)."""


def _listed(maps: NDArray[np.float64]) -> list[Any] | None:
    return maps.tolist() if maps.size <= MOST_VALUES_IN_JSON else None


Maps = Annotated[NDArray[np.float64], PlainSerializer(_listed)]
"""An array; in JSON a list of planes, or null if there are more than MOST_VALUES_IN_JSON values."""


class ByHandRecord(Record):
    """A record that may hold arrays."""

    model_config = ConfigDict(arbitrary_types_allowed=True)


@dataclass(frozen=True)
class OutputFiles:
    """The files to write, known to be possible before anything is computed."""

    png: Path | None
    csv: Path | None

    @property
    def named(self) -> dict[str, str | None]:
        """The names, by the options that gave them."""
        return {"out": str(self.png) if self.png else None, "csv": str(self.csv) if self.csv else None}

    def write(self, planes: NDArray[np.float64], drawn: Mosaic | None, caption: Sequence[str]) -> None:
        """Writes the drawing as a PNG, its caption below, and planes (K, H, W) as CSV, an empty line between two."""
        if self.png and drawn:
            write_chosen(self.png, captioned(drawn.sheet.pixels, [*caption, drawn.scaling]))
        if self.csv:
            text = io.StringIO()
            for number, plane in enumerate(planes):
                text.write("\n" if number else "")
                np.savetxt(text, plane, fmt="%.12g", delimiter=",")
            write_chosen(self.csv, text.getvalue().encode())


@dataclass(frozen=True)
class ByHandOptions:
    """What is read of a picture, and the files that are written."""

    channels: str | None = None
    out: str | Path | None = None
    csv: str | Path | None = None
    overwrite: bool = False

    def files(self) -> OutputFiles:
        """The files that the options name. Raises OptionError if one cannot be written."""
        png, csv = (
            None if path is None else chosen_file(path, ending, option=option, overwrite=self.overwrite)
            for path, ending, option in ((self.out, ".png", "out"), (self.csv, ".csv", "csv"))
        )
        return OutputFiles(png, csv)


@dataclass(frozen=True)
class Input:
    """What the arithmetic is done on."""

    name: str
    image: NDArray[np.generic]
    """(C, H, W); bytes for a picture, so that a large one stays small."""
    is_picture: bool


@dataclass(frozen=True)
class NamedKernel:
    name: str
    planes: NDArray[np.float64]
    """(C, h, w), as deep as the input."""


def open_input(source: Source, channels: str | None) -> Input:
    """The picture or matrix. channels: of CHANNELS; None is gray for a picture, and all there is of a matrix."""
    if channels is not None and channels not in CHANNELS:
        raise OptionError(f"the option channels cannot be {channels!r}: give {', '.join(CHANNELS)}")
    if isinstance(source, str | Path) and not _is_matrix(source):
        return _picture(from_home(source), channels or "gray")
    if channels is not None:
        raise OptionError("the option channels is for pictures: a matrix has the planes that stand in it")
    if isinstance(source, str | Path):
        name, values = _read(source, "the matrix")
    else:
        name, values = "array", numbers(source, "the array")
        if values.ndim == 3 and values.dtype == np.uint8 and values.shape[2] in (3, 4) and values.shape[0] > 4:
            raise DataError(f"the array has the shape {values.shape}: channels come first, as in .transpose(2, 0, 1)")
    if values.ndim not in (2, 3):
        raise DataError(f"{name} has the shape {values.shape}: (H, W) or (C, H, W) is needed")
    return Input(name, values.reshape(-1, *values.shape[-2:]), is_picture=False)


def open_kernels(kernel: Source | Sequence[Source], channels: int) -> list[NamedKernel]:
    """The kernels, one or several; one with a single plane is laid on every channel alike.

    kernel: a name, a number of degrees, a file, a matrix written out, an array (h, w), (C, h, w) or (K, C, h, w), or a
        list of such.
    channels: of the input.
    """
    several = isinstance(kernel, list | tuple) and any(isinstance(each, str | Path | np.ndarray) for each in kernel)
    given: Sequence[Any] = kernel if several else (kernel,)  # type: ignore[assignment]
    opened = [each for one in given for each in _kernels(one)]
    return [
        NamedKernel(each.name, np.repeat(each.planes, channels, axis=0) if len(each.planes) == 1 else each.planes)
        for each in opened
    ]


def nested(planes: NDArray[np.float64]) -> tuple[Plane, ...]:
    """Planes (C, h, w) as tuples."""
    return tuple(tuple(tuple(float(value) for value in row) for row in plane) for plane in planes)


def dropped_note(down: Slide, across: Slide, what: str = "") -> list[str]:
    """A sentence on the pixels at the end that no window reaches; none where there are none."""
    places = ((down.dropped, "row", "at the bottom"), (across.dropped, "column", "at the right"))
    left_out = [f"{counted(count, line)} {where}" for count, line, where in places if count]
    return [f"{what}dropped, because the next window would not fit: {' and '.join(left_out)}"] if left_out else []


def _is_matrix(source: str | Path) -> bool:
    path = Path(source)
    if path.suffix.lower() in MATRIX_SUFFIXES:
        return True
    return isinstance(source, str) and is_written_out(source) and not _exists(path)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a long matrix is no possible name of a file
        return False


def _picture(path: Path, channels: str) -> Input:
    try:
        name, data = read_named(path)
    except DataError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
        missing = printable(str(path))
        raise DataError(f"there is no file {missing!r}: give a picture, or a matrix such as '1 2; 3 4'") from None
    with naming(name):
        pixels = read_whole(data, "gray" if channels == "gray" else "rgb", levels_of(data))  # (H, W, C)
    image = pixels.transpose(2, 0, 1)  # (C, H, W)
    return Input(name, image if channels in ("gray", "rgb") else image[["rgb".index(channels)]], is_picture=True)


def _read(source: str | Path, name: str) -> tuple[str, NDArray[np.generic]]:
    """A file's matrix, or one that is written out; with its name."""
    path = from_home(source)
    if path.suffix.lower() in MATRIX_SUFFIXES:
        return printable(str(path)), read_matrix(path)
    return name, written_out(str(source), name)


def _kernels(kernel: Any) -> list[NamedKernel]:
    if isinstance(kernel, str | Path):
        name, values = _named(kernel)
    else:
        name, values = "array", numbers(kernel, "the kernel").astype(np.float64)
    if values.ndim == 4:
        return [NamedKernel(f"{name} {number}", planes) for number, planes in enumerate(values, start=1)]
    if values.ndim not in (2, 3):
        raise DataError(f"the kernel {name} has the shape {values.shape}: (h, w), (C, h, w) or (K, C, h, w) is needed")
    return [NamedKernel(name, values.reshape(-1, *values.shape[-2:]))]


def _named(kernel: str | Path) -> tuple[str, NDArray[np.float64]]:
    """A kernel by its name, its angle, its file, or written out."""
    if not _is_matrix(kernel):
        return str(kernel), named_kernel(str(kernel))
    name, values = _read(kernel, "the kernel")
    return ("matrix" if name == "the kernel" else name), values.astype(np.float64)
