"""Two other ways to a detector, run by detection.py in an environment of their own; it prints one line of JSON.

    python detection_peers.py ultralytics --data YOLO --seconds 100 --seed 0 [--until 0.85]
    python detection_peers.py fcos --data YOLO --seconds 100 --seed 0 --weights LITE0.npz

ultralytics: the newest nano network that the package has, from scratch, as its documentation trains one. fcos:
torchvision's FCOS head and feature pyramid on EfficientNet-Lite0 with eyespot's own frozen weights. mAP50 is
pycocotools' on all test boxes.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
import tempfile
import time
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))  # eyespot's own networks, which need torch alone
from eyespot import zoo
from eyespot.blocks import taps

Truth = list[tuple[Path, np.ndarray, np.ndarray]]
NANO = ("yolo26n.yaml", "yolo12n.yaml", "yolo11n.yaml", "yolov8n.yaml")
"""From the newest down."""
EVERY = 240.0
"""Seconds between two measurements where it goes on until it is as good."""


def boxes_of(data: Path, part: str) -> Truth:
    """Each picture of a part with its boxes (M, 4), pixels, and its class numbers (M,)."""
    found = []
    for picture in sorted((data / "images" / part).glob("*")):
        with Image.open(picture) as image:
            width, height = image.size
        text = data / "labels" / part / f"{picture.stem}.txt"
        rows = [list(map(float, line.split())) for line in text.read_text().splitlines()] if text.exists() else []
        values = np.array(rows, float).reshape(-1, 5)
        middle, size = values[:, 1:3] * (width, height), values[:, 3:] * (width, height)
        found.append((picture, np.hstack([middle - size / 2, middle + size / 2]), values[:, 0].astype(int)))
    return found


def map50(truth: Truth, found: list[tuple[np.ndarray, np.ndarray, np.ndarray]], classes: int) -> float:
    """pycocotools' mAP50. found: boxes (N, 4), scores (N,) and labels (N,) of each picture."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def rows(boxes: np.ndarray) -> list[list[float]]:
        return np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]]).tolist()

    true, answered = COCO(), []
    annotations = []
    for number, ((_, boxes, labels), (answers, scores, said)) in enumerate(zip(truth, found, strict=True), start=1):
        for box, label in zip(rows(boxes), labels.tolist(), strict=True):
            area = box[2] * box[3]
            row = {"id": len(annotations) + 1, "image_id": number, "category_id": label + 1, "bbox": box, "area": area}
            annotations.append(row | {"iscrowd": 0})
        for box, score, label in zip(rows(answers), scores.tolist(), said.tolist(), strict=True):
            answered.append({"image_id": number, "category_id": int(label) + 1, "bbox": box, "score": score})
    true.dataset = {
        "images": [{"id": number} for number in range(1, len(truth) + 1)],
        "annotations": annotations,
        "categories": [{"id": number + 1} for number in range(classes)],
    }
    if not answered:
        return 0.0
    with contextlib.redirect_stdout(io.StringIO()):
        true.createIndex()
        judge = COCOeval(true, true.loadRes(answered), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return float(judge.stats[1])


def ultralytics(options: argparse.Namespace, classes: list[str]) -> list[tuple[float, float]]:
    """mAP50 by seconds of training. The clock stands still while it is measured."""
    from ultralytics import YOLO, settings

    settings.update({"sync": False})
    folder = Path(tempfile.mkdtemp())
    names = "".join(f"{part}: images/{part}\n" for part in ("train", "val", "test"))
    (folder / "data.yaml").write_text(f"path: {options.data}\n{names}names: {json.dumps(classes)}\n")
    truth = boxes_of(options.data, "test")
    found: list[tuple[float, float]] = []
    clock = {"began": time.perf_counter(), "next": EVERY if options.until else float("inf")}

    def judged(weights: Path) -> float:
        model, answers = YOLO(weights), []
        for picture, _, _ in truth:
            [result] = model.predict(picture, conf=0.01, iou=0.6, max_det=100, imgsz=640, verbose=False, device="cpu")
            answers.append((result.boxes.xyxy.numpy(), result.boxes.conf.numpy(), result.boxes.cls.numpy()))
        return map50(truth, answers, len(classes))

    def after_epoch(trainer: object) -> None:
        now = time.perf_counter() - clock["began"]
        if now < clock["next"] and now < options.seconds:
            return
        trainer.save_model()  # type: ignore[attr-defined]
        value = judged(Path(trainer.last))  # type: ignore[attr-defined]
        found.append((now, value))
        clock["began"] += time.perf_counter() - clock["began"] - now
        clock["next"] = now + EVERY
        if now >= options.seconds or (options.until and value >= options.until):
            trainer.stop = True  # type: ignore[attr-defined]

    name = next(each for each in NANO if _known(each))
    model = YOLO(name)
    model.add_callback("on_fit_epoch_end", after_epoch)
    how = {"pretrained": False, "imgsz": 640, "device": "cpu", "seed": options.seed, "workers": 2, "plots": False}
    hours = options.seconds / 3600
    with contextlib.redirect_stdout(io.StringIO()):
        model.train(data=folder / "data.yaml", time=hours, val=False, project=folder, name="run", verbose=False, **how)
    if not found or not options.until:
        found.append((options.seconds, judged(folder / "run" / "weights" / "last.pt")))
    return found


def _known(name: str) -> bool:
    from ultralytics import YOLO

    try:
        YOLO(name)
    except FileNotFoundError:  # an older package
        return False
    return True


class Frozen(nn.Module):
    """EfficientNet-Lite0 with its ImageNet weights, frozen, and torchvision's feature pyramid on three of its maps."""

    out_channels = 256

    def __init__(self, weights: Path) -> None:
        from torchvision.ops import FeaturePyramidNetwork

        super().__init__()
        net = zoo.create("efficientnet_lite0")
        net.load_state_dict({name: torch.from_numpy(values) for name, values in np.load(weights).items()})
        self.net = net.eval().requires_grad_(False)
        self.pyramid = FeaturePyramidNetwork([40, 112, 320], self.out_channels)

    def train(self, mode: bool = True) -> Frozen:
        super().train(mode)
        self.net.eval()
        return self

    def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        with torch.no_grad():
            maps = taps(self.net, ["stage3", "stage5", "stage7"], images)
        return dict(self.pyramid(OrderedDict(maps)))


def fcos(options: argparse.Namespace, classes: list[str]) -> list[tuple[float, float]]:
    """mAP50 after the seconds. SGD as torchvision's reference trains detectors, batches of 2."""
    from torchvision.models.detection import FCOS
    from torchvision.models.detection.anchor_utils import AnchorGenerator

    anchors = AnchorGenerator(((8,), (16,), (32,)), ((1.0,),) * 3)
    images = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "min_size": 480, "max_size": 640}
    net = FCOS(Frozen(options.weights), len(classes), anchor_generator=anchors, **images)
    trained = [each for each in net.parameters() if each.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=0.005, momentum=0.9, weight_decay=1e-4)
    truth, random = boxes_of(options.data, "train"), np.random.default_rng(options.seed)
    net.train()
    began, steps = time.perf_counter(), 0
    while time.perf_counter() - began < options.seconds:
        pictures, targets = [], []
        for at in random.choice(len(truth), 2, replace=False):
            path, boxes, labels = truth[at]
            pictures.append(pixels(path))
            targets.append({"boxes": torch.tensor(boxes, dtype=torch.float32), "labels": torch.tensor(labels)})
        for group in optimizer.param_groups:
            group["lr"] = 0.005 * min(1.0, (steps + 1) / 50)
        loss = sum(net(pictures, targets).values())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 10.0)
        optimizer.step()
        steps += 1
    print(f"fcos: {steps} steps", file=sys.stderr)
    net.eval()
    test = boxes_of(options.data, "test")
    with torch.inference_mode():
        answers = [net([pixels(path)])[0] for path, _, _ in test]
    found = [(each["boxes"].numpy(), each["scores"].numpy(), each["labels"].numpy()) for each in answers]
    return [(options.seconds, map50(test, found, len(classes)))]


def pixels(path: Path) -> torch.Tensor:
    """(3, H, W), 0 to 1."""
    with Image.open(path) as image:
        return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).float() / 255


def names_of(data: Path) -> list[str]:
    """The lines of data.yaml that name classes, as eyespot writes them."""
    lines = (data / "data.yaml").read_text().splitlines()
    return [line for line in lines[lines.index("names:") + 1 :] if line.startswith("  ")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=("ultralytics", "fcos"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--until", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weights", type=Path)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    classes = [json.loads(line.partition(":")[2]) for line in names_of(options.data)]
    found = (ultralytics if options.way == "ultralytics" else fcos)(options, classes)
    print(json.dumps({"map50": found, "processor_seconds": time.process_time()}))


if __name__ == "__main__":
    main()
