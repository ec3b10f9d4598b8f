"""The embedded sample: scikit-learn's 1,797 handwritten digits, as small grey pictures."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from eyespot.data.data_set import DataSet, Picture, sort_classes
from eyespot.errors import MissingExtra


def digits() -> DataSet:
    """1,797 pictures of 8x8 pixels in ten classes (Alpaydin, Kaynak 1998; scikit-learn's `load_digits`).

    Each is a PNG in memory, so that the one decoder reads it like any other picture.
    """
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError:
        raise MissingExtra("the sample `digits`", extra="train") from None
    sample = load_digits()
    gray = np.rint(sample.images * (255 / 16)).astype(np.uint8)  # its grey levels are 0..16
    labels = [str(label) for label in sample.target]
    pictures = tuple(
        Picture(f"{label}/{number:04d}.png", label=label, data=_png(image))
        for number, (image, label) in enumerate(zip(gray, labels, strict=True))
    )
    return DataSet("digits", pictures, sort_classes(labels), mirror_changes_meaning=True)


def _png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, format="PNG")
    return file.getvalue()
