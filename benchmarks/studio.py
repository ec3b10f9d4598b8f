"""The studio's numbers against the network's own, the receptive frame, its answers against predict's, its memory.

    python benchmarks/studio.py
    python benchmarks/studio.py --cells 100 --pictures 50

Six networks: LeNet-5 as trained on the embedded digits and as of 1998, ResNet-20, GoogLeNet, EfficientNet-Lite0 with
its published weights, and a run with a new tail, on drawn shapes. Of each, this many numbers are drawn at random, as
many of every kind of layer; those without weights of their own get random ones. `studio_page.py` measures the page.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import measuring
import numpy as np
import torch
from bombs import _kilobytes
from chromium_pages import studio_at_work
from measuring import at_least, at_most
from PIL import Image
from torch import nn

import eyespot
from eyespot import zoo
from eyespot.arithmetic.table import Layer, flat
from eyespot.arithmetic.trace import trace
from eyespot.building.named import bundle_with_weights, with_weights
from eyespot.bundle.files import read_bundle
from eyespot.walking.cells import cell_of
from eyespot.walking.walk import grid_of, walk

SUM_BAR = at_most(1e-5, "of the layer's largest number", "the sum that is shown is the network's own number")
UNKNOWN_BAR = at_most(0, "numbers", "it is known of every layer what makes its numbers")
OUTSIDE_BAR = at_most(0, "places", "no pixel outside of the receptive frame changes a number there, bit for bit")
INSIDE_BAR = at_least(1, "of the places", "the pixels inside change the numbers there of a layer that multiplies")
ANSWER_BAR = at_most(1e-5, "of probability", "the studio's answer is that of `eyespot predict`")
MEMORY_BAR = at_most(5, "%", "the server's memory grows by less than 5 % over the pictures")
WEIGHED = ("conv", "depthwise conv", "fully connected")
TAIL = {"freeze": "stage6", "replace_tail": "conv 3x3 32, pool, fc 16", "epochs": 1, "imgsz": 96}
SETTLED = 100
"""Pictures after which memory is first measured: the desk is full then."""


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("--cells", type=int, default=1000, help="numbers of each network (default 1000)")
    parser.add_argument("--pictures", type=int, default=1000, help="sent to one server (default 1000)")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        digits = eyespot.train("digits", out=Path(name), name="digits").run
        sums(digits, Path(name), cells=options.cells)
        served(digits, pictures=options.pictures, size=28, asked=("stage1.conv,stage2.conv", "stage2.conv"))
        eyespot.sample("shapes", Path(name))
        large = eyespot.train(Path(name) / "photos", out=Path(name), name="large", regime="frozen").run
        served(large, pictures=options.pictures, size=300, asked=("stem.conv,stage2.a.expand.conv", "stem.conv"))


def sums(digits: str, folder: Path, *, cells: int) -> None:
    worst, unknown, outside, inside = 0.0, 0, 0, 1.0
    for name, net, size in networks(digits, folder):
        random = np.random.default_rng(0)
        torch.manual_seed(0)
        found = of_network(net, torch.randn(size), cells, random)
        changed = framed(net, size, cells // 10, random)
        worst, unknown = max(worst, found[0]), unknown + found[1]
        outside, inside = outside + changed[0], min(inside, changed[1])
        print(
            f"{name}: {cells} numbers, at most {found[0]:.1e} off; of {cells // 10} frames {changed[0]} leak",
            flush=True,
        )
    print(SUM_BAR.verdict(worst))
    print(UNKNOWN_BAR.verdict(unknown))
    print(OUTSIDE_BAR.verdict(outside))
    print(INSIDE_BAR.verdict(inside))


def networks(digits: str, folder: Path) -> Iterator[tuple[str, nn.Sequential, tuple[int, ...]]]:
    """Each with its name and the shape of its image."""
    torch.manual_seed(0)
    yield "lenet5 of digits", bundle_with_weights(read_bundle(digits)).eval(), (1, 32, 32)
    for name in ("lenet5_1998", "resnet20_cifar", "googlenet"):
        yield name, settled(zoo.create(name)), zoo.definition(name).input_chw
    yield "efficientnet_lite0", with_weights("efficientnet_lite0", None).eval(), (3, 224, 224)
    eyespot.sample("shapes", folder)
    run = eyespot.train(folder / "photos", out=folder, name="tail", **TAIL).run
    yield "a run with a new tail", bundle_with_weights(read_bundle(run)).eval(), (3, 96, 96)


def settled(net: nn.Sequential) -> nn.Sequential:
    """With batch norms as after training."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 2)
            module.weight.data.uniform_(0.5, 1.5)
    return net.eval()


def of_network(net: nn.Sequential, image: torch.Tensor, cells: int, random: np.random.Generator) -> tuple[float, int]:
    """How far a shown sum is off at most, as a share of its layer's largest number, and how many are not known."""
    steps = walk(net, image)
    of_kind: dict[str, list[str]] = {}
    for name, step in steps.steps.items():
        of_kind.setdefault(type(step.module).__name__, []).append(name)
    worst, unknown = 0.0, 0
    for number in range(cells):
        kinds = sorted(of_kind)
        layer = str(random.choice(of_kind[kinds[number % len(kinds)]]))
        output = steps.steps[layer].output
        cell = cell_of(steps, layer, tuple(int(random.integers(side)) for side in output.shape))
        unknown += cell.kind == "unknown"
        worst = max(worst, abs(cell.sum - cell.value) / max(float(output.abs().max()), 1e-30))
    return worst, unknown


def framed(net: nn.Sequential, size: tuple[int, ...], count: int, random: np.random.Generator) -> tuple[int, float]:
    """Places whose numbers change though only pixels outside of their frame did; the share of those of layers that
    multiply where some map changes when the pixels inside do."""
    channels, height, width = size
    rows = [row for row in flat(trace(net, (channels, height, width))) if row.field and row.name != "input"]
    weighed = [row for row in rows if row.kind in WEIGHED]
    leaks, moved, blank = 0, [], walk(net, torch.zeros(size))
    for number in range(count):
        row = (rows, weighed)[number % 2][int(random.integers(len((rows, weighed)[number % 2])))]
        grid = grid_of(blank, row.name) or row.output
        place = tuple(int(random.integers(side)) for side in grid[1:])
        inside = torch.zeros(size, dtype=torch.bool)
        (top, bottom), (left, right) = frame_of(row, place or (0, 0))
        inside[:, max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = True
        image, other = torch.randn(size), torch.randn(size)
        before, out, within = (
            walk(net, each).steps[row.name].output.reshape(grid)[(slice(None), *place)]
            for each in (image, torch.where(inside, image, other), torch.where(inside, other, image))
        )
        leaks += not torch.equal(before, out)
        if row in weighed:
            moved.append(not torch.equal(before, within))
    return leaks, float(np.mean(moved))


def frame_of(row: Layer, place: tuple[int, ...]) -> list[tuple[int, int]]:
    """The first pixel of the frame and the one after its last, down and across, as the page draws it."""
    assert row.field
    assert row.jump
    assert row.centre
    middles = [centre + at * jump for centre, at, jump in zip(row.centre, place, row.jump, strict=True)]
    return [
        (round(middle - (field - 1) / 2), round(middle + (field - 1) / 2) + 1)
        for middle, field in zip(middles, row.field, strict=True)
    ]


def served(run: str, *, pictures: int, size: int, asked: tuple[str, str]) -> None:
    """Answers and memory of the server of a run, asked about pictures with sides of so many pixels.

    asked: the layers whose maps are asked for, and the layer of which a number is.
    """
    model, random = eyespot.load(run), np.random.default_rng(0)
    gray = model.manifest.preprocess.color == "gray"
    worst, settled_kilobytes, kilobytes = 0.0, 0, 0
    with studio_at_work(run) as (ask, process):
        for number in range(pictures):
            file = io.BytesIO()
            Image.fromarray(random.integers(0, 256, (size, size) if gray else (size, size, 3), np.uint8)).save(
                file, "PNG"
            )
            said = ask("pictures", body=file.getvalue())
            ask("maps", picture=said["picture"], layers=asked[0], count=64)
            ask("value", picture=said["picture"], layer=asked[1], place="3,3,4")
            if number % 50 == 0:
                [answer] = model.predict(file.getvalue(), topk=len(model.classes))
                of_class = {each.class_: each.probability for each in answer.predictions}
                expected = [of_class[name] for name in model.classes]
                worst = max(worst, float(np.abs(np.subtract(said["probabilities"], expected)).max()))
            kilobytes = _kilobytes("VmRSS", process.pid)
            if number == min(SETTLED, pictures // 2):
                settled_kilobytes = kilobytes
    print(f"{model.manifest.network.name}: the server holds {kilobytes / 1000:.0f} MB after {pictures} pictures")
    print(ANSWER_BAR.verdict(worst))
    print(MEMORY_BAR.verdict(100 * (kilobytes / settled_kilobytes - 1)), flush=True)


if __name__ == "__main__":
    main()
