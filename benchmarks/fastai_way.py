"""fastai's quick start on a folder of pictures, with the backbone and weights that eyespot uses: accuracy by epoch.

    PYTHON benchmarks/fastai_way.py DATA WEIGHTS ANSWERS.json

PYTHON is that of an environment with fastai and timm. All is as fastai documents it: `ImageDataLoaders.from_folder`
with `Resize(224)`, batches of 64, `vision_learner` with its own head, `fine_tune(1)`, which is an epoch with the body
frozen but for its norms, then one of everything. The network is timm's tf_efficientnet_lite0, the weights are a file of
its state dict. The quick start has no augmentation; --augment adds `aug_transforms()`.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

STARTED = time.perf_counter()
VALIDATION = ("val", "valid", "validation")
"""Names of the folder of validation pictures."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a folder with train and val, valid or validation")
    parser.add_argument("weights", type=Path, help="the state dict of timm's network, as torch.save writes it")
    parser.add_argument("answers", type=Path, help="JSON file to write")
    parser.add_argument("--seed", type=int, default=0, help="of fastai's chance (default 0)")
    parser.add_argument("--augment", action="store_true", help="with fastai's aug_transforms()")
    options = parser.parse_args()
    epochs = fine_tuned(options.data, options.weights, seed=options.seed, augment=options.augment)
    options.answers.write_text(json.dumps({"epochs": epochs}), encoding="utf-8")


def fine_tuned(data: Path, weights: Path, *, seed: int, augment: bool) -> list[dict[str, float]]:
    """Seconds since the start, losses and validation accuracy after each epoch."""
    from outside import timm_with_torchvision

    timm_with_torchvision()
    from fastai.vision.all import (
        Callback,
        ImageDataLoaders,
        Resize,
        accuracy,
        aug_transforms,
        set_seed,
        vision_learner,
    )

    epochs: list[dict[str, float]] = []

    class Written(Callback):  # type: ignore[misc]
        order = 60  # behind fastai's own record

        def after_epoch(self) -> None:
            train_loss, validation_loss, right = self.learn.final_record
            epochs.append(
                {
                    "seconds": time.perf_counter() - STARTED,
                    "train_loss": train_loss,
                    "validation_loss": validation_loss,
                    "accuracy": right,
                }
            )
            print(f"fastai, epoch {len(epochs)}: {epochs[-1]['seconds']:.1f} s, accuracy {right:.4f}", flush=True)

    set_seed(seed)
    validation = next(name for name in VALIDATION if (data / name).is_dir())
    asked: dict[str, Any] = {"batch_tfms": aug_transforms()} if augment else {}
    loaders = ImageDataLoaders.from_folder(data, train="train", valid=validation, item_tfms=Resize(224), **asked)
    learn = vision_learner(
        loaders,
        "tf_efficientnet_lite0",
        metrics=accuracy,
        cbs=Written(),
        pretrained_cfg_overlay={"file": str(weights)},  # timm would download them
    )
    with learn.no_bar(), learn.no_logging():
        learn.fine_tune(1)
    return epochs


if __name__ == "__main__":
    main()
