"""`convolve`: kernels slide over a picture or matrix, and every number can be asked for its sum."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eyespot.arithmetic import convolution, maps
from eyespot.arithmetic.windows import Padding, Slide, slides
from eyespot.errors import OptionError
from eyespot.recipes.by_hand import (
    ByHandRecord,
    Maps,
    NamedKernel,
    Plane,
    Source,
    dropped_note,
    nested,
    open_input,
    open_kernels,
    output_file,
    write_file,
    write_planes,
)
from eyespot.records import Record


class KernelUse(Record):
    """One kernel, how it slid, and the range of its feature map."""

    name: str
    weights: tuple[Plane, ...]
    """As given; a plane for each channel of the input."""
    padding: tuple[int, int, int, int]
    """Zeros at the top, bottom, left and right."""
    formula_hw: tuple[str, str]
    """The sums that give height and width of the feature map."""
    dropped_hw: tuple[int, int]
    """Rows at the bottom and columns at the right that no window reaches."""
    least: float
    greatest: float


class CellSum(Record):
    """One number of a feature map, factor by factor: the sum of values times weights."""

    kernel: str
    row: int
    column: int
    rows: tuple[int, int]
    """First and last row of the input under the window; outside the input lies padding."""
    columns: tuple[int, int]
    values: tuple[Plane, ...]
    weights: tuple[Plane, ...]
    """As they were laid on the input: with true convolution, turned by half a circle."""
    sum: float


class ConvolveResult(ByHandRecord):
    """Feature maps, one for each kernel, and how they came about."""

    input: str
    input_chw: tuple[int, int, int]
    kernels: tuple[KernelUse, ...]
    true_convolution: bool
    stride: int
    output_chw: tuple[int, int, int]
    maps: Maps
    """(K, H, W)."""
    cells: tuple[CellSum, ...]
    """The cell that was asked for, of each kernel."""
    parameters: int
    """Of a layer with these kernels: weights, and a bias for each kernel."""
    multiplications: int
    fully_connected_weights: int
    """Of a fully connected layer with the same input and output."""
    out: str | None
    csv: str | None
    notes: tuple[str, ...]


def convolve(
    picture: Source,
    kernel: Source | Sequence[Source],
    *,
    padding: Padding = "valid",
    stride: int = 1,
    true_convolution: bool = False,
    channels: str | None = None,
    cell: tuple[int, int] | None = None,
    out: str | Path | None = None,
    csv: str | Path | None = None,
    overwrite: bool = False,
) -> ConvolveResult:
    """The feature maps of a picture or matrix under one kernel or several, as a volume `maps` (K, H, W).

    picture: a picture's path, a matrix's path (.csv, .txt, .npy), a matrix such as "1 2; 3 4", or an array (H, W) or
        (C, H, W).
    kernel: a name such as "sobel-x", degrees such as "45", a file, a matrix, an array, or a list of such.
    padding: "valid", "same", or zeros on every side.
    true_convolution: turn the kernels by half a circle first; deep learning does not.
    channels: of a picture: "gray", "rgb", "r", "g", "b"; gray by default.
    cell: row and column of the output, from 0, to be taken apart.
    out, csv: files to write, a PNG and the numbers; existing ones are kept unless `overwrite`.
    """
    png_file = output_file(out, ".png", "out", overwrite=overwrite)
    csv_file = output_file(csv, ".csv", "csv", overwrite=overwrite)
    given = open_input(picture, channels)
    kernels = open_kernels(kernel, len(given.image))
    laid = [convolution.turned(each.planes) if true_convolution else each.planes for each in kernels]
    paths = [slides(given.image.shape[1:], each.shape[1:], padding=padding, stride=stride) for each in laid]
    _require_one_size(paths)
    cells = (
        []
        if cell is None
        else [
            _cell_sum(named.name, cell, convolution.cell(given.image, each, *cell, padding=padding, stride=stride))
            for named, each in zip(kernels, laid, strict=True)
        ]
    )
    maps_of_all = [convolution.cross_correlate(given.image, each, padding=padding, stride=stride) for each in laid]
    volume = np.stack(maps_of_all)  # (K, H', W')
    costs = [convolution.layer_cost(given.image.shape, each.shape[1:], (1, *volume.shape[1:])) for each in laid]
    notes = _notes(kernels, paths, padding)
    if png_file:
        notes.append(_draw(png_file, volume, as_picture=given.is_picture and all((each >= 0).all() for each in laid)))
    if csv_file:
        write_planes(csv_file, volume)
    return ConvolveResult(
        input=given.name,
        input_chw=given.image.shape,
        kernels=tuple(_use(*each) for each in zip(kernels, paths, volume, strict=True)),
        true_convolution=true_convolution,
        stride=stride,
        output_chw=volume.shape,
        maps=volume,
        cells=tuple(cells),
        parameters=sum(each.parameters for each in costs),
        multiplications=sum(each.multiplications for each in costs),
        fully_connected_weights=sum(each.fully_connected_weights for each in costs),
        out=str(png_file) if png_file else None,
        csv=str(csv_file) if csv_file else None,
        notes=tuple(notes),
    )


def _require_one_size(paths: list[tuple[Slide, Slide]]) -> None:
    """Maps become a volume only where all have one size."""
    sizes = list(dict.fromkeys((down.places, across.places) for down, across in paths))
    if len(sizes) > 1:
        listed = " and ".join(f"{height} x {width}" for height, width in sizes)
        raise OptionError(f"maps of {listed} cannot be stacked: take kernels of one size, or --padding same")


def _notes(kernels: list[NamedKernel], paths: list[tuple[Slide, Slide]], padding: Padding) -> list[str]:
    notes: list[str] = []
    for kernel, (down, across) in zip(kernels, paths, strict=True):
        whose = f"{kernel.name}: " if len(kernels) > 1 else ""
        even = [end for end, side in (("bottom", down), ("right", across)) if side.window % 2 == 0]
        if padding == "same" and even:
            ends = " and ".join(even)
            notes.append(f"{whose}an even kernel has no middle: same padding adds one zero more at the {ends}")
        notes += dropped_note(down, across, whose)
    return notes


def _draw(file: Path, volume: NDArray[np.float64], *, as_picture: bool) -> str:
    """Writes the maps as a PNG; what its colours mean. A blurred picture is a picture again, not a signed map."""
    if as_picture:
        white = max(255.0, float(volume.max()))
        write_file(file, maps.plain_png(volume * (255 / white), rgb=False))
        return f"in {file.name} black is 0 and white {white:.6g}: a picture again, since no weight is negative"
    end = maps.scale_end(volume)
    write_file(file, maps.signed_png(volume, end=end))
    return f"in {file.name} white is 0, red {end:.6g} and more, blue {-end:.6g} and less"


def _use(kernel: NamedKernel, path: tuple[Slide, Slide], feature_map: NDArray[np.float64]) -> KernelUse:
    down, across = path
    return KernelUse(
        name=kernel.name,
        weights=nested(kernel.planes),
        padding=(down.before, down.behind, across.before, across.behind),
        formula_hw=(down.formula, across.formula),
        dropped_hw=(down.dropped, across.dropped),
        least=float(feature_map.min()),
        greatest=float(feature_map.max()),
    )


def _cell_sum(kernel: str, cell: tuple[int, int], taken: convolution.Cell) -> CellSum:
    return CellSum(
        kernel=kernel,
        row=cell[0],
        column=cell[1],
        rows=(taken.rows[0], taken.rows[-1]),
        columns=(taken.columns[0], taken.columns[-1]),
        values=nested(taken.values),
        weights=nested(taken.weights),
        sum=taken.sum,
    )
