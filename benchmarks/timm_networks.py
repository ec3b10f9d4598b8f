"""Networks of timm, with random weights: the same as timm's own stage by stage, and trained, exported and served.

    python benchmarks/timm_networks.py [--only FAMILY ...] [--regimes REGIME ...]

For each family a small network gets random weights that tell it from any other, in a file where timm would have
downloaded it. *Stage*: the largest difference of any stage's output from what some module of timm's own network gives,
as a share of its spread. Then it is trained on a few drawn pictures in every regime, and kept although one epoch is no
gain; *trained* is the largest difference of a probability between the run and PyTorch with the run's weights,
*exported* and *served* that between the run and its exported file, and a server.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import measuring
import numpy as np
import torch
from measuring import at_most
from outside import timm_with_torchvision
from PIL import Image, ImageDraw
from safetensors.torch import save_file

import eyespot
from eyespot.building.named import bundle_with_weights
from eyespot.bundle.files import read_bundle
from eyespot.data.pictures import read_image
from eyespot.evaluate.paired import Comparison
from eyespot.records import Preprocess
from eyespot.zoo.timm_records import preprocess

sys.path.append(str(Path(__file__).parent.parent / "tests"))
from server_process import Process
from timm_twin import FAMILIES, pictures, side_for, stages_found
from twins import lively

STAGES = at_most(1e-4, "of the spread", "every stage of a network of timm gives what it gives in timm")
ANSWERS = at_most(0.02, "of probability", "a trained network of timm is exported and served as it answers in PyTorch")
COLORS = {"blue": (40, 60, 200), "green": (40, 180, 60), "red": (200, 50, 40)}
REGIMES: dict[str, dict[str, Any]] = {
    "frozen": {},
    "partial": {"epochs": 1},
    "full": {"epochs": 1},
    "scratch": {"epochs": 1},
}


@dataclass(frozen=True)
class Line:
    """What was found of one family."""

    stages: int
    stage: float
    trained: float
    exported: float
    served: float

    @property
    def answers(self) -> float:
        return max(self.trained, self.exported, self.served)


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("--only", nargs="+", choices=FAMILIES, default=list(FAMILIES), help="some families alone")
    parser.add_argument("--regimes", nargs="+", choices=REGIMES, default=list(REGIMES), help="some regimes alone")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    print(f"{'family':13}{'network':28}{'stages':>7}{'stage':>10}{'trained':>10}{'exported':>10}{'served':>10}")
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        data = drawn(Path(folder) / "data")
        os.environ["HF_HUB_CACHE"] = str(Path(folder) / "hub")
        os.environ.setdefault("EYESPOT_CACHE", str(Path(folder) / "cache"))
        for family in options.only:
            lines.append(line := tried(FAMILIES[family], options.regimes, data, Path(folder)))
            figures = "".join(f"{value:>10.2g}" for value in (line.stage, line.trained, line.exported, line.served))
            print(f"{family:13}{FAMILIES[family]:28}{line.stages:>7}{figures}", flush=True)
    print(STAGES.verdict(max(line.stage for line in lines)))
    print(ANSWERS.verdict(max(line.answers for line in lines)))


def drawn(folder: Path) -> Path:
    """Discs in three colours: 8 pictures of each to train on, 4 to validate, 4 to test."""
    random = np.random.default_rng(0)
    for part, count in {"train": 8, "val": 4, "test": 4}.items():
        for name, color in COLORS.items():
            (folder / part / name).mkdir(parents=True)
            for number in range(count):
                image = Image.fromarray(random.integers(90, 160, (120, 160, 3), dtype=np.uint8))
                x, y, r = random.integers(20, 90), random.integers(10, 60), random.integers(20, 50)
                ImageDraw.Draw(image).ellipse((x, y, x + r, y + r), fill=color)
                image.save(folder / part / name / f"{number}.png")
    return folder


def tried(name: str, regimes: list[str], data: Path, folder: Path) -> Line:
    """One network, from its weights to a server's answers; the worst of all regimes."""
    timm, side = timm_with_torchvision(), side_for(name)
    torch.manual_seed(0)
    how = preprocess(f"timm:{name}").model_copy(update={"short_side": side, "crop_hw": (side, side)})
    theirs, images = (
        timm.create_model(name),
        torch.cat([values(sorted(data.glob("val/*/*.png")), how), pictures(side, 3)]),
    )
    lively(theirs, images)  # on images like those that it learns: of others its answers were rounding
    hub = Path(os.environ["HF_HUB_CACHE"]) / f"models--{theirs.pretrained_cfg['hf_hub_id'].replace('/', '--')}"
    place = hub / "snapshots" / "random" / "model.safetensors"
    place.parent.mkdir(parents=True, exist_ok=True)
    save_file(theirs.state_dict(), place)
    found = stages_found(eyespot.create(f"timm:{name}", weights=place).eval(), theirs, images)
    differences = [answers_of(name, regime, data, folder, side) for regime in regimes]
    worst = map(max, zip(*differences, strict=True))
    return Line(len(found), max(difference for _, difference in found.values()), *worst)


def answers_of(name: str, regime: str, data: Path, folder: Path, side: int) -> tuple[float, float, float]:
    """The largest differences of a probability: PyTorch, the exported file and the server beside the run."""
    options = {"imgsz": side, "out": folder / "runs", **REGIMES[regime]}
    with patch.object(Comparison, "is_the_same", True):  # what was asked for is kept
        result = eyespot.train(data, model=f"timm:{name}", regime=regime, **options)
    assert result.regime == regime
    files = sorted((data / "test").rglob("*.png"))
    said = np.concatenate([result.model.probabilities(file) for file in files])
    [exported] = eyespot.export(result.run, out=folder / "exported" / f"{name}-{regime}").files
    from_file = np.concatenate([eyespot.load(exported).probabilities(file) for file in files])
    others = (in_torch(result.run, files), from_file, np.array(list(served(result.run, files, result.classes))))
    trained, file, server = (float(np.abs(said - each).max()) for each in others)
    return trained, file, server


def in_torch(run: str, files: list[Path]) -> np.ndarray:
    """Probabilities (N, classes) of the network in PyTorch, in fp32, with the weights that the run wrote."""
    bundle = read_bundle(run)
    with torch.inference_mode():
        logits = bundle_with_weights(bundle).eval()(values(files, bundle.manifest.preprocess))
    return np.asarray((logits / bundle.manifest.temperature).softmax(1).numpy())


def values(files: list[Path], how: Preprocess) -> torch.Tensor:
    """Normalised images (N, C, H, W)."""
    images = np.stack([read_image(file.read_bytes(), how) for file in files])
    normalised = torch.from_numpy((images - np.array(how.mean)) / np.array(how.scale)).float()
    return normalised.permute(0, 3, 1, 2)


def served(run: str, files: list[Path], classes: tuple[str, ...]) -> Iterator[list[float]]:
    """What a server in a process of its own answers, in the order of the classes."""
    server = Process(Path(run), cache=Path(os.environ["EYESPOT_CACHE"]))
    try:
        for file in files:
            connection: http.client.HTTPConnection = server.connection()
            connection.request("POST", f"/predict?topk={len(classes)}", file.read_bytes())
            given = json.loads(connection.getresponse().read())["answers"][0]["predictions"]
            yield [next(each["probability"] for each in given if each["class"] == name) for name in classes]
            connection.close()
    finally:
        server.end()


if __name__ == "__main__":
    main()
