"""The files beside a detector's run, written of answers that were made up, as a reader and a hostile name see them."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from html_page import Page
from PIL import Image

from eyespot.answering.box_evaluation import Judged
from eyespot.bundle.detector_manifest import DetectorManifest
from eyespot.bundle.manifest import DataSummary, KnownPictures
from eyespot.data.boxes.records import BoxedPicture, Boxes
from eyespot.data.data_set import Picture
from eyespot.detecting.outputs import result_of, write_outputs
from eyespot.detecting.prepare import PreparedBoxes
from eyespot.detecting.training import DetectorPlan
from eyespot.detecting.written import Written
from eyespot.evaluate.box_matches import Found, Truth
from eyespot.records import Network, Preprocess

WIDTH, HEIGHT = 160, 120
HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(2)>', "{{ 7*7 }} \u202e &")
FILES = {"args.json", "split.csv", "results.csv", "predictions.csv", "labels.png", "result.json", "report.html"}
MEASURED = {"confusion_matrix.png", "precision_recall.png"}
THRESHOLD = 0.4


@dataclass(frozen=True)
class Run:
    """What was written."""

    folder: Path

    @property
    def page(self) -> Page:
        return Page(self.html)

    @property
    def html(self) -> str:
        return (self.folder / "report.html").read_text("utf-8")

    @property
    def result(self) -> Any:
        return json.loads((self.folder / "result.json").read_text())

    @property
    def files(self) -> set[str]:
        return {each.name for each in self.folder.iterdir()}


def noise(seed: int) -> bytes:
    """A picture of noise, which compresses worst."""
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    Image.fromarray(pixels).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def boxed(part: str, count: int, labels: Sequence[int], *, each: int) -> list[BoxedPicture]:
    """Pictures with that number of boxes of these classes."""
    rng, data = np.random.default_rng(count), noise(count)
    pictures = []
    for number in range(count):
        corners = rng.uniform(0, 90, (each, 2))
        boxes = np.concatenate([corners, corners + rng.uniform(8, 30, (each, 2))], axis=1)
        drawn, never = rng.choice(labels, each), np.zeros(each, bool)
        picture = Picture(f"{part}/{number}.jpg", part=cast(Any, part), data=data)
        pictures.append(BoxedPicture(picture, WIDTH, HEIGHT, Boxes(boxes, drawn, never, never), f"{part}{number}"))
    return pictures


def judged(pictures: Sequence[BoxedPicture], classes: int, *, wrong: int) -> Judged:
    """Most boxes are found, nearly in their place; so are wrong ones, that many in each picture, less surely."""
    rng, founds = np.random.default_rng(1), []
    for each in pictures:
        seen = rng.random(len(each.boxes)) < 0.8
        right, corners = each.boxes.xyxy[seen] + rng.normal(0, 1, (seen.sum(), 4)), rng.uniform(0, 90, (wrong, 2))
        boxes = np.concatenate([right, np.concatenate([corners, corners + 20], axis=1)])
        scores = np.concatenate([rng.beta(4, 2, len(right)), rng.beta(1, 4, wrong)])
        founds.append(Found(boxes, scores, np.concatenate([each.boxes.labels[seen], rng.integers(0, classes, wrong)])))
    truths = [Truth(each.boxes.xyxy, each.boxes.labels, each.boxes.ignored, each.boxes.crowd) for each in pictures]
    return Judged(list(pictures), truths, founds, [])


def written(
    folder: Path,
    classes: Sequence[str],
    *,
    val: int = 6,
    test: int = 8,
    tested: Sequence[int] | None = None,
    each: int = 5,
    wrong: int = 6,
) -> Run:
    """A run of which everything but the bundle was written.

    val, test: pictures of these parts. tested: classes in the test part; None: all. each: boxes of a picture.
    wrong: boxes that are found where nothing is, in a picture.
    """
    everything = range(len(classes))
    parts = {
        "train": tuple(boxed("train", 12, everything, each=each)),
        "val": tuple(boxed("val", val, everything, each=each)),
        "test": tuple(boxed("test", test, everything if tested is None else tested, each=each)),
    }
    asked = {part: judged(parts[part], len(classes), wrong=wrong) for part in ("val", "test") if parts[part]}
    scores = {part: of.scores(classes, threshold=THRESHOLD, most=100) for part, of in asked.items()}
    preprocess = Preprocess(
        short_side=WIDTH,
        crop_hw=(96, 160),
        filter="bilinear",
        color="rgb",
        mean=(0.0,) * 3,
        scale=(1.0,) * 3,
        fit="letterbox",
    )
    manifest = DetectorManifest(
        name="things",
        created="2026-07-14T10:32:07+02:00",
        network=Network(name="efficientnet_lite0"),
        strides=(16, 32),
        classes=tuple(classes),
        preprocess=preprocess,
        precision="fp32",
        threshold=THRESHOLD,
        iou=0.6,
        most=100,
        validation=scores.get("val"),
        test=scores.get("test"),
        data=DataSummary(name="things", fingerprint="0", trained_on=12, used=12 + val + test, set_aside=0),
        seed=0,
        graph_sha256="0" * 64,
        versions={"eyespot": "1"},
        pictures=KnownPictures.of([]),
    )
    found = cast(Any, None)  # there is nothing to be split
    prepared = PreparedBoxes("things", "YOLO", tuple(classes), cast(Any, parts), [], ["a note"], "0", None, found)
    fitted = cast(
        Any,
        SimpleNamespace(
            prepared=prepared,
            preprocess=preprocess,
            network=manifest.network,
            plan=DetectorPlan(steps=30),
            views=2,
            steps=30,
            table=[],
            views_computed=24,
            notes=[],
        ),
    )
    run = folder / "things"
    run.mkdir()
    job = cast(Any, SimpleNamespace(folder=SimpleNamespace(path=run), clock=SimpleNamespace(spent=12.3)))
    done = Written(manifest, cast(Any, asked))
    write_outputs(result_of(fitted, done, job=job, notes=[]), fitted, done, job, args={})
    return Run(run)


def figures(scores: Any) -> list[str]:
    """What a reader has to find in the page, in this order: of each class its name and its numbers."""
    rows = []
    for each in scores["per_class"]:
        ap50 = each["ap50"]
        shown = "not measured"
        if ap50:
            shown = f"{ap50['value']:.3f} {ap50['low']:.3f} to {ap50['high']:.3f}"
        closer = "-" if each["ap50_95"] is None else f"{each['ap50_95']:.3f}"
        shares = ["none" if each[key] is None else f"{100 * each[key]:.1f} %" for key in ("precision", "recall", "f1")]
        rows.append(" ".join([each["name"], str(each["boxes"]), shown, closer, *shares]))
    return rows


def test_every_number_in_the_page_is_that_of_the_result(tmp_path: Path) -> None:
    run = written(tmp_path, ["bar", "disc", "ring"])
    text, result = run.page.text, run.result
    for scores in (result["test"], result["validation"]):
        estimates = [scores["map50"], *([scores["map50_95"]] if scores is result["test"] else [])]
        for each in estimates:
            assert f"{each['value']:.3f}" in text
            assert re.search(f"between {each['low']:.3f} and {each['high']:.3f}", text)
    test = result["test"]
    assert f"on {test['pictures']} test pictures with {test['boxes']} boxes" in text
    assert f"{100 * test['precision']:.1f} % are right" in text
    assert f"it finds {100 * test['recall']:.1f} %" in text
    assert f"at least {result['threshold']:.2f} are answered" in text
    for row in figures(test):
        assert row in text
    for each in test["by_size"]:
        assert f"{each['boxes']} {each['map50']:.3f}" in text
    for part in result["parts"]:
        assert f"{part['part']} {part['pictures']} {part['boxes']}" in text
    cells = {(true, said): count for true, said, count in test["cells"]}
    for true, name in enumerate([*result["classes"], "(nothing)"]):
        counts = [str(cells[true, said]) for said in range(4) if (true, said) in cells]
        assert " ".join([name, *counts]) in text


def test_the_real_run_shows_its_result(detector_run: Any) -> None:
    run = Run(Path(detector_run.run))
    assert run.files >= FILES | MEASURED
    assert all(row in run.page.text for row in figures(run.result["test"]))
    for name in ("labels.png", *MEASURED):
        with Image.open(run.folder / name) as picture:
            assert picture.format == "PNG"
            assert min(picture.size) > 100


def test_labels_to_look_at_are_in_the_page_and_in_the_result(tmp_path: Path) -> None:
    run = written(tmp_path, ["bar", "disc"], each=2, wrong=40)
    unlabelled = [each for each in run.result["doubtful_boxes"] if each["why"] == "no box"]
    assert unlabelled
    assert "Something is found there, and no box" in run.page.text
    for each in unlabelled[:3]:
        assert f"{each['likelier']} {each['score']:.2f}: no box is there {each['picture']}" in run.page.text
    assert "#labels" in {each["href"] for each in run.page.all("a")}


def test_one_class(tmp_path: Path) -> None:
    run = written(tmp_path, ["thing"])
    assert run.files == FILES | MEASURED
    assert "A detector of 1 class," in run.page.text
    assert figures(run.result["test"])[0] in run.page.text


def test_without_a_test_part_validation_is_shown(tmp_path: Path) -> None:
    run = written(tmp_path, ["bar", "disc"], test=0)
    assert run.files == FILES | MEASURED
    assert "6 validation pictures" in run.page.text
    assert "There is no test part" in run.page.text
    assert all(row in run.page.text for row in figures(run.result["validation"]))


def test_without_any_part_to_measure_the_page_says_so(tmp_path: Path) -> None:
    run = written(tmp_path, ["bar", "disc"], val=0, test=0)
    assert run.files == FILES
    page = run.page
    assert "Nothing was measured" in page.text
    anchors = {each["href"] for each in page.all("a")}
    assert anchors == {f"#{each['id']}" for each in page.all("section")}
    assert "Class by class" not in page.text


def test_a_class_that_is_not_in_the_test_part_is_not_measured_which_is_not_0(tmp_path: Path) -> None:
    run = written(tmp_path, ["bar", "disc", "rare"], tested=[0, 1])
    rare = run.result["test"]["per_class"][2]
    assert (rare["boxes"], rare["ap50"]) == (0, None)
    assert "rare 0 not measured -" in run.page.text


def test_the_page_stays_below_5_mb_and_the_pictures_below_300_kb(tmp_path: Path) -> None:
    run = written(tmp_path, [f"class {number}" for number in range(120)], test=250, each=20, wrong=60)
    assert (run.folder / "report.html").stat().st_size < 5_000_000
    for name in ("labels.png", *MEASURED):
        assert (run.folder / name).stat().st_size < 300_000, name
    assert "With 120 classes the table is too large to be read" in run.page.text


def test_names_do_nothing_but_stand_there(tmp_path: Path) -> None:
    run = written(tmp_path, HOSTILE)
    page = run.page
    assert "<script" not in run.html
    assert [each for each in page.all("img") if not str(each["src"]).startswith("data:image/jpeg;base64,")] == []
    assert not [name for tag, attributes in page.tags for name in attributes if name.startswith("on")]
    assert HOSTILE[0] in page.text
    assert page.all("script") == page.all("link") == []
    policies = [each for each in page.all("meta") if each.get("http-equiv") == "Content-Security-Policy"]
    assert len(policies) == 1
