"""Changed files of models: each is refused in a sentence, or means what it meant; none loads with another meaning.

    python benchmarks/flipped.py

Files of the three tasks in the newest formats (those of `tests/golden`) are changed at random: mostly a bit, else a
byte, a digit, a piece that is cut out, doubled or put elsewhere. Manifests, graphs, exported ONNX (half of the changes
in its labels), OpenVINO's XML and weights are read as `eyespot.load` reads them; weights that are kept in the cache are
put into a network; pictures that are kept for `explain` are read. What comes out is compared with what the sound files
mean: every name, number and tensor.
"""

from __future__ import annotations

import gzip
import hashlib
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import measuring
import numpy as np
from measuring import at_most

from eyespot.bundle.exported import EXPORT_VERSION, read_exported
from eyespot.bundle.files import GRAPH, MANIFEST, read_any_bundle
from eyespot.bundle.manifest import FORMAT_VERSION
from eyespot.errors import EyespotError
from eyespot.explaining.similar import FILE, read_similar, similar_of, write_similar

GOLDEN = Path(__file__).parents[1] / "tests" / "golden"
TASKS = ("classes", "boxes", "labels")
LONGEST_SENTENCE = 1_000
BARS = {
    "other meaning": at_most(0, "files", "none loads with another meaning"),
    "no sentence": at_most(0, "files", "what is refused is refused in a sentence"),
}
SECONDS = at_most(10, "s", "each within 10 s")


@dataclass(frozen=True)
class Kind:
    """Files that are read together, of which one is changed."""

    name: str
    files: Mapping[str, bytes]
    changed: str
    """The name of that one."""
    meaning: Callable[[Path], Any]
    """What the files in a folder mean. Raises EyespotError."""
    start: int = 0
    """From which byte on every second change is."""


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("--files", type=int, default=6_000, help="changed files (default 6000)")
    parser.add_argument("--seed", type=int, default=0, help="decides the changes (default 0)")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    outcomes: Counter[str] = Counter()
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        every = list(kinds(Path(name)))
        for kind in every:
            chance = random.Random(f"{options.seed} {kind.name}")
            found: Counter[str] = Counter()
            for outcome, took in read(kind, Path(name, "read"), chance, options.files // len(every)):
                found[outcome] += 1
                seconds.append(took)
            outcomes += found
            print(f"{kind.name:24} {dict(found.most_common())}", flush=True)
    print(f"{len(seconds)} files, median {1000 * statistics.median(seconds):.2f} ms, longest {max(seconds):.2f} s")
    for name, bar in BARS.items():
        print(bar.verdict(outcomes[name]))
    print(SECONDS.verdict(max(seconds)))


def read(kind: Kind, folder: Path, chance: random.Random, count: int) -> Iterator[tuple[str, float]]:
    """What came of each changed file, and its seconds."""
    folder.mkdir(exist_ok=True)
    put(folder, kind.files)
    expected = kind.meaning(folder)
    for number in range(count):
        data = changed(kind.files[kind.changed], chance, start=kind.start if number % 2 else 0)
        put(folder, {**kind.files, kind.changed: data})
        began = time.perf_counter()
        try:
            outcome = "as before" if same(kind.meaning(folder), expected) else "other meaning"
        except EyespotError as error:
            said = str(error)
            outcome = "refused" if "\n" not in said and len(said) < LONGEST_SENTENCE else "no sentence"
        except Exception as error:  # whatever it is: the figure is how many there are
            print(f"{kind.name}: {type(error).__name__}: {error}")
            outcome = "no sentence"
        if outcome in BARS:
            print(f"{kind.name}, change {number}: {outcome}", flush=True)
        yield outcome, time.perf_counter() - began


def put(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).write_bytes(data)


def same(found: Any, expected: Any) -> bool:
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(np.array_equal(found[key], expected[key]) for key in expected)
    return bool(found == expected)


def kinds(folder: Path) -> Iterator[Kind]:
    """Everything that is changed. folder: for what has to be made."""
    for task in TASKS:
        bundle = GOLDEN / f"bundle-{FORMAT_VERSION}" / task
        files = {name: (bundle / name).read_bytes() for name in (MANIFEST, GRAPH)}
        for name in files:
            yield Kind(f"{task} {name}", files, name, _of_bundle)
        export = GOLDEN / f"export-{EXPORT_VERSION}"
        onnx = (export / f"{task}.onnx").read_bytes()
        yield Kind(f"{task} onnx", {"m.onnx": onnx}, "m.onnx", _of_onnx, start=onnx.index(b"export_version"))
        xml = gzip.decompress((export / f"{task}.xml.gz").read_bytes())
        files = {"m.xml": xml, "m.bin": (export / f"{task}.bin").read_bytes()}
        yield Kind(f"{task} xml", files, "m.xml", _of_xml, start=xml.index(b"<eyespot>"))
        yield Kind(f"{task} bin", files, "m.bin", _of_xml)
    yield _similar(folder)
    yield _weights(folder)


def _of_bundle(folder: Path) -> Any:
    bundle = read_any_bundle(folder)
    return bundle.manifest, bundle.graph


def _of_onnx(folder: Path) -> Any:
    exported = read_exported(folder / "m.onnx")
    return exported.manifest, exported.graph


def _of_xml(folder: Path) -> Any:
    exported = read_exported(folder / "m.xml")
    return exported.manifest, exported.graph, exported.weights


def _similar(folder: Path) -> Kind:
    """Features and thumbnails of ten pictures; a file that is of another model is made again."""
    features = np.random.default_rng(0).normal(size=(10, 8)).astype(np.float32)
    made = similar_of(features, [number % 3 for number in range(10)], [b"\xff\xd8\xff" + bytes(50)] * 10)
    write_similar(folder / FILE, made, graph_sha256="ab" * 32)

    def meaning(where: Path) -> Any:
        found = read_similar(where / FILE, graph_sha256="ab" * 32, classes=3) or made
        return {"features": found.features, "classes": found.classes, "thumbnails": np.array(found.thumbnails)}

    return Kind("kept pictures", {FILE: (folder / FILE).read_bytes()}, FILE, meaning)


def _weights(folder: Path) -> Kind:
    """Weights of a small network that were converted once; a damaged file is made again."""
    import torch

    from eyespot import zoo
    from eyespot.zoo.weights import EFFICIENTNET_LITE0
    from eyespot.zoo.weights_files import load

    net, file = zoo.create("lenet5"), folder / "published.pth"
    torch.save(net.state_dict(), file)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    weights = EFFICIENTNET_LITE0.model_copy(update={"sha256": sha256, "naming": "flipped:own_names"})
    load(net, weights, cache_folder=folder, file=file)
    [kept] = (folder / "weights").iterdir()

    def meaning(where: Path) -> Any:
        (where / kept.name).replace(kept)
        load(net, weights, cache_folder=folder, file=file)
        return {name: tensor.numpy().copy() for name, tensor in net.state_dict().items()}

    return Kind("kept weights", {kept.name: kept.read_bytes()}, kept.name, meaning)


def own_names(net: Any) -> dict[str, str]:
    """The names of its tensors, which are the publisher's, too."""
    return {name: name for name in net.state_dict()}


def changed(data: bytes, chance: random.Random, *, start: int) -> bytes:
    """The data with one change, from that byte on."""
    found = bytearray(data)
    while bytes(found) == data:
        at, length = chance.randrange(start, len(data)), chance.choice((1, 2, 8, 64))
        way = chance.randrange(10)
        if way <= 4:
            found[at] ^= 1 << chance.randrange(8)
        elif way == 5:
            found[at] = chance.randrange(256)
        elif way == 6:
            digit = next((place for place in range(at, min(at + 200, len(data))) if 48 <= data[place] <= 57), at)
            found[digit] = chance.randrange(48, 58)
        elif way == 7:
            del found[at : at + length]
        elif way == 8:
            found[at:at] = found[at : at + length]
        else:
            other = chance.randrange(start, len(data))
            found[at : at + length] = found[other : other + length]
    return bytes(found)


if __name__ == "__main__":
    main()
