import numpy as np
import onnx
import openvino as ov
import pytest
import torch
from torch import nn

from eyespot import zoo
from eyespot.blocks import Branches, Pick, Residual, SamePadding, ScaledTanh, chain, conv, split, taps
from eyespot.engine import from_torch as module
from eyespot.engine.from_torch import to_onnx
from eyespot.engine.gate import check_graph
from eyespot.errors import NetworkError
from eyespot.records import Preprocess

RGB = Preprocess(
    short_side=40, crop_hw=(32, 40), filter="bicubic", color="rgb", mean=(120, 127.5, 110), scale=(60, 127.5, 58.5)
)
GRAY = Preprocess(short_side=32, crop_hw=(32, 32), filter="bilinear", color="gray", mean=(127.5,), scale=(127.5,))


def _lively(net: nn.Sequential) -> nn.Sequential:
    torch.manual_seed(0)
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.7, 1.3)
            nn.init.uniform_(layer.bias, -0.5, 0.5)
            nn.init.uniform_(layer.running_mean, -0.2, 0.2)
            nn.init.uniform_(layer.running_var, 0.1, 0.3)
    return net.eval()


def _every_block() -> nn.Sequential:
    """One of everything that networks are made of so far."""
    return _lively(
        chain(
            stem=chain(
                pad=SamePadding(3, 2),
                conv=conv(3, 8, 3, stride=2, padding=0),
                norm=nn.BatchNorm2d(8),
                act=nn.ReLU6(),
                pool=nn.MaxPool2d(3, 2, 1),
            ),
            stage1=Residual(chain(conv=conv(8, 8, 3, groups=4), act=nn.ReLU()), conv(8, 8, 1), scale=0.3),
            stage2=Branches(
                one=conv(8, 4, 1, bias=True),
                tall=conv(8, 6, (7, 1)),
                mean=nn.AvgPool2d(3, 1, 1),
                inner=nn.AvgPool2d(3, 1, 1, count_include_pad=False),
            ),
            head=chain(pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), drop=nn.Dropout(), fc=nn.Linear(26, 5)),
        )
    )


def _images(preprocess: Preprocess, count: int = 3) -> np.ndarray:
    shape = (count, *preprocess.crop_hw, preprocess.channels)
    return np.random.default_rng(count).integers(0, 256, shape, dtype=np.uint8)


def _engine(graph: bytes, images: np.ndarray) -> dict[str, np.ndarray]:
    core = ov.Core()
    model = core.read_model(graph)
    model.reshape(images.shape)
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    results = compiled(images)
    names = [output.name for output in onnx.load_from_string(graph).graph.output]
    return {name: results[name] for name in names}


def _normalised(images: np.ndarray, preprocess: Preprocess) -> torch.Tensor:
    mean, scale = torch.tensor(preprocess.mean), torch.tensor(preprocess.scale)
    return ((torch.from_numpy(images).float() - mean) / scale).permute(0, 3, 1, 2)


def _require_same(net: nn.Sequential, preprocess: Preprocess, *, count: int = 3) -> None:
    graph = to_onnx(net, preprocess, output="logits")
    check_graph(graph)
    onnx.checker.check_model(onnx.load_from_string(graph), full_check=True)
    images = _images(preprocess, count)
    with torch.inference_mode():
        expected = net(_normalised(images, preprocess)).numpy()
    found = _engine(graph, images)["logits"]
    assert found.shape == expected.shape
    assert count == 1 or expected.std(0).mean() > 1e-3 * expected.std()  # the answer depends on the image
    assert abs(found - expected).max() < 1e-4 * expected.std()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_engine_gives_what_the_network_gives(count):
    _require_same(_every_block(), RGB, count=count)


def test_lenet_on_gray_pictures():
    _require_same(zoo.create("lenet5").eval(), GRAY)


def test_efficientnet_lite0_up_to_its_classifier():
    trunk, _ = split(_lively(zoo.create("efficientnet_lite0")), after="head.flat")
    size = {"crop_hw": (224, 224), "short_side": 256}
    _require_same(trunk, RGB.model_copy(update=size))


def test_a_network_cut_before_its_pooling_gives_a_map():
    trunk, _ = split(_every_block(), after="stage1")
    _require_same(trunk, RGB)


@pytest.mark.parametrize("stage", ["stem", "stem.act", "stage2", "head.fc", "head"])
def test_a_second_output_is_the_named_stage(stage):
    net = _every_block()
    graph = to_onnx(net, RGB, feature_map=stage)
    images = _images(RGB)
    with torch.inference_mode():
        expected = taps(net, [stage], _normalised(images, RGB))[stage].numpy()
    found = _engine(graph, images)
    assert list(found) == ["features", "feature_map"]
    np.testing.assert_allclose(found["feature_map"], expected, atol=1e-4)


@pytest.mark.parametrize("stage", ["nothing", "stage1.body", "head.nothing", ""])
def test_a_second_output_that_is_no_stage_is_refused(stage):
    with pytest.raises(NetworkError, match="no stage"):
        to_onnx(_every_block(), RGB, feature_map=stage)


def test_the_bytes_depend_on_the_network_and_the_preprocessing_alone():
    net = _every_block()
    first = to_onnx(net, RGB)
    assert to_onnx(_every_block(), RGB) == first
    others = [to_onnx(net, RGB.model_copy(update={"mean": (0.0, 0.0, 0.0)})), to_onnx(net, RGB, feature_map="stem")]
    with torch.no_grad():
        net.stage2.one.bias[0] += 1e-6
    others.append(to_onnx(net, RGB))
    assert len({first, *others}) == 4


def test_the_network_is_left_as_it_was():
    net = _every_block().train()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    to_onnx(net, RGB)
    assert net.training
    assert net.stem.training
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())


def test_an_output_of_the_engine_has_one_name():
    model = ov.Core().read_model(to_onnx(_every_block(), RGB, feature_map="stage2"))
    assert [output.names for output in model.outputs] == [{"features"}, {"feature_map"}]


def test_a_graph_names_its_weights_as_the_network_and_no_files():
    graph = to_onnx(_every_block(), RGB)
    names = {tensor.name for tensor in onnx.load_from_string(graph).graph.initializer}
    assert {"net.stem.conv.weight", "net.head.fc.bias"} <= names
    assert b".py" not in graph
    assert b"/" not in b"".join(node.SerializeToString() for node in onnx.load_from_string(graph).graph.node)


def test_dead_dropout_and_shared_modules_are_no_obstacle():
    act = nn.ReLU()
    shared = conv(3, 3, 3, bias=True)
    _require_same(chain(a=shared, act=act, b=shared, act2=act, drop=nn.Dropout()).eval(), RGB)


@pytest.mark.parametrize(
    "layer",
    [
        nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.MaxPool2d(3, 3, 1, ceil_mode=True),
        nn.MaxPool2d(2, 3, 1, ceil_mode=True),  # a last window would begin in the padding: it is dropped
        nn.MaxPool2d(2, 2, dilation=2, ceil_mode=True),
        nn.MaxPool2d(1, 3, ceil_mode=True),
        nn.AvgPool2d(3, 2, ceil_mode=True),
        nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False),
        nn.AvgPool2d(3, 2, 1, count_include_pad=False),
        nn.AvgPool2d(1, 2),
        nn.LocalResponseNorm(5, alpha=0.3, beta=0.75, k=2),
        nn.LocalResponseNorm(3, alpha=0.3),
        nn.Tanh(),
        ScaledTanh(),
        Pick(2, 0, 0, 1),
        nn.ZeroPad2d((1, 2, 3, 4)),
        nn.ZeroPad3d((1, 2, 0, 0, 3, 4)),
        nn.AvgPool2d(3, 2, 1, ceil_mode=True),
        nn.GELU(),
        nn.GELU("tanh"),
        nn.SiLU(),
        nn.Hardswish(),
        nn.Hardsigmoid(),
        nn.Softplus(),
    ],
    ids=str,
)
@pytest.mark.parametrize("stride", [3, 4])  # maps of 11x14 and 8x10
def test_every_layer_of_the_catalogue_has_a_rule_that_gives_what_it_gives(layer, stride, monkeypatch):
    monkeypatch.setattr(module, "_exported", None)
    _require_same(_lively(chain(conv=conv(3, 6, 3, stride=stride, bias=True), layer=layer)), RGB)


def test_a_layer_norm_of_channels_has_a_rule(monkeypatch):
    """As in ConvNeXt, whose images are turned around for it."""

    class OfChannels(nn.LayerNorm):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    monkeypatch.setattr(module, "_exported", None)
    norm = OfChannels(6, eps=1e-6)
    nn.init.uniform_(norm.weight, 0.5, 1.5)
    nn.init.uniform_(norm.bias, -1, 1)
    _require_same(_lively(chain(conv=conv(3, 6, 3, stride=4, bias=True), norm=norm)), RGB)


@pytest.mark.parametrize("places", [2, (4, 1), (8, 10), (1, 1)])
def test_adaptive_pooling_whose_windows_are_alike_has_a_rule(places, monkeypatch):
    monkeypatch.setattr(module, "_exported", None)
    _require_same(_lively(chain(conv=conv(3, 6, 3, stride=4), pool=nn.AdaptiveAvgPool2d(places))), RGB)


@pytest.mark.parametrize(
    "layer",
    [nn.LocalResponseNorm(4, alpha=0.3), nn.AdaptiveAvgPool2d((5, 3))],
    ids=str,
)
def test_what_the_rules_cannot_say_goes_to_the_exporter(layer):
    net = _lively(chain(conv=conv(3, 6, 3, stride=3, bias=True), layer=layer))
    with pytest.raises(module.NoRule):
        module._recorded(module._Graph(net, RGB, None), torch.zeros(2, 32, 40, 3, dtype=torch.uint8), ["logits"])


@pytest.mark.parametrize("name", ["lenet5_1998", "nin_cifar10", "resnet20_cifar"])
def test_a_classic_network_is_converted_without_the_exporter(name, monkeypatch):
    monkeypatch.setattr(module, "_exported", None)
    preprocess = GRAY if name.startswith("lenet") else RGB.model_copy(update={"crop_hw": (32, 32), "short_side": 32})
    net = _lively(zoo.create(name))
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
    _require_same(net, preprocess)


class _OfShapes(module.Recorder):
    """Takes a network without data."""

    def constant(self, array: object, name: str = "") -> str:
        return name or "constant"


@pytest.mark.parametrize(
    "name",
    [
        *("alexnet", "alexnet_paper", "googlenet", "googlenet_paper", "inception_v2", "inception_v2_paper", "vgg16_bn"),
        *("inception_v3", "inception_v4", "inception_resnet_v2", "nin_imagenet", "resnet18", "plain18", "quick_resnet"),
    ],
)
def test_no_network_of_the_catalogue_needs_the_exporter(name):
    channels, *size_hw = zoo.definition(name).input_chw
    preprocess = RGB.model_copy(update={"crop_hw": tuple(size_hw), "short_side": size_hw[0]})
    with torch.device("meta"):
        graph = module._Graph(zoo.create(name), preprocess, None).eval()
        images = torch.empty(2, *size_hw, channels, dtype=torch.uint8)
    recorder = _OfShapes(graph, module.RULES)
    recorder.name(images, "images")
    with torch.inference_mode(), recorder:
        graph(images)
    assert recorder.nodes


def test_a_function_without_a_rule_goes_to_the_exporter():
    net = chain(
        conv=conv(3, 4, 3), act=nn.Tanhshrink(), pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), fc=nn.Linear(4, 2)
    )
    _require_same(_lively(net), RGB)
    graph = to_onnx(net, RGB)
    assert b".py" not in graph
    assert to_onnx(net, RGB) == graph


class _Shifted(nn.Module):
    """Adds numbers that are no parameter and no buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = torch.linspace(-1, 1, 4)[:, None, None]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.add(self.shift)


def test_numbers_that_a_network_does_not_register_come_along():
    _require_same(_lively(chain(conv=conv(3, 4, 3), shifted=_Shifted())), RGB)


def test_recorder_and_exporter_agree(monkeypatch):
    net, images = _every_block(), _images(RGB)
    ours = _engine(to_onnx(net, RGB), images)["features"]
    monkeypatch.setattr(module, "RULES", {})
    graph = to_onnx(net, RGB)
    check_graph(graph)
    np.testing.assert_allclose(_engine(graph, images)["features"], ours, atol=1e-5)


def test_what_cannot_be_converted_is_refused_in_words():
    class Nonzero(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x[x > 0] if x.sum() > 0 else x.flatten()

    with pytest.raises(NetworkError, match="cannot be converted to ONNX"):
        to_onnx(chain(odd=Nonzero()), RGB)
