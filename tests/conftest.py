"""Shared by all tests: where real data is, a cache of its own for every test run, no network."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import settings
from PIL import Image, ImageDraw

pytest_plugins = ("chromium_browser", "made_once")

if "PYTEST_XDIST_WORKER" in os.environ:  # before anything imports torch, whose threads would wait for those of others
    os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("repeatable", derandomize=True)  # whoever runs the tests tries the same examples
settings.load_profile("repeatable")

SHAPES = {"circle": (190, 20, 20), "square": (20, 20, 190), "triangle": (20, 150, 20)}
"""Classes of drawn pictures, and the darkest shade of each."""
PATCHES = 7
LONG = (
    *("test_readme.py", "benchmarks", "recipes", "serve", "regimes", "data", "exporting", "detecting", "runs"),
    *("zoo", "studio", "distributed", "cli", "engine", "explaining", "golden"),
    *("test_docstrings.py", "test_imports.py", "fuzz"),
)
"""Files and folders whose tests take longest."""
_KEPT: list[object] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first, so that no process that takes a file at a time works alone at the end."""
    here = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        first = item.path.relative_to(here).parts[0]
        return LONG.index(first) if first in LONG else len(LONG)

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """What was imported and collected is not searched for garbage again and again."""
    gc.collect()
    gc.freeze()


def _declare_torchvision_operators() -> None:
    """Let PyPI's torchvision (built for CUDA) be imported beside a CPU build of torch: its compiled operators are
    absent then, and only their names are missing. Tests use torchvision and timm as an outside truth for networks."""
    try:
        import torchvision  # noqa: F401
    except ModuleNotFoundError:
        return
    except RuntimeError:
        import torch

        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _KEPT.append(library)  # the declarations go with the object


@pytest.fixture(scope="session")
def timm():
    """timm, with torchvision importable."""
    _declare_torchvision_operators()
    return pytest.importorskip("timm")


@pytest.fixture(scope="session")
def torchvision():
    """torchvision, with its networks; its compiled operators may be missing."""
    _declare_torchvision_operators()
    return pytest.importorskip("torchvision")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets, from the environment variable EYESPOT_TEST_DATA."""
    folder = os.environ.get("EYESPOT_TEST_DATA")
    if not folder:
        pytest.skip("EYESPOT_TEST_DATA is unset: no real data to test on")
    return Path(folder)


@pytest.fixture(scope="session")
def faults(real_data: Path) -> Path:
    """The folder of inputs on which eyespot once failed, beside the real data."""
    folder = real_data.parent / "faults"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there: no faulty inputs to test on")
    return folder


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache folder that eyespot uses during this test."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("EYESPOT_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def draw() -> Callable[..., None]:
    """A function that draws pictures of coloured shapes, one class folder for each shape: circle, square, triangle."""

    def shapes(folder: Path, each: int, *, first: int = 0, kinds: Iterable[str] = tuple(SHAPES)) -> None:
        for kind in kinds:
            (folder / kind).mkdir(parents=True, exist_ok=True)
            for number in range(first, first + each):
                _shape(kind, seed=number).save(folder / kind / f"{number:03}.png")

    return shapes


@pytest.fixture
def shared_cache(warm_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shared cache, which eyespot uses during this test."""
    monkeypatch.setenv("EYESPOT_CACHE", str(warm_cache))
    return warm_cache


@pytest.fixture(scope="session")
def split_photos(made_once: Callable[..., Any], draw: Callable[..., None]) -> Path:
    """Three classes in train/, val/ and test/: 8, 4 and 11 pictures of each. Not to be changed."""
    return _drawn(made_once, draw, "split", (8, 4, 11))


@pytest.fixture(scope="session")
def ladder_photos(made_once: Callable[..., Any], draw: Callable[..., None]) -> Path:
    """As few pictures as the ladder is climbed with: 20, 10 and 2 of each class. Not to be changed."""
    return _drawn(made_once, draw, "ladder", (20, 10, 2))


@pytest.fixture(scope="session")
def split_run(split_photos: Path, trained_once: Callable[..., Any]) -> Any:
    """What `train` made of `split_photos`. Not to be changed."""
    return trained_once("split-runs", split_photos)


@pytest.fixture(scope="session")
def digits_run(trained_once: Callable[..., Any]) -> Any:
    """What two epochs made of the embedded digits. Not to be changed."""
    return trained_once("digits-runs", "digits", epochs=2)


@pytest.fixture(scope="session")
def boxed_photos(made_once: Callable[..., Any]) -> Path:
    """Pictures of 96 x 64 px with discs and bars, and their boxes as YOLO has them: 12 to train on, 4 and 4."""
    return made_once("boxed", lambda folder: _draw_boxed(folder / "shapes"))


@pytest.fixture(scope="session")
def detector_run(boxed_photos: Path, trained_once: Callable[..., Any]) -> Any:
    """What `train` gives on `boxed_photos` in a few seconds: a small detector that finds some of them."""
    options = {"imgsz": 96, "epochs": 40, "views": 4, "precision": "fp32", "name": "shapes"}
    return trained_once("detector", boxed_photos, **options)


@pytest.fixture(scope="session")
def labelled_photos(made_once: Callable[..., Any]) -> Path:
    """A CSV of 40 pictures to train on and 32 to test on, 96 x 64 px, with any of three shapes. Not to be changed.

    That 045.png has a square, or has none, is wrong.
    """
    return made_once("labelled", _draw_labelled)


@pytest.fixture(scope="session")
def labels_run(labelled_photos: Path, trained_once: Callable[..., Any]) -> Any:
    """What `train` gives on `labelled_photos`. Not to be changed."""
    return trained_once("labels", labelled_photos, precision="fp32", group="off", name="shapes")


def _drawn(made_once: Callable[..., Any], draw: Callable[..., None], name: str, counts: tuple[int, int, int]) -> Any:
    """The folder with so many pictures of each class in train, val and test."""

    def make(folder: Path) -> Path:
        for part, count, first in zip(("train", "val", "test"), counts, (0, 100, 200), strict=True):
            draw(folder / "photos" / part, count, first=first)
        return folder / "photos"

    return made_once(name, make)


def _draw_labelled(folder: Path) -> Path:
    (folder / "pictures").mkdir()
    lines = ["image_path,labels,split"]
    for number in range(72):
        image, labels = _labelled(number)
        if number == 45:
            labels = sorted({*labels} ^ {"square"})
        image.save(folder / "pictures" / f"{number:03}.png")
        lines.append(f"pictures/{number:03}.png,{'|'.join(labels)},{'train' if number < 40 else 'test'}")
    (folder / "shapes.csv").write_text("\n".join(lines) + "\n")
    return folder / "shapes.csv"


def _labelled(seed: int) -> tuple[Image.Image, list[str]]:
    """A gray picture with any of the shapes side by side, or none, and which they are."""
    random = Random(seed)
    noise = Image.frombytes("L", (96, 64), random.randbytes(96 * 64))
    image = noise.point(lambda level: 90 + level // 3).convert("RGB")
    pen = ImageDraw.Draw(image)
    labels = [kind for kind in SHAPES if random.random() < 0.4]
    for place, kind in enumerate(random.sample(labels, len(labels))):
        left, top = 4 + 30 * place + random.randint(0, 4), random.randint(4, 34)
        box = (left, top, left + 24, top + 24)
        if kind == "triangle":
            pen.polygon([(left + 12, top), (left, top + 24), (left + 24, top + 24)], fill=SHAPES[kind])
        else:
            (pen.ellipse if kind == "circle" else pen.rectangle)(box, fill=SHAPES[kind])
    return image, labels


def _draw_boxed(folder: Path) -> Path:
    for part, count, first in (("train", 12, 0), ("val", 4, 100), ("test", 4, 200)):
        for number in range(count):
            image, lines = _boxed(first + number)
            for kind in ("images", "labels"):
                (folder / part / kind).mkdir(parents=True, exist_ok=True)
            image.save(folder / part / "images" / f"{first + number}.png")
            (folder / part / "labels" / f"{first + number}.txt").write_text("\n".join(lines) + "\n")
    (folder / "data.yaml").write_text("train: train/images\nval: val/images\ntest: test/images\nnames: [bar, disc]\n")
    return folder


def _boxed(seed: int) -> tuple[Image.Image, list[str]]:
    """A gray picture with two or three things on it, and their lines: class, middle, width and height as shares."""
    random, (width, height) = Random(seed), (96, 64)
    image = Image.effect_noise((width, height), 12).convert("RGB")
    pen, lines = ImageDraw.Draw(image), []
    for place in range(random.randint(2, 3)):
        kind = random.randint(0, 1)
        wide, high = (22, 12) if kind == 0 else (18, 18)
        left, top = 4 + 30 * place + random.randint(0, 5), random.randint(4, height - high - 4)
        box = (left, top, left + wide, top + high)
        (pen.rectangle if kind == 0 else pen.ellipse)((*box[:2], box[2] - 1, box[3] - 1), fill=(200, 60, 30))
        middle = ((left + wide / 2) / width, (top + high / 2) / height)
        lines.append(f"{kind} {middle[0]:.6f} {middle[1]:.6f} {wide / width:.6f} {high / height:.6f}")
    return image, lines


def _shape(kind: str, *, seed: int) -> Image.Image:
    """One shape on pale patches, 64 x 48 pixels; place, size and shade depend on the seed.

    On a plain ground two shapes at one place would be nearly the same picture, a series.
    """
    random = Random(f"{kind} {seed}")
    picture = Image.new("RGB", (64, 48), _pale(random))
    x, y, r = random.randrange(22, 42), random.randrange(18, 30), random.randrange(11, 17)
    color = tuple(base + random.randrange(60) for base in SHAPES[kind])
    pen = ImageDraw.Draw(picture)
    for _ in range(PATCHES):
        pen.polygon([(random.randrange(64), random.randrange(48)) for _ in range(3)], fill=_pale(random))
    if kind == "triangle":
        pen.polygon([(x, y - r), (x - r, y + r), (x + r, y + r)], fill=color)
    else:
        (pen.ellipse if kind == "circle" else pen.rectangle)((x - r, y - r, x + r, y + r), fill=color)
    return picture


def _pale(random: Random) -> tuple[int, ...]:
    return tuple(random.randrange(150, 250) for _ in range(3))
