"""Pictures to what a graph makes of them: decoded by threads while the engine runs, here or on the machines of a
cluster, with the same bits."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np

from eyespot.data.data_set import Picture
from eyespot.data.levels import is_flat
from eyespot.data.pictures import decoder_version
from eyespot.distributed.cluster import Cluster
from eyespot.engine.run import BATCH, Engine, available_precisions, engine_version, in_batches
from eyespot.errors import MachineError
from eyespot.features.decode import decode_pictures, decode_with
from eyespot.features.views import AnyView, seen_as
from eyespot.records import PrecisionName, Preprocess
from eyespot.version import VERSION

AHEAD = 4 * BATCH
"""Pictures decoded ahead of the engine: enough never to starve it, few enough to stay small in memory."""
SENT, SENT_BYTES = 4 * BATCH, 2**26
"""Pictures that are sent to a cluster together, so that sending and placing them costs little, and the bytes of their
files, at most, however few they are: a phone's photos."""
Output = tuple[int, AnyView, dict[str, np.ndarray]]
"""The number of a picture, a view of it, and the graph's outputs by their names."""


@dataclass(frozen=True)
class Asked:
    """A picture, and the views of it that are wanted."""

    picture: Picture
    content: str | None
    """The hash that its file must still have, or None."""
    views: Sequence[AnyView] = ("identity",)


@dataclass
class Seen:
    """What is found on the way, by the numbers of the pictures."""

    reasons: dict[int, str] = field(default_factory=dict)
    """Why pictures have no outputs."""
    flat: set[int] = field(default_factory=set)
    """Pictures of one color."""


@dataclass(frozen=True)
class Graph:
    """A graph, and how pictures come to it."""

    onnx: bytes
    preprocess: Preprocess
    precision: PrecisionName
    batch: int


def compute(
    asked: Sequence[Asked], preprocess: Preprocess, engine: Engine, seen: Seen, *, threads: int | None = None
) -> Iterator[Output]:
    """The outputs for every view of every picture that can be decoded, computed in this process.

    threads: that decode; None for one a core.
    """
    images = _images(asked, preprocess, engine.batch, seen, threads)
    for tags, outputs in engine.stream(in_batches(images, engine.batch)):
        for row, (number, view) in enumerate(tags):
            yield number, view, {name: rows[row] for name, rows in outputs.items()}


def compute_in(cluster: Cluster, asked: Sequence[Asked], graph: Graph, engine: Engine, seen: Seen) -> Iterator[Output]:
    """The same, computed by the machines of a cluster.

    engine: the graph's on this machine, whose bits those of all others must be. Raises MachineError where they are not.
    """
    read = decode_with(
        lambda files, _: iter(files),
        [(each.picture, each.content) for each in asked],
        graph.preprocess,
        seen.reasons,
        ahead=AHEAD,
    )
    shared = _Shared(graph, _versions(), _bits(engine))
    with closing(read):
        for outputs, found in cluster.stream(_Worker, shared, _batches(read, asked)):
            seen.reasons |= found.reasons
            seen.flat |= found.flat
            yield from outputs


def _images(
    asked: Sequence[Asked], preprocess: Preprocess, batch: int, seen: Seen, threads: int | None
) -> Iterator[tuple[tuple[int, AnyView], np.ndarray]]:
    """Number and view, and the image that shows it: some pictures at a time, view by view."""
    work = [(each.picture, each.content) for each in asked]
    decoded = decode_pictures(work, preprocess, seen.reasons, ahead=AHEAD, threads=threads)
    while chunk := list(islice(decoded, batch)):
        shown: dict[AnyView, dict[int, np.ndarray]] = {}
        for number, image in chunk:
            if is_flat(image):
                seen.flat.add(number)
            for view in asked[number].views:
                shown.setdefault(view, {})[number] = image
        for view, images in shown.items():
            contents = [asked[number].content or "" for number in images]
            for number, image in zip(images, seen_as(view, [*images.values()], contents), strict=True):
                yield (number, view), image


def import_engine() -> None:
    """What takes longest before a process can compute."""
    engine_version()


@dataclass(frozen=True)
class _Shared:
    """What every process of the cluster needs."""

    graph: Graph
    versions: str
    bits: str


class _Worker:
    """In a process of the cluster: one core, which has turned out to compute the bits of the machine that asks."""

    def __init__(self, shared: _Shared) -> None:
        graph = self._graph = shared.graph
        if _versions() != shared.versions:
            raise MachineError(f"it has {_versions()}, and the machine that asks has {shared.versions}")
        if graph.precision not in available_precisions():
            raise MachineError(f"its processor has no {graph.precision}; --precision fp32 can be computed everywhere")
        hwc = (*graph.preprocess.crop_hw, graph.preprocess.channels)
        self._engine = Engine(graph.onnx, image_hwc=hwc, precision=graph.precision, batch=graph.batch, streams=1)
        if _bits(self._engine) != shared.bits:
            raise MachineError(
                f"its processor ({platform.machine()}) rounds otherwise, so its numbers would be others: leave it out "
                "of the cluster, or ask from a machine of its kind"
            )

    def __call__(self, batch: dict[int, Asked]) -> tuple[list[Output], Seen]:
        """The outputs for some pictures, by their numbers, which have their bytes with them."""
        numbers, seen = list(batch), Seen()
        found = list(compute([*batch.values()], self._graph.preprocess, self._engine, seen, threads=1))
        reasons = {numbers[each]: why for each, why in seen.reasons.items()}
        flat = {numbers[each] for each in seen.flat}
        return [(numbers[each], view, outputs) for each, view, outputs in found], Seen(reasons, flat)


def _batches(read: Iterator[tuple[int, bytes]], asked: Sequence[Asked]) -> Generator[dict[int, Asked], None, None]:
    """Pictures with their bytes, by their numbers: so many that sending them costs little, or fewer large ones."""
    chunk: dict[int, Asked] = {}
    size = 0
    for number, data in read:
        chunk[number] = replace(asked[number], picture=Picture(asked[number].picture.name, data=data))
        size += len(data)
        if len(chunk) == SENT or size >= SENT_BYTES:
            yield chunk
            chunk, size = {}, 0
    if chunk:
        yield chunk


def _versions() -> str:
    """Everything beside the processor that decides numbers."""
    return f"eyespot {VERSION}, {engine_version()}, decoder {decoder_version()}"


def _bits(engine: Engine) -> str:
    """A hash of what the engine computes of images made by chance."""
    images = np.random.default_rng(0).integers(0, 256, (engine.batch, *engine.image_hwc), dtype=np.uint8)
    digest = hashlib.blake2b(digest_size=16)
    for name, rows in sorted(engine.run(images).items()):
        digest.update(name.encode() + np.ascontiguousarray(rows).tobytes())
    return digest.hexdigest()
