"""`convolve`: kernels slide over a picture or matrix, and every number can be asked for its sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyespot.arithmetic import convolution, maps
from eyespot.arithmetic.maps import Mosaic
from eyespot.arithmetic.windows import MODES, Padding, Slide, slides
from eyespot.errors import OptionError
from eyespot.evaluate.lettering import shorten
from eyespot.keywords import as_record
from eyespot.recipes.by_hand.captions import by, padding_words, sums_in_words, volume_in_words
from eyespot.recipes.by_hand.pictures import (
    ByHandOptions,
    ByHandRecord,
    Input,
    Maps,
    NamedKernel,
    OutputFiles,
    Plane,
    Source,
    dropped_note,
    nested,
    open_input,
    open_kernels,
)
from eyespot.records import Record
from eyespot.words import some

LONGEST_NAME = 40
"""Letters of a kernel's name in a caption: it may be a path."""


class KernelUse(Record):
    """One kernel, how it slid, and the range of its feature map."""

    name: str
    weights: tuple[Plane, ...]
    """As given; a plane for each channel of the input."""
    padding: tuple[int, int, int, int]
    """Pixels that were added at the top, bottom, left and right."""
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
    padding_mode: str
    """What the padding consists of: zeros, reflect, replicate or circular."""
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
    cell: tuple[int, int] | None = None,
    **options: Any,
) -> ConvolveResult:
    """The feature maps of a picture or matrix under one kernel or several, as a volume `maps` (K, H, W).

    picture: a picture's path, a matrix's path (.csv, .txt, .npy), a matrix such as "1 2; 3 4", or an array (H, W) or
        (C, H, W).
    kernel: a name such as "sobel-x", degrees such as "45", a file, a matrix, an array, or a list of such.
    padding: "valid", "same", or a number of zeros on every side; or, as large as "same", "reflect" (the picture
        mirrored at its outermost pixels), "replicate" (the nearest pixel), "circular" (the opposite side's pixels).
    true_convolution: turn the kernels by half a circle first; deep learning does not.
    cell: row and column of the output, from 0, to be taken apart.
    Of the options, channels: of a picture: "gray", "rgb", "r", "g", "b"; gray by default.
        out, csv: files to write, a PNG and the numbers; existing ones are kept unless `overwrite`.
    """
    chosen = as_record(ByHandOptions, options, verb=convolve)
    files, given = chosen.files(), open_input(picture, chosen.channels)
    kernels = open_kernels(kernel, len(given.image))
    return _convolved(given, kernels, _How(padding, stride, true_convolution), cell, files)


@dataclass(frozen=True)
class _Laid:
    """A kernel as it lies on the input, and the way it goes."""

    kernel: NamedKernel
    planes: NDArray[np.float64]
    """(C, h, w); with true convolution, turned by half a circle."""
    path: tuple[Slide, Slide]


@dataclass(frozen=True)
class _How:
    """How kernels slide over an image (C, H, W)."""

    padding: Padding
    stride: int
    true_convolution: bool

    def laid(self, kernel: NamedKernel, image: NDArray[np.generic]) -> _Laid:
        planes = convolution.turned(kernel.planes) if self.true_convolution else kernel.planes
        path = slides(image.shape[1:], planes.shape[1:], padding=self.padding, stride=self.stride)
        return _Laid(kernel, planes, path)

    def feature_map(self, laid: _Laid, image: NDArray[np.generic]) -> NDArray[np.float64]:
        return convolution.cross_correlate(image, laid.planes, padding=self.padding, stride=self.stride)

    def cell_sum(self, laid: _Laid, image: NDArray[np.generic], cell: tuple[int, int]) -> CellSum:
        taken = convolution.cell(image, laid.planes, *cell, padding=self.padding, stride=self.stride)
        return CellSum(
            kernel=laid.kernel.name,
            row=cell[0],
            column=cell[1],
            rows=(taken.rows[0], taken.rows[-1]),
            columns=(taken.columns[0], taken.columns[-1]),
            values=nested(taken.values),
            weights=nested(taken.weights),
            sum=taken.sum,
        )


def _convolved(
    given: Input, kernels: list[NamedKernel], how: _How, cell: tuple[int, int] | None, files: OutputFiles
) -> ConvolveResult:
    """The feature maps; the files are written."""
    image, laid = given.image, [how.laid(each, given.image) for each in kernels]
    _require_one_size(laid)
    cells = [] if cell is None else [how.cell_sum(each, image, cell) for each in laid]
    volume = np.stack([how.feature_map(each, image) for each in laid])  # (K, H', W')
    costs = [convolution.layer_cost(image.shape, each.planes.shape[1:], (1, *volume.shape[1:])) for each in laid]
    notes, drawn = _notes(laid, how.padding), None
    if files.png:
        drawn = _drawn(volume, as_picture=given.is_picture and all((each.planes >= 0).all() for each in laid))
        notes.append(f"in {files.png.name} {drawn.scaling}")
    result = ConvolveResult(
        input=given.name,
        input_chw=image.shape,
        kernels=tuple(_use(*each) for each in zip(laid, volume, strict=True)),
        true_convolution=how.true_convolution,
        padding_mode=laid[0].path[0].mode,
        stride=how.stride,
        output_chw=volume.shape,
        maps=volume,
        cells=tuple(cells),
        parameters=sum(each.parameters for each in costs),
        multiplications=sum(each.multiplications for each in costs),
        fully_connected_weights=sum(each.fully_connected_weights for each in costs),
        notes=tuple(notes),
        **files.named,
    )
    files.write(volume, drawn, _caption(result))
    return result


def _require_one_size(laid: list[_Laid]) -> None:
    """Maps become a volume only where all have one size."""
    sizes = list(dict.fromkeys((down.places, across.places) for down, across in (each.path for each in laid)))
    if len(sizes) > 1:
        listed = " and ".join(f"{height} x {width}" for height, width in sizes)
        raise OptionError(f"maps of {listed} cannot be stacked: take kernels of one size, or --padding same")


def _notes(laid: list[_Laid], padding: Padding) -> list[str]:
    notes: list[str] = []
    for each in laid:
        down, across = each.path
        whose = f"{each.kernel.name}: " if len(laid) > 1 else ""
        even = [end for end, side in (("bottom", down), ("right", across)) if side.window % 2 == 0]
        if isinstance(padding, str) and padding in ("same", *MODES) and even:
            ends = " and ".join(even)
            more = "same padding adds one zero more" if padding == "same" else f"{padding} adds one pixel more"
            notes.append(f"{whose}an even kernel has no middle: {more} at the {ends}")
        notes += dropped_note(down, across, whose)
    return notes


def _drawn(volume: NDArray[np.float64], *, as_picture: bool) -> Mosaic:
    """The maps, and what their colors mean. A blurred picture is a picture again, not a signed map."""
    if not as_picture:
        return maps.of_signed(volume)
    drawn = maps.of_image(volume, rgb=False)
    return Mosaic(drawn.sheet, f"{drawn.scaling}: a picture again, since no weight is negative")


def _caption(result: ConvolveResult) -> list[str]:
    """Kernels that slide alike together, the shape of their maps, and the sums that give it."""
    alike: dict[str, list[str]] = {}
    for kernel in result.kernels:
        size = by(np.shape(kernel.weights)[1:]) + padding_words(kernel.padding, result.padding_mode)
        alike.setdefault(size, []).append(shorten(kernel.name, LONGEST_NAME))
    turned = ", turned by half a circle" if result.true_convolution else ""
    layers = [f"{some(names)}, {size}, stride {result.stride}{turned}" for size, names in alike.items()]
    sums = dict.fromkeys(each for kernel in result.kernels for each in sums_in_words(kernel.formula_hw))
    return [*layers, volume_in_words(result.output_chw), *sums]


def _use(laid: _Laid, feature_map: NDArray[np.float64]) -> KernelUse:
    down, across = laid.path
    return KernelUse(
        name=laid.kernel.name,
        weights=nested(laid.kernel.planes),
        padding=(down.before, down.behind, across.before, across.behind),
        formula_hw=(down.formula, across.formula),
        dropped_hw=(down.dropped, across.dropped),
        least=float(feature_map.min()),
        greatest=float(feature_map.max()),
    )
