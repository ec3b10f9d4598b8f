"""A detector from a folder of boxes to its answers, as a person uses it."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image
from rewritten import vouched

import eyespot
from eyespot.answering.detector import Detector
from eyespot.bundle.files import place_bundle, read_any_bundle, read_bundle
from eyespot.data.store import Store
from eyespot.detecting import written
from eyespot.distributed.world import World
from eyespot.errors import BundleError, EyespotError, OptionError, Stopped, StoreError
from eyespot.progress import silent
from eyespot.recipes.train import task_of
from eyespot.runs.options import train_options

HOW = {"imgsz": 96, "epochs": 40, "views": 4, "precision": "fp32", "name": "shapes"}
"""As `detector_run` was trained."""


def test_finds_what_is_there(detector_run: Any, boxed_photos: Path, shared_cache: Path) -> None:
    assert detector_run.test.map50.value > 0.5
    [answer] = eyespot.predict(detector_run.run, boxed_photos / "test" / "images" / "200.png", threshold=0.1)
    assert (answer.width, answer.height) == (96, 64)
    for box in answer.detections:
        left, top, right, bottom = box.xyxy
        assert 0 <= left < right <= 96
        assert 0 <= top < bottom <= 64
    assert [box.probability for box in answer.detections] == sorted(
        (box.probability for box in answer.detections), reverse=True
    )


def test_val_measures_as_train_did(detector_run: Any, boxed_photos: Path, shared_cache: Path) -> None:
    result = eyespot.val(detector_run.run, boxed_photos)
    assert result.part == "test"
    assert result.map50 == detector_run.test.map50
    assert result.per_class == detector_run.test.per_class
    with pytest.raises(EyespotError, match="trained on every picture"):
        eyespot.val(detector_run.run, boxed_photos, split="train")


def test_groups_of_the_run_count_once_in_intervals(
    detector_run: Any, boxed_photos: Path, shared_cache: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(detector_run.run, tmp_path / "run"))
    args = json.loads((run / "args.json").read_text("utf-8"))
    (run / "args.json").write_text(json.dumps({**args, "group": str(tmp_path / "people.csv")}), "utf-8")
    named = [f"test/images/{200 + number}.png,{number // 2}" for number in range(4)]
    (tmp_path / "people.csv").write_text("\n".join(["picture,group", *named]), "utf-8")
    alone, grouped = eyespot.val(detector_run.run, boxed_photos), eyespot.val(run, boxed_photos)
    said = "2 series of 4 pictures that show the same, were taken in a row or are of one group: "
    assert f"{said}the intervals count each once, the figures count every picture" in grouped.notes
    assert (grouped.map50_95.value, grouped.map50_95 == alone.map50_95) == (alone.map50_95.value, False)
    assert f"{said}each has one say" in eyespot.compare(run, detector_run.bundle).notes


def test_a_second_run_is_the_same_and_trains_nothing(
    detector_run: Any, boxed_photos: Path, shared_cache: Path, tmp_path: Path
) -> None:
    again = eyespot.train(boxed_photos, out=tmp_path, **HOW)
    graphs = [Path(run.bundle, "model.onnx").read_bytes() for run in (detector_run, again)]
    assert graphs[0] == graphs[1]
    assert again.views_computed == 0


def test_without_a_store_it_comes_to_the_same(
    detector_run: Any, boxed_photos: Path, tmp_path: Path, cache: Path
) -> None:
    other = eyespot.train(boxed_photos, out=tmp_path, **HOW)
    graphs = [Path(run.bundle, "model.onnx").read_bytes() for run in (detector_run, other)]
    assert graphs[0] == graphs[1]


@pytest.mark.parametrize("fails", ["every use", "its opening"])
def test_where_nothing_can_be_kept_a_run_comes_to_its_end_and_names_what_it_could_not_read(
    boxed_photos: Path, tmp_path: Path, shared_cache: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    data = Path(shutil.copytree(boxed_photos, tmp_path / "data"))
    broken = [data / name for name in ("train/images/3.png", "test/images/201.png")]
    for path in broken:
        path.write_bytes(path.read_bytes()[:-400])
    full = Mock(side_effect=StoreError("the disk is full"))
    for name in ("get", "put") if fails == "every use" else ("__init__",):
        monkeypatch.setattr(Store, name, full)
    result = eyespot.train(data, out=tmp_path, **HOW | {"epochs": 1, "views": 1}, group="off")
    what = "the views' maps are not" if fails == "every use" else "nothing is"
    told = f"{what} kept for the next run: the disk is full"
    assert [note for note in result.notes if "disk" in note] == [told]
    assert (result.parts[0].pictures, result.views_computed) == (11, 11)
    names = [path.relative_to(data).as_posix() for path in broken]
    assert [each.picture for each in result.set_aside] == names
    rows = list(csv.DictReader(Path(result.run, "predictions.csv").read_text("utf-8").splitlines()))
    assert [row["picture"] for row in rows if row["set_aside"]] == names
    assert all("cut off" in row["set_aside"] and not row["class"] for row in rows[-2:])


def test_a_killed_run_goes_on_to_the_same_bits(
    detector_run: Any, boxed_photos: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from eyespot.regimes import run_training

    monkeypatch.setattr(run_training, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(run_training, "CHECKPOINT_SHARE", 1e9)
    from eyespot.detecting.training import DetectorTraining

    whole = DetectorTraining._one_step

    def killed(self: DetectorTraining, pool: Any) -> None:
        if self.step == 17:
            raise RuntimeError("killed")
        whole(self, pool)

    monkeypatch.setattr(DetectorTraining, "_one_step", killed)
    with pytest.raises(RuntimeError, match="killed"):
        eyespot.train(boxed_photos, out=tmp_path, **HOW)
    monkeypatch.setattr(DetectorTraining, "_one_step", whole)
    resumed = eyespot.train(resume=tmp_path / "train" / "shapes")
    graphs = [Path(run.bundle, "model.onnx").read_bytes() for run in (detector_run, resumed)]
    assert graphs[0] == graphs[1]


def test_after_ctrl_c_while_the_model_is_written_it_is_there_whole_without_a_report(
    detector_run: Any, boxed_photos: Path, tmp_path: Path, shared_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([Mock(side_effect=KeyboardInterrupt), place_bundle])
    monkeypatch.setattr(written, "place_bundle", lambda draft, folder: next(times)(draft, folder))
    with pytest.raises(Stopped, match=r"shapes is complete and usable; its report is not finished"):
        eyespot.train(boxed_photos, out=tmp_path, **HOW)
    run = tmp_path / "train" / "shapes"
    assert read_any_bundle(run).graph == read_any_bundle(detector_run.run).graph
    assert not [each.name for each in run.iterdir() if each.name.startswith(".bundle") or each.name == "report.html"]


def test_several_processes_are_refused(boxed_photos: Path) -> None:
    with pytest.raises(OptionError, match=r"a detector trains in one process: start it without torchrun"):
        task_of(boxed_photos, train_options(), ranks=World(rank=0, size=2), progress=silent)


def test_a_run_with_a_time_is_replayed_alike(boxed_photos: Path, tmp_path: Path, shared_cache: Path) -> None:
    timed = eyespot.train(boxed_photos, out=tmp_path, imgsz=96, precision="fp32", time=12)
    again = eyespot.train(replay=timed.run, out=tmp_path)
    graphs = [Path(run.bundle, "model.onnx").read_bytes() for run in (timed, again)]
    assert graphs[0] == graphs[1]
    assert (again.views, again.steps) == (timed.views, timed.steps)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"freeze": "stage5"}, "boxes, so a detector is trained, which has no use for the option freeze"),
        ({"model": "resnet18"}, "detectors stand on efficientnet_lite0"),
    ],
)
def test_options_that_nothing_follows_from_are_refused(
    boxed_photos: Path, tmp_path: Path, cache: Path, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(OptionError, match=said):
        eyespot.train(boxed_photos, out=tmp_path, **options)


def test_what_only_classifiers_can_do_says_so(detector_run: Any, split_run: Any, shared_cache: Path) -> None:
    with pytest.raises(BundleError, match="holds a detector"):
        read_bundle(detector_run.run)
    with pytest.raises(OptionError, match="iou is for detectors"):
        eyespot.predict(split_run.run, "any.png", iou=0.5)


@pytest.mark.parametrize(("name", "value"), [("threshold", 1.5), ("iou", -0.1), ("max_boxes", 0)])
def test_a_cut_that_cannot_be_is_refused(detector_run: Any, shared_cache: Path, name: str, value: float) -> None:
    with pytest.raises(OptionError, match=name):
        eyespot.load(detector_run.run).predict("any.png", **{name: value})


def test_writes_drawn_pictures_texts_and_crops(
    detector_run: Any, boxed_photos: Path, shared_cache: Path, tmp_path: Path
) -> None:
    pictures = boxed_photos / "test" / "images"
    folders = {name: tmp_path / name for name in ("draw", "save_txt", "save_crop")}
    answers = eyespot.predict(detector_run.run, pictures, threshold=0.2, **folders)
    assert len(list(folders["draw"].glob("*.jpg"))) == len(answers) == 4
    first = answers[0]
    lines = (folders["save_txt"] / f"{Path(first.picture).stem}.txt").read_text().splitlines()
    assert len(lines) == len(first.detections)
    _, x, y, w, h, _ = map(float, lines[0].split())
    left, top, right, bottom = first.detections[0].xyxy
    assert np.allclose(
        [(x - w / 2) * 96, (y - h / 2) * 64, (x + w / 2) * 96, (y + h / 2) * 64], [left, top, right, bottom], atol=0.01
    )
    assert len(list(folders["save_crop"].rglob("*.jpg"))) == sum(len(each.detections) for each in answers)
    with pytest.raises(EyespotError, match="exists"):
        eyespot.predict(detector_run.run, pictures, **folders)
    eyespot.predict(detector_run.run, pictures, **folders, overwrite=True)


def test_a_damaged_bundle_is_named(detector_run: Any, tmp_path: Path) -> None:
    shutil.copytree(detector_run.bundle, tmp_path / "bundle")
    manifest = json.loads((tmp_path / "bundle" / "manifest.json").read_text())
    manifest["classes"] = ["bar", "disc", "more"]
    (tmp_path / "bundle" / "manifest.json").write_text(json.dumps(vouched(manifest)))
    with pytest.raises(BundleError, match="3 classes"):
        read_any_bundle(tmp_path / "bundle")


def test_a_picture_that_cannot_be_read_is_named_and_stops_no_other(
    detector_run: Any, boxed_photos: Path, shared_cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    shutil.copy(boxed_photos / "test" / "images" / "200.png", tmp_path / "sound.png")
    answers = {Path(each.picture).name: each for each in eyespot.predict(detector_run.run, tmp_path)}
    assert answers["broken.png"].set_aside
    assert answers["sound.png"].set_aside is None


def test_boxes_lie_where_they_do_in_a_picture_that_is_twice_as_large(
    detector_run: Any, boxed_photos: Path, shared_cache: Path, tmp_path: Path
) -> None:
    small = boxed_photos / "test" / "images" / "201.png"
    with Image.open(small) as image:
        image.resize((192, 128), Image.Resampling.NEAREST).save(tmp_path / "large.png")
    model = eyespot.load(detector_run.run)
    assert isinstance(model, Detector)
    [one], [other] = (model.predict(path, threshold=0.3) for path in (small, tmp_path / "large.png"))
    assert one.detections
    for box in one.detections[:1]:
        nearest = min(
            other.detections, key=lambda each: float(np.abs(np.array(each.xyxy) / 2 - np.array(box.xyxy)).sum())
        )
        assert np.abs(np.array(nearest.xyxy) / 2 - np.array(box.xyxy)).max() < 3


def test_ctrl_c_keeps_what_was_trained(boxed_photos: Path, tmp_path: Path, shared_cache: Path) -> None:
    command = [sys.executable, "-m", "eyespot", "train", str(boxed_photos), "--imgsz", "96", "--views", "2"]
    command += ["--epochs", "100000", "--name", "stopped", "--out", str(tmp_path), "--precision", "fp32"]
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored where tests run in the background
    )
    until = time.monotonic() + 60
    while not any((tmp_path / "train" / "stopped" / "checkpoints").glob("*/*")) and time.monotonic() < until:
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGINT)
    try:
        said, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert re.search(r"stopped by you after \d+ of \d+ steps; it is judged by the weights it had then", said)
    assert isinstance(eyespot.load(tmp_path / "train" / "stopped"), Detector)
