"""A network made by hand, of which is known what its answers rest on: the red of one corner, and nothing else."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from eyespot.bundle.files import Bundle
from eyespot.bundle.manifest import DataSummary, KnownPictures, Manifest
from eyespot.engine.attach import attach_head
from eyespot.records import Network, Precision, Preprocess

SIDE, PLACES = 32, 8
CORNER = 2
"""Places a side, at the top left."""
CLASSES = ("red corner", "none")


def trunk(*, averaged: bool = True, corner: int = CORNER, places: int = PLACES) -> bytes:
    """Features (N, 3): the mean colour of the corner; or with `averaged=False` a sum that no map is behind.

    corner: places a side. places: of the map, a side.
    """
    mask = np.zeros((places, places), np.float32)
    mask[:corner, :corner] = 1 / 255
    step = SIDE // places
    nodes = [
        helper.make_node("Cast", ["images"], ["values"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["values"], ["chw"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["chw"], ["places"], kernel_shape=[step, step], strides=[step, step]),
        helper.make_node("Mul", ["places", "mask"], ["corner"]),
    ]
    if averaged:
        nodes.append(helper.make_node("GlobalAveragePool", ["corner"], ["mean"]))
    else:
        nodes.append(helper.make_node("AveragePool", ["corner"], ["mean"], kernel_shape=[places, places]))
    nodes.append(helper.make_node("Flatten", ["mean"], ["features"], axis=1))
    graph = helper.make_graph(
        nodes,
        "corner",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(mask, "mask")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return bytes(model.SerializeToString())


def head() -> tuple[np.ndarray, np.ndarray]:
    """Weight (2, 3) and bias (2,): a red corner, the rest being as it may, has a probability of 0.98."""
    return np.array([[128, 0, 0], [0, 0, 0]], np.float32), np.array([-4, 0], np.float32)


def bundle(
    folder: Path = Path("nowhere"),
    *,
    averaged: bool = True,
    temperature: float = 1.0,
    corner: int = CORNER,
    places: int = PLACES,
) -> Bundle:
    """A bundle of this network."""
    made = trunk(averaged=averaged, corner=corner, places=places)
    graph = attach_head(made, [head()], temperature=temperature)
    manifest = Manifest(
        name="corner",
        created="2026-01-01T00:00:00",
        network=Network(name="made"),
        regime="frozen",
        classes=CLASSES,
        preprocess=Preprocess(
            short_side=SIDE, crop_hw=(SIDE, SIDE), filter="bilinear", color="rgb", mean=(0, 0, 0), scale=(1, 1, 1)
        ),
        precision=Precision(name="fp32", agreement=None, largest_difference=None, n=0),
        temperature=temperature,
        calibration=None,
        validation=None,
        test=None,
        out_of_fold=None,
        data=DataSummary(name="none", fingerprint="0", trained_on=1, used=1, set_aside=0),
        seed=0,
        graph_sha256=hashlib.sha256(graph).hexdigest(),
        versions={},
        pictures=KnownPictures(train="", val="", test=""),
    )
    return Bundle(folder, manifest, graph)


def red_corner() -> np.ndarray:
    """An image (H, W, 3) of noise in green and blue, whose corner is red."""
    image = np.random.default_rng(0).integers(0, 200, (SIDE, SIDE, 3), dtype=np.uint8)
    image[:, :, 0] = 0
    corner = CORNER * SIDE // PLACES
    image[:corner, :corner, 0] = 255
    return image
