"""Classifies pictures with a file that `eyespot export RUN` made. Needs onnxruntime, numpy and Pillow, not eyespot.

    python standalone_predict.py MODEL.onnx PICTURE [PICTURE ...]

The model resizes, crops and normalises by itself, so this opens each picture and hands it on. Pictures with
transparency, 16 bits or a palette may come out otherwise here than in eyespot, which treats them with more care.
"""

import json
import math
import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps


def main(model: str, pictures: list[str]) -> None:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    said = session.get_modelmeta().custom_metadata_map
    classes, preprocess = json.loads(said["classes"]), json.loads(said["preprocess"])
    for name in pictures:
        [probabilities] = session.run(["probabilities"], {"picture": opened(name, preprocess)})[0]
        best = np.argsort(-probabilities)[:3]
        print(f"{name}: {', '.join(f'{classes[each]} {probabilities[each]:.3f}' for each in best)}")


def opened(name: str, preprocess: dict) -> np.ndarray:
    """The picture, upright: uint8 (H, W, C)."""
    with Image.open(name) as picture:
        if not preprocess["exact"]:  # the model was trained on large JPEGs decoded at a half, quarter or eighth
            least = math.ceil(1.25 * preprocess["short_side"])
            picture.draft(None, (least, least))
        upright = ImageOps.exif_transpose(picture).convert("L" if preprocess["color"] == "gray" else "RGB")
    pixels = np.asarray(upright)
    return pixels.reshape(*pixels.shape[:2], -1)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
