"""Finds things in pictures with a detector that `eyespot export RUN` made. Needs onnxruntime, numpy and Pillow only.

    python standalone_detect.py MODEL.onnx PICTURE [PICTURE ...]

The model resizes, normalises, and leaves one box for each thing by itself, so this opens each picture and hands it on.
Boxes are left, top, right and bottom in pixels of the picture held upright. Pictures with transparency, a palette, or
signed or inverted numbers may come out otherwise than in eyespot, which takes more care.
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
        pixels, factors = opened(name, preprocess)
        boxes, scores, labels = session.run(["boxes", "scores", "labels"], {"picture": pixels})
        for box, score, label in zip(boxes * factors, scores, labels, strict=True):
            print(f"{name}: {classes[label]} {score:.3f} at {', '.join(f'{place:.1f}' for place in box)}")


def opened(name: str, preprocess: dict) -> tuple[np.ndarray, np.ndarray]:
    """The picture, upright, uint8 (H, W, C); and by how much more pixels it has, (4,): a large JPEG is made smaller."""
    with Image.open(name) as picture:
        before = picture.size
        if not preprocess["exact"]:  # the model was trained on large JPEGs decoded at a half, quarter or eighth
            least = math.ceil(1.25 * preprocess["short_side"])
            picture.draft(None, (least, least))
        factors = [whole / decoded for whole, decoded in zip(before, picture.size, strict=True)]
        if picture.getexif().get(0x0112, 1) >= 5:  # it lies on its side
            factors.reverse()
        upright = in_8_bits(ImageOps.exif_transpose(picture), preprocess.get("levels") or {})
        upright = upright.convert("L" if preprocess["color"] == "gray" else "RGB")
    pixels = np.asarray(upright)
    return pixels.reshape(*pixels.shape[:2], -1), np.array(factors * 2)


def in_8_bits(picture: Image.Image, levels: dict) -> Image.Image:
    """The picture with 8 bits: black and white are those numbers of deeper ones that the model was trained with."""
    if picture.mode != "F" and not picture.mode.startswith("I"):
        return picture
    kind, whole = ("floats", (0, 1)) if picture.mode == "F" else ("integers", (0, 65535))
    low, high = levels.get(kind) or whole
    numbers = np.nan_to_num(np.asarray(picture, np.float64), nan=low, posinf=low, neginf=low)
    return Image.fromarray(np.rint((np.clip(numbers, low, high) - low) * (255 / (high - low))).astype(np.uint8))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
