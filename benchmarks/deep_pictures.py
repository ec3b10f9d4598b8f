"""Pictures with more than 8 bits beside their 8-bit twins: accuracy, and the same answers wherever they are asked for.

Makes its own pictures: 60 of each kind, a narrow or a wide warm spot in noise, so faint that some are mistaken.
Each kind holds the same scenes as other numbers: 16 bits of a thermal camera, 12 and 14 bits in 16, 32 bits, floats in
degrees, Kelvin and other units. Over seeds, on the CPU; about 8 minutes.
"""

from __future__ import annotations

import contextlib
import io
import runpy
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import measuring
import numpy as np
from PIL import Image

import eyespot
from eyespot.answering.model import load
from eyespot.data.data_set import Picture
from eyespot.serve.pictures import read_sent

PICTURES, TESTED, SIDE = 60, 480, 48
EXAMPLE = Path(__file__).parents[1] / "examples" / "standalone_predict.py"
TWIN = "8 bits"
KINDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    TWIN: lambda scene: np.rint(255 * scene).astype(np.uint8),
    "thermal, 16 bits": lambda scene: np.rint(2731 + 681 * scene).astype(np.uint16),
    "12 in 16 bits": lambda scene: np.rint(4095 * scene).astype(np.uint16),
    "14 in 16 bits": lambda scene: np.rint(16383 * scene).astype(np.uint16),
    "32 bits": lambda scene: np.rint(-40_000 + 100_000 * scene).astype(np.int32),
    "floats 0 to 1": lambda scene: scene.astype(np.float32),
    "floats 0 to 255": lambda scene: (255 * scene).astype(np.float32),
    "Celsius": lambda scene: (-12 + 60 * scene).astype(np.float32),
    "Kelvin": lambda scene: (261.15 + 60 * scene).astype(np.float32),
    "thousandths": lambda scene: (0.001 * scene).astype(np.float32),
}
BAR = measuring.at_most(0.03, "of all pictures", "accuracy within 3 points of the 8-bit twins")
SAME = measuring.at_most(0.001, "of a probability", "the same answers from predict, serve, export and the example")


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=list(KINDS), metavar="KIND")
    options = parser.parse_args()
    print(measuring.heading())
    kinds = [TWIN, *(kind for kind in options.kinds if kind != TWIN)]
    found: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
    for seed in range(options.seeds):
        for kind in kinds:
            with tempfile.TemporaryDirectory() as name:
                found[kind].append(measured(Path(name), KINDS[kind], seed))
    twin = statistics.mean(accuracy for accuracy, _ in found[TWIN])
    print(f"{'kind':20} accuracy, each seed and mean; largest difference between the ways to ask")
    for kind, runs in found.items():
        each = " ".join(f"{accuracy:.3f}" for accuracy, _ in runs)
        mean = statistics.mean(accuracy for accuracy, _ in runs)
        print(f"{kind:20} {each}  {mean:.3f} ({mean - twin:+.3f})  {max(apart for _, apart in runs):.1e}")
    worst = max(abs(twin - statistics.mean(accuracy for accuracy, _ in runs)) for runs in found.values())
    print(BAR.verdict(worst))
    print(SAME.verdict(max(apart for runs in found.values() for _, apart in runs)))


def measured(folder: Path, as_numbers: Callable[[np.ndarray], np.ndarray], seed: int) -> tuple[float, float]:
    """Accuracy on new pictures of a model of one kind, and how far its probabilities lie apart."""
    random = np.random.default_rng(seed)
    for part, count in {"train": PICTURES, "test": TESTED}.items():
        for number in range(count):
            label = ("narrow", "wide")[number % 2]
            (folder / part / label).mkdir(parents=True, exist_ok=True)
            image = Image.fromarray(as_numbers(scene(random, label)))
            image.save(folder / part / label / f"{number}.tif")
    result = eyespot.train(
        folder, out=folder / "runs", name="run", model="efficientnet_lite0", seed=seed, precision="fp32"
    )
    model, files = load(result.run), sorted((folder / "test").rglob("*.tif"))
    predicted = model.predict(files, topk=2)
    right = [each.predictions[0].class_ == Path(each.picture).parent.name for each in predicted if each.predictions]
    answers = [{each.class_: each.probability for each in one.predictions} for one in predicted[:8]]
    return sum(right) / len(files), apart(model, result, files[:8], answers)


def scene(random: np.random.Generator, label: str) -> np.ndarray:
    """A noisy ground with a faint warm spot: (SIDE, SIDE), 0 to 1."""
    down, across = np.mgrid[0:SIDE, 0:SIDE]
    middle, height = random.uniform(0.2, 0.8, 2) * SIDE
    spot = np.exp(-((across - middle) ** 2 + (down - height) ** 2) / (160 if label == "wide" else 25))
    return np.clip(0.4 + random.uniform(0.1, 0.6) * spot + random.normal(0, 0.09, (SIDE, SIDE)), 0, 1)


def apart(model: Any, result: Any, files: list[Path], answers: list[dict[str, float]]) -> float:
    """The largest difference of a probability between `predict` and what serve, an export and the example say."""
    preprocess, differences = model.manifest.preprocess, [0.0]
    images = np.stack([read_sent(Picture(str(file), path=file).read(), preprocess).image for file in files])
    served = [row for _, row in model.classifier.stream(enumerate(images), many=False)]
    exported = eyespot.export(result.run).files[0]
    by_export = eyespot.load(exported).predict(files, topk=2)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        runpy.run_path(str(EXAMPLE))["main"](exported, [str(file) for file in files])
    for number, (answer, line) in enumerate(zip(answers, said.getvalue().splitlines(), strict=True)):
        differences += [abs(served[number][model.classes.index(name)] - answer[name]) for name in answer]
        differences += [abs(each.probability - answer[each.class_]) for each in by_export[number].predictions]
        words = (each.split() for each in line.rpartition(": ")[2].split(", "))
        differences += [abs(float(probability) - answer[name]) for name, probability in words]
    return float(max(differences))


if __name__ == "__main__":
    main()
