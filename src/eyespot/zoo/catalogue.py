"""Every network by name, with what is known of it before it is built. Nothing here needs torch.

A plain name is the form for which weights were published; a paper's own form, where it differs, ends in `_paper`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Argument = int | float | str | bool
TIMM = "timm:"
"""Begins the names of timm's networks, of which any can be had."""
CAFFE = "caffe:"
"""Begins the name under which a run remembers a network that a file of Caffe described; the file's name follows."""
DESCRIPTION = ".prototxt"
"""Ends the name of such a file, which can stand where a network's name does."""

_IMAGENET, _CIFAR = (3, 224, 224), (3, 32, 32)
_IMAGENET_LARGE = (3, 299, 299)

_LENET = "LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document Recognition"
_NIN = "Lin, Chen, Yan: Network In Network, arXiv:1312.4400"
_VGG = "Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, arXiv:1409.1556"
_RESNET = "He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, arXiv:1512.03385"
_QUICK_RESNET = "After Jordan: 94% on CIFAR-10 in 3.29 Seconds on a Single GPU, arXiv:2404.00498, and Page's ResNet-9"
_EFFICIENTNET_LITE = "Tan, Le: EfficientNet, arXiv:1905.11946; Lite form by R. Liu"
_GOOGLENET = "Szegedy and others: Going Deeper with Convolutions, arXiv:1409.4842"
_BATCH_NORM = "Ioffe, Szegedy: Batch Normalization, arXiv:1502.03167"
_INCEPTION_RESNET = "Szegedy, Ioffe, Vanhoucke, Alemi: Inception-v4, Inception-ResNet, arXiv:1602.07261"


@dataclass(frozen=True)
class Definition:
    """One network in one form. The counts are those of the network with its default number of classes, without
    auxiliary heads; tests hold them against the network itself."""

    function: str
    """module:function in eyespot.zoo that builds it."""
    year: int
    paper: str
    """Authors and title in short, with the arXiv number where there is one."""
    input_chw: tuple[int, int, int]
    """Channels, height and width of the images it is made for, pixels."""
    parameters: int
    """Trainable weights and biases."""
    multiply_adds: int
    """Of its convolutions and fully connected layers, for one image of `input_chw`."""
    arguments: Mapping[str, Argument] = field(default_factory=lambda: MappingProxyType({}))
    """Given to the function: what makes this form."""
    heads: str = ""
    """module:function that builds its auxiliary heads: {stage: head}; empty where the paper has none."""


def _vgg(depth: int, parameters: int, multiply_adds: int, **form: Argument) -> Definition:
    arguments = MappingProxyType({"depth": depth, **form})
    return Definition("vgg:vgg", 2014, _VGG, _IMAGENET, parameters, multiply_adds, arguments)


def _resnet(depth: int, parameters: int, multiply_adds: int, **form: Argument) -> Definition:
    arguments = MappingProxyType({"depth": depth, **form})
    return Definition("resnet:resnet", 2015, _RESNET, _IMAGENET, parameters, multiply_adds, arguments)


def _resnet_cifar(depth: int, parameters: int, multiply_adds: int, **form: Argument) -> Definition:
    arguments = MappingProxyType({"depth": depth, **form})
    return Definition("resnet:resnet_cifar", 2015, _RESNET, _CIFAR, parameters, multiply_adds, arguments)


SHORT_NAMES: Mapping[str, str] = MappingProxyType(
    {
        f"{family}{depth}": f"{family}{depth}_cifar"
        for family, depths in (("resnet", (20, 32, 44, 56, 110, 1202)), ("plain", (20, 32, 44, 56, 110, 1202)))
        for depth in depths
    }
)
"""What people call a network that has one form only, made for CIFAR's images."""

NETWORKS: Mapping[str, Definition] = {
    "efficientnet_lite0": Definition(
        function="efficientnet_lite:efficientnet_lite0",
        year=2020,
        paper=_EFFICIENTNET_LITE,
        input_chw=_IMAGENET,
        parameters=4_652_008,
        multiply_adds=385_187_552,
    ),
    "efficientnet_lite1": Definition(
        function="efficientnet_lite:efficientnet_lite",
        arguments=MappingProxyType({"variant": 1}),
        year=2020,
        paper=_EFFICIENTNET_LITE,
        input_chw=(3, 240, 240),
        parameters=5_416_680,
        multiply_adds=600_185_232,
    ),
    "efficientnet_lite2": Definition(
        function="efficientnet_lite:efficientnet_lite",
        arguments=MappingProxyType({"variant": 2}),
        year=2020,
        paper=_EFFICIENTNET_LITE,
        input_chw=(3, 260, 260),
        parameters=6_092_072,
        multiply_adds=859_736_272,
    ),
    "lenet5": Definition("lenet:lenet5", 1998, _LENET, (1, 32, 32), 61_706, 416_520),
    "lenet5_1998": Definition("lenet:lenet5_1998", 1998, _LENET, (1, 32, 32), 60_850, 328_096),
    "lenet5_rgb": Definition(
        "lenet:lenet5", 1998, _LENET, (3, 32, 32), 62_006, 651_720, MappingProxyType({"channels": 3})
    ),
    "alexnet": Definition(
        "alexnet:alexnet",
        2014,
        "Krizhevsky: One weird trick for parallelizing convolutional neural networks, arXiv:1404.5997",
        _IMAGENET,
        61_100_840,
        714_188_480,
    ),
    "alexnet_paper": Definition(
        "alexnet:alexnet_paper",
        2012,
        "Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks",
        (3, 227, 227),
        60_965_224,
        724_406_816,
    ),
    "nin_cifar10": Definition("nin:nin_cifar10", 2013, _NIN, _CIFAR, 966_986, 222_486_528),
    "nin_imagenet": Definition("nin:nin_imagenet", 2013, _NIN, _IMAGENET, 7_595_176, 1_100_188_800),
    "vgg11": _vgg(11, 132_863_336, 7_609_090_048),
    "vgg11_bn": _vgg(11, 132_868_840, 7_609_090_048, batch_norm=True),
    "vgg13": _vgg(13, 133_047_848, 11_308_466_176),
    "vgg13_bn": _vgg(13, 133_053_736, 11_308_466_176, batch_norm=True),
    "vgg16": _vgg(16, 138_357_544, 15_470_264_320),
    "vgg16_bn": _vgg(16, 138_365_992, 15_470_264_320, batch_norm=True),
    "vgg19": _vgg(19, 143_667_240, 19_632_062_464),
    "vgg19_bn": _vgg(19, 143_678_248, 19_632_062_464, batch_norm=True),
    "resnet18": _resnet(18, 11_689_512, 1_814_073_344),
    "resnet34": _resnet(34, 21_797_672, 3_663_761_408),
    "resnet50": _resnet(50, 25_557_032, 4_089_184_256),
    "resnet101": _resnet(101, 44_549_160, 7_801_405_440),
    "resnet152": _resnet(152, 60_192_808, 11_513_626_624),
    "resnet50_paper": _resnet(50, 25_557_032, 3_857_973_248, stride_on="1x1"),
    "resnet101_paper": _resnet(101, 44_549_160, 7_570_194_432, stride_on="1x1"),
    "resnet152_paper": _resnet(152, 60_192_808, 11_282_415_616, stride_on="1x1"),
    "plain18": _resnet(18, 11_515_688, 1_794_805_760, shortcuts="none"),
    "plain34": _resnet(34, 21_623_848, 3_644_493_824, shortcuts="none"),
    "resnet20_cifar": _resnet_cifar(20, 269_722, 40_551_040),
    "resnet32_cifar": _resnet_cifar(32, 464_154, 68_862_592),
    "resnet44_cifar": _resnet_cifar(44, 658_586, 97_174_144),
    "resnet56_cifar": _resnet_cifar(56, 853_018, 125_485_696),
    "resnet110_cifar": _resnet_cifar(110, 1_727_962, 252_887_680),
    "resnet1202_cifar": _resnet_cifar(1202, 19_421_274, 2_829_238_912),
    "plain20_cifar": _resnet_cifar(20, 269_722, 40_551_040, shortcuts="none"),
    "plain32_cifar": _resnet_cifar(32, 464_154, 68_862_592, shortcuts="none"),
    "plain44_cifar": _resnet_cifar(44, 658_586, 97_174_144, shortcuts="none"),
    "plain56_cifar": _resnet_cifar(56, 853_018, 125_485_696, shortcuts="none"),
    "plain110_cifar": _resnet_cifar(110, 1_727_962, 252_887_680, shortcuts="none"),
    "plain1202_cifar": _resnet_cifar(1202, 19_421_274, 2_829_238_912, shortcuts="none"),
    "googlenet": Definition(
        function="googlenet:googlenet",
        year=2014,
        paper=_GOOGLENET,
        input_chw=_IMAGENET,
        parameters=6_624_904,
        multiply_adds=1_498_376_192,
        heads="googlenet:googlenet_heads",
    ),
    "googlenet_paper": Definition(
        function="googlenet:googlenet",
        year=2014,
        paper=_GOOGLENET,
        input_chw=_IMAGENET,
        parameters=6_998_552,
        multiply_adds=1_582_671_872,
        arguments=MappingProxyType({"form": "paper"}),
        heads="googlenet:googlenet_heads",
    ),
    "inception_v2": Definition(
        function="inception_v2:inception_v2",
        year=2015,
        paper=_BATCH_NORM,
        input_chw=_IMAGENET,
        parameters=11_285_224,
        multiply_adds=2_032_600_064,
    ),
    "inception_v2_paper": Definition(
        function="inception_v2:inception_v2",
        year=2015,
        paper=_BATCH_NORM,
        input_chw=_IMAGENET,
        parameters=11_278_528,
        multiply_adds=1_948_605_440,
        arguments=MappingProxyType({"separable_stem": True}),
    ),
    "inception_v3": Definition(
        function="inception_v3:inception_v3",
        year=2015,
        paper="Szegedy and others: Rethinking the Inception Architecture for Computer Vision, arXiv:1512.00567",
        input_chw=_IMAGENET_LARGE,
        parameters=23_834_568,
        multiply_adds=5_713_216_096,
        heads="inception_v3:inception_v3_heads",
    ),
    "inception_v4": Definition(
        function="inception_v4:inception_v4",
        year=2016,
        paper=_INCEPTION_RESNET,
        input_chw=_IMAGENET_LARGE,
        parameters=42_679_816,
        multiply_adds=12_253_974_624,
    ),
    "inception_resnet_v2": Definition(
        function="inception_resnet:inception_resnet_v2",
        year=2016,
        paper=_INCEPTION_RESNET,
        input_chw=_IMAGENET_LARGE,
        parameters=55_843_464,
        multiply_adds=13_155_794_016,
    ),
    "quick_resnet": Definition("quick_resnet:quick_resnet", 2024, _QUICK_RESNET, _CIFAR, 1_972_826, 118_147_360),
}


def is_description(name: object) -> bool:
    """True for the name of a file that describes a network."""
    return str(name).lower().endswith(DESCRIPTION)
