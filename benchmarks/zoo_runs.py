"""Rows of the failure zoo: runs that are stopped, and models' files that are not what they say."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zoo_ground import Case, Ground, Missed, Row, Said, must, noted

from eyespot.bundle.files import CHECKPOINTS, FOLDER, GRAPH, MANIFEST
from eyespot.zoo.weights import of_network

SCRATCH = ("--regime", "scratch", "--model", "resnet20", "--epochs", "8")
FULL_BYTES = 4_000_000
"""What the full disk has: less than a model."""
LIMITED = f"""
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, ({FULL_BYTES}, {FULL_BYTES}))
os.execvp(sys.argv[1], sys.argv[1:])
"""
FLIPS = 8


def _photos(ground: Ground, folder: Path) -> Case:
    return Case(ground.sample / "photos")


def _at_checkpoint(run: Path, process: subprocess.Popen[str]) -> None:
    """Waits until a run that goes on has something to go on from. Raises Missed."""
    deadline = time.monotonic() + 120
    while not any(run.glob(f"{CHECKPOINTS}/*/[0-9]*")):
        must(process.poll() is None, "it ended before there was a checkpoint")
        must(time.monotonic() < deadline, "no checkpoint came in 120 s")
        time.sleep(0.05)


def _ended(process: subprocess.Popen[str]) -> Said:
    try:
        out, err = process.communicate(timeout=180)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise Missed("it had not ended after 180 s") from None
    return Said(process.returncode, out, err, None)


def _resumed(ground: Ground, case: Case) -> str:
    out = ground.folder / "killed"
    process = ground.begun("train", case.data, *SCRATCH, "--out", out, "--name", "a", "--quiet")
    _at_checkpoint(out / "train" / "a", process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    must(not (out / "train" / "a" / FOLDER).exists(), "it was killed too late")
    for command in (("--resume", out / "train" / "a"), (case.data, *SCRATCH, "--out", out, "--name", "b")):
        said = ground.eyespot("train", *command, "--quiet")
        must(said.status == 0, said.sentence)
    first, second = (hashlib.sha256((out / "train" / name / FOLDER / GRAPH).read_bytes()).digest() for name in "ab")
    must(first == second, "the weights are others than those of a run that was not killed")
    return "--resume ends with the same bits as a run that was not killed"


def _stopped(ground: Ground, case: Case) -> str:
    out = ground.folder / "stopped"
    process = ground.begun("train", case.data, *SCRATCH, "--out", out, "--name", "a", "--quiet")
    _at_checkpoint(out / "train" / "a", process)
    os.kill(process.pid, signal.SIGINT)
    began, said = time.monotonic(), _ended(process)
    must("Traceback" not in said.err, said.sentence)
    must(said.status == 0, f"status {said.status}: {said.sentence}")
    answered = ground.eyespot("predict", out / "train" / "a", ground.photos("circle")[0], "--json")
    must(len(answered.json) == 1, "the model answers nothing")
    return f"the best epoch so far, measured and written, {time.monotonic() - began:.0f} s later"


def _two(ground: Ground, case: Case) -> str:
    out = ground.folder / "two"
    command = ("train", case.data, "--regime", "frozen", "--out", out, "--name", "same", "--quiet")
    both = [ground.begun(*command) for _ in range(2)]
    said = sorted((_ended(process) for process in both), key=lambda each: each.status)
    must(said[0].status == 0, said[0].sentence)
    sentence = said[1].refused("same")
    must(ground.eyespot("val", out / "train" / "same", case.data, "--quiet").status == 0, "the model does not answer")
    return f"one is trained; the other: {sentence}"


@contextmanager
def _small_disk(folder: Path) -> Iterator[tuple[str, ...]]:
    """Before a command for which the disk at `folder` is full; where none can be made, no file may grow."""
    folder.mkdir()
    mounted = (
        shutil.which("mount")
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={FULL_BYTES}", "none", str(folder)], capture_output=True
        ).returncode
    )
    try:
        yield () if mounted else (sys.executable, "-c", LIMITED)
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


def _full(ground: Ground, case: Case) -> str:
    disk = ground.folder / "disk"
    with _small_disk(disk) as before:
        command = ("train", case.data, "--regime", "frozen", "--out", disk, "--name", "a", "--quiet")
        sentence = ground.eyespot(*command, before=before).refused("cannot be written")
        left = [each.name for each in disk.rglob(f"{FOLDER}*")]
        must(not left, f"there is {left}")
    return sentence


def _diverged(ground: Ground, case: Case) -> str:
    steps = ("--lr", "10", "--optimizer", "sgd", "--schedule", "constant", "--warmup", "0", "--epochs", "2")
    result = ground.train(case.data, "--regime", "scratch", "--model", "lenet5", *steps)
    words = noted(result, "no finite number")
    answers = ground.eyespot("predict", result["run"], ground.photos("circle")[0], "--json").json
    must(all(0 <= each["probability"] <= 1 for each in answers[0]["predictions"]), "the answers are no numbers")
    return words


def _no_gpu(ground: Ground, case: Case) -> str:
    ground.train(case.data)
    said = ground.eyespot("train", case.data, "--regime", "partial", "--device", "cuda", "--quiet")
    return f"trains on the processor; asked for cuda: {said.refused('CUDA')}"


# Files of models


class _Runs:
    """Unpickled, it makes a file: what a poisoned model does could be anything."""

    def __init__(self, marker: str) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self.marker, "w")


def poison(path: Path, marker: Path) -> Path:
    """A file of weights that runs code when it is unpickled."""
    path.write_bytes(pickle.dumps({"weight": _Runs(str(marker))}))
    return path


def _poisoned(ground: Ground, folder: Path) -> Case:
    return Case(poison(folder / "weights.pth", folder / "marker"))


def _never_run(ground: Ground, case: Case) -> str:
    marker, bundle = case.data.with_name("marker"), case.data.with_name("copied")
    shutil.copytree(ground.run / FOLDER, bundle)
    shutil.copyfile(case.data, bundle / GRAPH)
    photo = ground.photos("circle")[0]
    sentence = ground.eyespot("train", ground.sample / "photos", "--model", "resnet18", "--weights", case.data).refused(
        "weights.pth"
    )
    for model in (case.data, bundle):
        ground.eyespot("predict", model, photo).refused()
    must(not marker.exists(), "its code was run")
    return sentence


def _cut_weights(ground: Ground, folder: Path) -> Case:
    """A download that broke off, under the publisher's name where it is looked for."""
    import torch

    file, weights = io.BytesIO(), next(iter(of_network("resnet18").values()))
    torch.save({"conv1.weight": torch.zeros(64, 3, 7, 7)}, file)
    place = folder / "hub" / "checkpoints" / weights.file
    place.parent.mkdir(parents=True)
    place.write_bytes(file.getvalue()[: len(file.getvalue()) // 2])
    return Case(place)


def _not_whole(ground: Ground, case: Case) -> str:
    command = ("train", ground.sample / "photos", "--model", "resnet18", "--regime", "frozen", "--quiet")
    said = ground.eyespot(*command, env={"TORCH_HOME": str(case.data.parents[2])})
    given = ground.eyespot(*command, "--weights", shutil.copyfile(case.data, case.data.with_name("mine.pth")))
    given.refused("mine.pth")
    return said.refused("sha256")


def _bundle(ground: Ground, folder: Path) -> Case:
    return Case(Path(shutil.copytree(ground.run / FOLDER, folder / "copied")))


def flipped(data: bytes, at: int, bit: int = 0) -> bytes:
    return data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :]


def _damaged(ground: Ground, case: Case) -> str:
    graph, manifest = case.data / GRAPH, case.data / MANIFEST
    whole, photo = graph.read_bytes(), ground.photos("circle")[0]
    versions = [flipped(whole, (2 * n + 1) * len(whole) // (2 * FLIPS), n) for n in range(FLIPS)]
    for version in (*versions, whole[: len(whole) // 2], b""):
        graph.write_bytes(version)
        sentence = ground.eyespot("predict", case.data, photo).refused("model.onnx")
    graph.write_bytes(whole)
    manifest.unlink()
    ground.eyespot("predict", case.data, photo).refused("copied")
    return f"{FLIPS} of {FLIPS} flipped bits, a half file and a missing one refused: {sentence}"


def _meaning(ground: Ground, folder: Path) -> Case:
    """The model as a bundle and as exports, each of which says what its numbers mean."""
    for kind in ("onnx", "openvino"):
        said = ground.eyespot("export", ground.run, "--format", kind, "--out", folder / kind, "--quiet")
        must(said.status == 0, said.sentence)
    return Case(Path(shutil.copytree(ground.run / FOLDER, folder / "copied")))


def _said_otherwise(text: bytes) -> dict[str, bytes]:
    """A manifest, or a file that holds one, with one bit of what gives its numbers a meaning flipped."""
    found = {"a class's name": text.find(b"circle")}
    for name, word in (("the mean", b"mean"), ("the temperature", b"temperature"), ("the smaller side", b"short_side")):
        at = text.find(word)
        digits = [n for n in range(at, min(at + 60, len(text))) if text[n : n + 1] in b"123456789"] if at >= 0 else []
        found |= {name: digits[0]} if digits else {}
    return {name: flipped(text, at) for name, at in found.items() if at >= 0}


def _vouched(ground: Ground, case: Case) -> str:
    photo, count = ground.photos("circle")[0], 0
    folder = case.data.parent
    files = [(case.data / MANIFEST, case.data)] + [
        (each, each) for each in (*folder.glob("*/*.onnx"), *folder.glob("*/*.xml"))
    ]
    for file, model in [pair for pair in files if pair[0].name != GRAPH]:
        whole, before = file.read_bytes(), ground.eyespot("predict", model, photo, "--json").json
        versions = _said_otherwise(whole)
        if file.suffix == ".xml" and (at := whole.find(b'max="6"')) >= 0:
            versions["a layer's limit"] = flipped(whole, at + 5)
        for what, version in versions.items():
            file.write_bytes(version)
            said = ground.eyespot("predict", model, photo, "--json")
            if said.status:
                said.refused()
            else:
                must(said.json == before, f"with another bit in {what}, {file.name} answers otherwise, in silence")
            count += 1
        file.write_bytes(whole)
    must(count >= 8, f"only {count} bits were flipped")
    return f"{count} of {count} flipped bits in manifest, ONNX and XML refused, or without effect"


def _nothing(ground: Ground, folder: Path) -> Case:
    return Case(folder)


ROWS = (
    Row(
        "killed",
        "the computer goes off while a network trains",
        "engineer",
        "`--resume` ends with the same bits as a run that was not killed",
        _photos,
        _resumed,
    ),
    Row(
        "ctrl-c",
        "Ctrl-C while a network trains",
        "student",
        "status 0, no traceback, a model that answers",
        _photos,
        _stopped,
    ),
    Row(
        "two-at-once",
        "two runs of one name begin at once",
        "engineer",
        "one is trained, the other gets a sentence with the name",
        _photos,
        _two,
    ),
    Row(
        "full-disk",
        "the disk is full when the model is written",
        "teacher",
        "status 1 and a sentence; nothing half is left",
        _photos,
        _full,
    ),
    Row(
        "no-number",
        "the learning rate is so large that the loss is no number",
        "student",
        "status 0; a note says so; the answers are numbers",
        _photos,
        _diverged,
        "diverge",
    ),
    Row("no-gpu", "there is no GPU", "student", "it trains; who asks for one gets a sentence", _photos, _no_gpu, "gpu"),
    Row(
        "poisoned-weights",
        "a model's file runs code when it is unpickled",
        "engineer",
        "as weights, as a model and in a bundle: refused in a sentence, and the code was not run",
        _poisoned,
        _never_run,
        "poison",
    ),
    Row(
        "cut-weights",
        "the download of weights broke off",
        "student",
        "refused in a sentence that names the file",
        _cut_weights,
        _not_whole,
        "cut-weights",
    ),
    Row(
        "damaged-model",
        "a bit of the weights has flipped, or the file is cut",
        "engineer",
        "each is refused in a sentence that names the file",
        _bundle,
        _damaged,
        "flip",
    ),
    Row(
        "other-meaning",
        "a bit has flipped in what says what a number means: a class's name, the mean, a layer",
        "engineer",
        "each is refused, or answers exactly as before",
        _meaning,
        _vouched,
        "flip-name",
    ),
)
