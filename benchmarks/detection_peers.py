"""Other ways to a detector, run by detection.py in an environment of their own; it prints one line of JSON.

    python detection_peers.py ultralytics --data YOLO --seconds 100 --seed 0 [--until 0.85]
    python detection_peers.py fcos --data YOLO --seconds 100 --seed 0 --weights LITE0.npz
    python detection_peers.py ssdlite --data YOLO --seconds 100 --seed 0 --weights LITE0.npz

ultralytics: the newest nano network that the package has, from scratch, as its documentation trains one. fcos, ssdlite:
torchvision's heads on eyespot's own frozen network (detection_torchvision.py). mAP50 is pycocotools', on the 100 surest
boxes of each test picture; eyespot's own figure, which detection.py prints, equals it to nine digits (tests/evaluate).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

ASKED = ("seconds", "seed", "weights")
Truth = list[tuple[Path, np.ndarray, np.ndarray]]
NANO = ("yolo26n.yaml", "yolo12n.yaml", "yolo11n.yaml", "yolov8n.yaml")
"""From the newest down."""
JUDGED = {"conf": 0.001, "iou": 0.7, "max_det": 300, "imgsz": 640, "verbose": False, "device": "cpu"}
"""As the package itself validates."""
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
            [result] = model.predict(picture, **JUDGED)
            answers.append((result.boxes.xyxy.numpy(), result.boxes.conf.numpy(), result.boxes.cls.numpy()))
        return map50(truth, answers, len(classes))

    def after_epoch(trainer: object) -> None:
        now = time.perf_counter() - clock["began"]
        if now < clock["next"] and now < options.seconds:
            return
        trainer.save_model()  # type: ignore[attr-defined]
        value = judged(Path(trainer.last))  # type: ignore[attr-defined]
        found.append((now, value))
        print(f"ultralytics after {now:.0f} s: mAP50 {value:.3f}", file=sys.stderr, flush=True)
        judging = time.perf_counter() - clock["began"] - now
        clock["began"] += judging
        trainer.train_time_start += judging  # type: ignore[attr-defined]  # its own clock stands still, too
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


def names_of(data: Path) -> list[str]:
    """The lines of data.yaml that name classes, as eyespot writes them."""
    lines = (data / "data.yaml").read_text().splitlines()
    return [line for line in lines[lines.index("names:") + 1 :] if line.startswith("  ")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=("ultralytics", "fcos", "ssdlite"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--until", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--part", default="test", help="the pictures that are judged on (default test)")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    classes = [json.loads(line.partition(":")[2]) for line in names_of(options.data)]
    if options.way == "ultralytics":
        found = ultralytics(options, classes)
    else:
        from detection_torchvision import trained

        truth = {part: boxes_of(options.data, part) for part in ("train", options.part)}
        net = trained(options.way, truth["train"], len(classes), **{name: getattr(options, name) for name in ASKED})
        answers = [net(path) for path, _, _ in truth[options.part]]
        found = [(options.seconds, map50(truth[options.part], answers, len(classes)))]
    print(json.dumps({"map50": found, "processor_seconds": time.process_time()}))


if __name__ == "__main__":
    main()
