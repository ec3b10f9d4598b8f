"""What other libraries do with the files of the failure zoo, in the way that their own pages tell a person to go.

    PYTHON benchmarks/failure_zoo_peers.py PEER TASKS.json ANSWERS.json

PYTHON is that of an environment with the library; failure_zoo.py calls it. Small networks train for one epoch with
images of 64 pixels and default settings else. Each task is done in a process of its own, for two minutes at most.

fastai: `ImageDataLoaders.from_folder` and `vision_learner`. timm: `create_dataset`, `create_loader`, `create_model`, as
its train.py calls them. torchvision: `ImageFolder`, its transforms and models, as references/classification calls them.
Ultralytics: `YOLO("yolo26n-cls.yaml").train(data=...)`, and `yolo26n.yaml` for boxes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

SECONDS = 120
SIDE, BATCH, LARGE_RATE = 64, 8, 1e20
TOLD = re.compile(r"warn|error|corrupt|skip|ignor|invalid|duplicate|restored", re.IGNORECASE)
NOTHING_FOUND, COUNTED = re.compile(r"\b0 corrupt|optimizer:"), re.compile(r"\b[1-9]\d* (corrupt|duplicate)")
"""Lines in which something is said of the pictures; those of something else, or that all is well; with a count."""
FLIPS = 8
HAS_NONE, NOT_RUN = "has none", "not run"


@dataclass
class Trained:
    """One epoch on a folder with train and val."""

    files: list[str]
    """That were listed, of both parts."""
    classes: list[str]
    val_classes: list[str]
    """In the order of their numbers in val, where that is another list."""
    weights: dict[str, np.ndarray]
    model: Any = None
    kept: dict[str, Any] = field(default_factory=dict)


def finite(trained: Trained) -> bool:
    return all(np.isfinite(each).all() for each in trained.weights.values())


def arrays_of(net: Any) -> dict[str, np.ndarray]:
    return {name: each.detach().cpu().float().numpy() for name, each in net.state_dict().items()}


def loop(net: Any, loader: Any, rate: float) -> None:
    """The steps of one epoch, as the scripts of timm and torchvision take them."""
    import torch

    optimizer = torch.optim.SGD(net.parameters(), lr=rate, momentum=0.9)
    net.train()
    for images, labels in loader:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(images), labels).backward()
        optimizer.step()


def watched(net: Any, loader: Any) -> None:
    import torch

    net.eval()
    with torch.inference_mode():
        for images, _ in loader:
            net(images)


class Fastai:
    """fastai."""

    def train(self, data: Path, rate: float | None = None) -> Trained:
        from fastai.vision.all import ImageDataLoaders, Resize, accuracy, resnet18, vision_learner

        loaders = ImageDataLoaders.from_folder(
            data, train="train", valid="val", item_tfms=Resize(SIDE), bs=BATCH, num_workers=0
        )
        return self._fitted(loaders, vision_learner(loaders, resnet18, metrics=accuracy, pretrained=False), rate)

    def _fitted(self, loaders: Any, learner: Any, rate: float | None) -> Trained:
        with learner.no_bar():
            learner.fit_one_cycle(1, rate)
        files = [str(each) for part in (loaders.train_ds, loaders.valid_ds) for each in part.items]
        names = [str(each) for each in loaders.vocab]
        return Trained(files, names, names, arrays_of(learner.model), learner)

    def read(self, path: Path) -> np.ndarray:
        from fastai.vision.all import PILImage

        return np.asarray(PILImage.create(path))

    def split(self, data: Path) -> dict[str, str]:
        from fastai.vision.all import ImageDataLoaders, Resize

        loaders = ImageDataLoaders.from_folder(data, valid_pct=0.2, seed=42, item_tfms=Resize(SIDE), num_workers=0)
        parts = {"train": loaders.train_ds.items, "val": loaders.valid_ds.items}
        return {str(Path(each).relative_to(data)): part for part, items in parts.items() for each in items}

    def table(self, path: Path) -> Any:
        from fastai.vision.all import ImageDataLoaders, Resize, accuracy, resnet18, vision_learner

        loaders = ImageDataLoaders.from_csv(path.parent, path.name, item_tfms=Resize(SIDE), bs=BATCH, num_workers=0)
        return self._fitted(loaders, vision_learner(loaders, resnet18, metrics=accuracy, pretrained=False), None)

    def gpu(self, data: Path) -> Any:
        from fastai.vision.all import default_device

        default_device(use=True)
        return self.train(data)

    def save(self, trained: Trained, path: Path) -> Path:
        trained.model.export(path.with_suffix(".pkl").absolute())
        return path.with_suffix(".pkl")

    def load(self, path: Path) -> tuple[dict[str, np.ndarray], list[str]]:
        from fastai.vision.all import load_learner

        learner = load_learner(path)
        return arrays_of(learner.model), [str(each) for each in learner.dls.vocab]


class Timm:
    """timm."""

    def train(self, data: Path, rate: float | None = None) -> Trained:
        import timm
        import torch
        from timm.data import create_dataset, create_loader

        parts = [create_dataset("", root=str(data), split=split) for split in ("train", "validation")]
        told = {"input_size": (3, SIDE, SIDE), "batch_size": BATCH, "num_workers": 0, "use_prefetcher": False}
        device = torch.device("cpu")
        loaders = [
            create_loader(part, is_training=number == 0, device=device, **told) for number, part in enumerate(parts)
        ]
        classes = [sorted(each.reader.class_to_idx, key=each.reader.class_to_idx.get) for each in parts]
        net = timm.create_model("resnet18", pretrained=False, num_classes=len(classes[0]))
        loop(net, loaders[0], rate or 0.05)
        watched(net, loaders[1])
        files = [name for part in parts for name in part.filenames(absolute=True)]
        return Trained(files, classes[0], classes[1], arrays_of(net), net)

    def read(self, path: Path) -> np.ndarray:
        from timm.data import create_dataset

        return np.asarray(create_dataset("", root=str(path.parent))[0][0].convert("RGB"))

    def gpu(self, data: Path) -> Any:
        import timm

        return timm.create_model("resnet18").to("cuda")  # the default of its train.py

    def save(self, trained: Trained, path: Path) -> Path:
        import torch

        torch.save({"state_dict": trained.model.state_dict()}, path)
        return path

    def load(self, path: Path) -> tuple[dict[str, np.ndarray], list[str]]:
        import timm

        return arrays_of(timm.create_model("resnet18", num_classes=3, checkpoint_path=str(path))), []


class Torchvision:
    """torchvision."""

    def train(self, data: Path, rate: float | None = None) -> Trained:
        import torch
        import torchvision
        from torchvision import transforms

        steps = [transforms.PILToTensor(), transforms.ConvertImageDtype(torch.float)]
        crops = (
            transforms.RandomResizedCrop(SIDE),
            transforms.Compose([transforms.Resize(SIDE), transforms.CenterCrop(SIDE)]),
        )
        parts = [
            torchvision.datasets.ImageFolder(str(data / part), transforms.Compose([crop, *steps]))
            for part, crop in zip(("train", "val"), crops, strict=True)
        ]
        loaders = [torch.utils.data.DataLoader(part, batch_size=BATCH, shuffle=part is parts[0]) for part in parts]
        net = torchvision.models.resnet18(weights=None, num_classes=len(parts[0].classes))
        loop(net, loaders[0], rate or 0.1)
        watched(net, loaders[1])
        files = [name for part in parts for name, _ in part.samples]
        return Trained(files, parts[0].classes, parts[1].classes, arrays_of(net), net)

    def read(self, path: Path) -> np.ndarray:
        from torchvision.datasets.folder import default_loader

        return np.asarray(default_loader(str(path)))

    def gpu(self, data: Path) -> Any:
        import torchvision

        return torchvision.models.resnet18().to("cuda")  # the default of its train.py

    def save(self, trained: Trained, path: Path) -> Path:
        import torch

        torch.save({"model": trained.model.state_dict(), "epoch": 0}, path)
        return path

    def load(self, path: Path) -> tuple[dict[str, np.ndarray], list[str]]:
        import torch
        import torchvision

        net = torchvision.models.resnet18(num_classes=3)
        net.load_state_dict(torch.load(path, map_location="cpu")["model"])
        return arrays_of(net), []


class Ultralytics:
    """Ultralytics."""

    def train(self, data: Path, rate: float | None = None) -> Trained:
        return self._run("yolo26n-cls.yaml", str(data), **({} if rate is None else {"lr0": rate, "optimizer": "SGD"}))

    def _run(self, network: str, data: str, **options: Any) -> Trained:
        from ultralytics import YOLO

        model = YOLO(network)
        told = {"epochs": 1, "imgsz": SIDE, "batch": BATCH, "workers": 0, "plots": False, "project": tempfile.mkdtemp()}
        model.train(data=data, **told, **options)
        sets = [model.trainer.train_loader.dataset, model.trainer.test_loader.dataset]
        files = [str(each[0]) for part in sets for each in getattr(part, "samples", [])]
        files = files or [str(each) for part in sets for each in part.im_files]
        names = [getattr(getattr(part, "base", part), "classes", None) or list(model.names.values()) for part in sets]
        kept = {"boxes": sum(len(each["cls"]) for part in sets for each in getattr(part, "labels", []))}
        return Trained(files, *names, arrays_of(model.model), model, kept)

    def read(self, path: Path) -> np.ndarray:
        from ultralytics.data.loaders import LoadImagesAndVideos

        [image] = next(iter(LoadImagesAndVideos(str(path))))[1]
        return np.asarray(image)[..., ::-1]

    def split(self, data: Path) -> dict[str, str]:
        from ultralytics.data.utils import check_cls_dataset

        found = check_cls_dataset(str(data))
        parts = {part: Path(found[part]) for part in ("train", "val")}
        return {each.relative_to(at).as_posix(): part for part, at in parts.items() for each in at.glob("*/*.*")}

    def boxes(self, data: Path) -> Trained:
        import torchvision
        from ultralytics.utils.nms import TorchNMS

        torchvision.ops.nms = TorchNMS.nms  # its own, for torchvision beside a small build of torch lacks the operator
        return self._run("yolo26n.yaml", str(data / "data.yaml"))

    def gpu(self, data: Path) -> Any:
        return self._run("yolo26n-cls.yaml", str(data), device=0)

    def save(self, trained: Trained, path: Path) -> Path:
        path.with_suffix(".pt").write_bytes(Path(trained.model.trainer.best).read_bytes())
        return path.with_suffix(".pt")

    def load(self, path: Path) -> tuple[dict[str, np.ndarray], list[str]]:
        from ultralytics import YOLO

        model = YOLO(str(path))
        return arrays_of(model.model), list(model.names.values())


PEERS: dict[str, Callable[[], Any]] = {
    "fastai": Fastai,
    "timm": Timm,
    "torchvision": Torchvision,
    "ultralytics": Ultralytics,
}


# What is asked, and its outcome in words


@dataclass(frozen=True)
class Task:
    """What a row asks."""

    row: str
    ask: str
    data: Path
    odd: list[str]
    readings: dict[str, str]
    plain: Path
    """A folder that nothing is wrong with."""


class Words:
    """The outcome of each kind of task."""

    def __init__(self, peer: Any, task: Task, said: Callable[[], str]) -> None:
        """said: what the library has printed until now."""
        self.peer, self.task, self.said = peer, task, said

    def warned(self) -> str:
        lines = [line for line in self.said().splitlines() if TOLD.search(line) and not NOTHING_FOUND.search(line)]
        names = [os.path.basename(each) for each in self.task.odd]
        about = [line for line in lines if not names or COUNTED.search(line) or any(name in line for name in names)]
        return "warns" if about else "says nothing"

    def train(self) -> str:
        before = _state(self.task.data)
        try:
            trained = self.peer.train(self.task.data)
        finally:
            changes = _changes(before, _state(self.task.data))
        special = getattr(self, self.task.row.replace("-", "_"), None)
        if special:
            return special(trained, changes)
        root = str(self.task.data)
        listed = {os.path.relpath(each, root) for each in trained.files}
        used = [each for each in self.task.odd if each in listed]
        with_it = "with it" if len(self.task.odd) == 1 else f"with {len(used)} of the {len(self.task.odd)}"
        without = "without it" if len(self.task.odd) == 1 else "without them"
        return f"trains {with_it if used else without}, {self.warned()}{changes}"

    def untouched(self, trained: Trained, changes: str) -> str:
        return changes.removeprefix("; ") or "nothing is changed"

    def wrapped(self, trained: Trained, changes: str) -> str:
        return f"trains on the classes {', '.join(trained.classes)}"

    def empty_class(self, trained: Trained, changes: str) -> str:
        empty = "an empty class hexagon" if "hexagon" in trained.classes else "no class hexagon"
        return f"trains, {empty}, {self.warned()}"

    def numeric_classes(self, trained: Trained, changes: str) -> str:
        return f"in the order {', '.join(trained.classes)}"

    def wrong_ending(self, trained: Trained, changes: str) -> str:
        return "used like all others"

    def odd_names(self, trained: Trained, changes: str) -> str:
        used = sum(os.path.relpath(each, self.task.data) in self.task.odd for each in trained.files)
        return f"uses {used} of the {len(self.task.odd)}, {self.warned()}"

    def link_circle(self, trained: Trained, changes: str) -> str:
        times = Counter(os.path.realpath(each) for each in trained.files).most_common(1)[0][1]
        return f"uses pictures {times} times, {self.warned()}" if times > 1 else f"each picture once, {self.warned()}"

    def other_order(self, trained: Trained, changes: str) -> str:
        wrong = [(a, b) for a, b in zip(trained.classes, trained.val_classes, strict=False) if a != b]
        return f"counts {wrong[0][1]} as {wrong[0][0]}, {self.warned()}" if wrong else "by name"

    def val_on_train(self, trained: Trained, changes: str) -> str:
        return f"measures, {self.warned()}"

    def read(self) -> str:
        seen = _small(self.peer.read(self.task.data))
        far = {name: np.abs(seen - _small(_pixels(path))).mean() for name, path in self.task.readings.items()}
        name = min(far, key=lambda each: far[each])
        return f"sees it {name}" if far[name] < 12 else "sees something else"

    def split(self) -> str:
        if not hasattr(self.peer, "split"):
            return "splits nothing itself"
        parts = self.peer.split(self.task.data)
        size = 2 if self.task.row == "near-copies" else 3
        groups = [self.task.odd[at : at + size] for at in range(0, len(self.task.odd), size)]
        torn = sum(len({parts[each] for each in group if each in parts}) > 1 for group in groups)
        return f"{torn} of {len(groups)} lie in two parts, {self.warned()}"

    def list(self) -> str:
        if not hasattr(self.peer, "table"):
            return HAS_NONE
        self.peer.table(self.task.data)
        return f"trains, {self.warned()}"

    def boxes(self) -> str:
        if not hasattr(self.peer, "boxes"):
            return HAS_NONE
        outcomes = []
        for folder in (self.task.data, self.task.data.with_name("nameless")):
            try:
                trained = self.peer.boxes(folder)
                outcomes.append(f"trains on {trained.kept['boxes']} of 9 boxes, {self.warned()}")
            except Exception as error:
                outcomes.append(raised(error, ["train-0"]))
        return "; the second: ".join(outcomes)

    def diverge(self) -> str:
        if isinstance(self.peer, Timm | Torchvision):
            return NOT_RUN  # their loops are in scripts of their repositories, and the one above is ours
        trained = self.peer.train(self.task.plain, LARGE_RATE)
        return f"trains to its end, {self.warned()}; the weights are {'numbers' if finite(trained) else 'no numbers'}"

    def gpu(self) -> str:
        self.peer.gpu(self.task.plain)
        return f"trains, {self.warned()}"

    def poison(self) -> str:
        marker = self.task.data.with_name("marker")
        marker.unlink(missing_ok=True)
        copy = self.task.data.with_suffix(".pt")
        copy.write_bytes(self.task.data.read_bytes())
        try:
            self.peer.load(copy)
            outcome = "loads it"
        except BaseException as error:
            outcome = raised(error, [])
        return f"{outcome}; its code {'was run' if marker.exists() else 'was not run'}"

    def _saved(self) -> Path:
        trained = self.peer.train(self.task.plain)
        return self.peer.save(trained, Path(tempfile.mkdtemp()) / "model.pth")

    def cut_weights(self) -> str:
        path = self._saved()
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        self.peer.load(path)
        return "loads it"

    def flip(self) -> str:
        path = self._saved()
        whole = path.read_bytes()
        before, _ = self.peer.load(path)
        outcomes = Counter[str]()
        for number in range(FLIPS):
            at = (2 * number + 1) * len(whole) // (2 * FLIPS)
            path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << number)]) + whole[at + 1 :])
            try:
                after, _ = self.peer.load(path)
                same = all(np.array_equal(before[name], after[name], equal_nan=True) for name in before)
                outcomes["load as before" if same else "load with another weight, nothing said"] += 1
            except Exception as error:
                outcomes[raised(error, []).replace("raises", "raise")] += 1
        return ", ".join(f"{count} of {FLIPS} flipped bits {outcome}" for outcome, count in outcomes.most_common())

    def flip_name(self) -> str:
        path = self._saved()
        whole = path.read_bytes()
        at = whole.find(b"circle")
        if at < 0:
            return "keeps no names"
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        names = self.peer.load(path)[1]
        return f"a class is called {names[0]}, nothing said" if names[0] != "circle" else "answers as before"


def raised(error: BaseException, names: list[str]) -> str:
    """What an error is, and whether it names one of the files."""
    named = any(name in str(error) for name in names)
    return f"raises {type(error).__name__}{', names the file' if named else ''}"


def _state(data: Path) -> dict[str, str]:
    if not data.is_dir():
        return {}
    files = [Path(at) / name for at, _, names in os.walk(data) for name in names]
    return {str(each): hashlib.sha256(each.read_bytes()).hexdigest() for each in files if each.is_file()}


def _changes(before: dict[str, str], after: dict[str, str]) -> str:
    new, changed = len(after.keys() - before.keys()), sum(before[name] != after.get(name) for name in before)
    said = [f"writes {new} of its own files there"] if new else []
    said += [f"changes {changed} of the user's files"] if changed else []
    return "".join(f"; {each}" for each in said)


def _pixels(path: str) -> np.ndarray:
    from PIL import Image

    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def _small(image: np.ndarray) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.fromarray(np.ascontiguousarray(image)).convert("RGB").resize((24, 24)), np.float32)


def done(peer: Any, task: Task) -> str:
    """The outcome of one task, done in a process of its own."""
    with tempfile.NamedTemporaryFile() as printed, tempfile.NamedTemporaryFile() as told:
        child = os.fork()
        if child == 0:
            _do(peer, task, printed.name, told.name)
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                words = Path(told.name).read_text("utf-8")
                return words or f"the process ends with signal {os.WTERMSIG(status)}"
            time.sleep(0.05)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return f"had not ended after {SECONDS} s"


def _do(peer: Any, task: Task, printed: str, told: str) -> None:
    file = os.open(printed, os.O_WRONLY | os.O_APPEND)
    for number in (1, 2):
        os.dup2(file, number)

    def said() -> str:
        sys.stdout.flush()
        sys.stderr.flush()
        return Path(printed).read_text("utf-8", "replace")

    try:
        words = getattr(Words(peer, task, said), task.ask.replace("-", "_"))()
    except BaseException as error:
        traceback.print_exc()
        words = raised(error, [os.path.basename(each) for each in task.odd])
    Path(told).write_text(words, "utf-8")
    os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("tasks", type=Path)
    parser.add_argument("answers", type=Path)
    options = parser.parse_args()
    os.environ |= {"YOLO_OFFLINE": "1", "WANDB_MODE": "disabled"}
    from outside import timm_with_torchvision

    timm_with_torchvision()
    import torch

    torch.set_num_threads(1)  # a forked child would wait for threads that only its parent has
    version = str(__import__(options.peer).__version__)
    answers = {}
    for told in json.loads(options.tasks.read_text("utf-8")):
        task = Task(told["row"], told["ask"], Path(told["data"]), told["odd"], told["readings"], Path(told["plain"]))
        answers[task.row] = done(PEERS[options.peer](), task)
        print(f"{options.peer}, {task.row}: {answers[task.row]}", flush=True)
    options.answers.write_text(json.dumps({"version": version, "answers": answers}), "utf-8")


if __name__ == "__main__":
    main()
