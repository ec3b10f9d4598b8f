"""Classifies pictures with a file that `eyespot export RUN` made. Needs onnxruntime, numpy and Pillow, not eyespot.

    python standalone_predict.py MODEL.onnx PICTURE [PICTURE ...]

The model resizes, crops and normalises by itself, so this opens each picture and hands it on. Pictures with
transparency, a palette, or signed or inverted numbers may come out otherwise than in eyespot, which takes more care.
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
    least = json.loads(said.get("least_likeness", "{}")).get(
        "0.05"
    )  # at most 5 % of known pictures are less like theirs
    wanted = ["probabilities"] if least is None else ["probabilities", "likeness"]
    for name in pictures:
        [probabilities], *likeness = session.run(wanted, {"picture": opened(name, preprocess)})
        best = [f"{classes[each]} {probabilities[each]:.3f}" for each in np.argsort(-probabilities)[:3]]
        is_known = least is None or likeness[0][0] >= least
        print(f"{name}: {', '.join(best) if is_known else f'none of these (most like {best[0]})'}")


def opened(name: str, preprocess: dict) -> np.ndarray:
    """The picture, upright: uint8 (H, W, C)."""
    with Image.open(name) as picture:
        if not preprocess["exact"]:  # the model was trained on large JPEGs decoded at a half, quarter or eighth
            least = math.ceil(1.25 * preprocess["short_side"])
            picture.draft(None, (least, least))
        upright = in_8_bits(ImageOps.exif_transpose(picture), preprocess.get("levels") or {})
        upright = upright.convert("L" if preprocess["color"] == "gray" else "RGB")
    pixels = np.asarray(upright)
    return pixels.reshape(*pixels.shape[:2], -1)


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
