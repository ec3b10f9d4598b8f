from contextlib import nullcontext

import pytest
import torch
from torch import nn

from eyespot.errors import MachineError, OptionError
from eyespot.training import devices
from eyespot.training.devices import Device, choose

IMAGES = torch.arange(2.0 * 3 * 4 * 4).reshape(2, 3, 4, 4)
META = Device(torch.device("meta"), "bf16")
"""Stands for a GPU: it has places, but computes nothing."""


def cpu(precision: str) -> Device:
    return Device(torch.device("cpu"), precision)


@pytest.fixture
def gpus(monkeypatch):
    """A function that gives this machine GPUs, as far as PyTorch's answers go."""

    def have(count: int, *, bf16: bool = True, mps: bool = False) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(torch.cuda, "device", lambda where: nullcontext())
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: bf16)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda where: f"Great {where.index}")
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    have(0)
    return have


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 2))


# --- which device


def test_auto_takes_cuda_then_mps_then_the_processor(gpus):
    assert choose().where == torch.device("cpu")
    gpus(0, mps=True)
    assert choose().where == torch.device("mps")
    gpus(1, mps=True)
    assert choose().where == torch.device("cuda", 0)


def test_the_processor_can_be_asked_for_beside_a_gpu(gpus):
    gpus(1)
    assert choose("cpu").where == torch.device("cpu")


@pytest.mark.parametrize(
    ("gpu", "version", "said"),
    [
        ("cuda", None, "was built without CUDA: give --device cpu"),
        ("cuda", "12.8", "finds no GPU with CUDA on this machine: give --device cpu"),
        ("mps", None, "MPS.*: give --device cpu"),
    ],
)
def test_a_device_that_is_not_there_is_one_sentence(gpus, monkeypatch, gpu, version, said):
    monkeypatch.setattr(torch.version, "cuda", version)
    with pytest.raises(MachineError, match=said):
        choose(gpu)


def test_an_unknown_device_is_one_sentence(gpus):
    with pytest.raises(OptionError, match="--device is 'tpu': expected auto, cpu, cuda or mps"):
        choose("tpu")


def test_every_process_has_a_gpu_of_its_own(gpus):
    gpus(2)
    chosen = [choose("cuda", local_rank=rank) for rank in (0, 1)]
    assert chosen == [Device(torch.device("cuda", rank), "bf16") for rank in (0, 1)]
    with pytest.raises(MachineError, match="has 2 GPUs and this is its process 3: start at most 2"):
        choose("cuda", local_rank=2)


# --- precision


@pytest.mark.parametrize(("engine", "precision"), [(("bf16", "fp32"), "bf16"), (("fp32",), "fp32")])
def test_the_processor_computes_in_bf16_where_it_has_instructions_for_it(gpus, monkeypatch, engine, precision):
    monkeypatch.setattr(devices, "available_precisions", lambda: engine)
    assert choose("cpu").precision == precision


@pytest.mark.parametrize(("bf16", "precision"), [(True, "bf16"), (False, "fp16")])
def test_a_gpu_computes_in_bf16_where_it_can_and_else_in_fp16(gpus, bf16, precision):
    gpus(1, bf16=bf16)
    assert choose("cuda").precision == precision


def test_mps_computes_in_fp16(gpus):
    gpus(0, mps=True)
    assert choose("mps").precision == "fp16"


@pytest.mark.parametrize(
    ("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)]
)
def test_within_autocast_a_network_computes_in_the_precision_and_outside_in_fp32(precision, dtype):
    device = cpu(precision)
    net = device.place(network())
    images = device.place(IMAGES)
    with device.autocast():
        assert net(images[:, :, :4, :4]).dtype == dtype
    assert net(images).dtype == torch.float32
    assert {each.dtype for each in net.parameters()} == {torch.float32}


def test_autocast_is_that_of_the_device(gpus, monkeypatch):
    asked = []
    monkeypatch.setattr(torch, "autocast", lambda *kind, **options: asked.append((*kind, options["dtype"])))
    gpus(1)
    choose("cuda").autocast()
    gpus(0, mps=True)
    choose("mps").autocast()
    assert asked == [("cuda", torch.bfloat16), ("mps", torch.float16)]


@pytest.mark.parametrize(("precision", "scaled"), [("fp32", False), ("bf16", False), ("fp16", True)])
def test_only_gradients_in_fp16_are_scaled(precision, scaled):
    loss = torch.tensor(1.0)
    assert (cpu(precision).scaler().scale(loss) > loss) == scaled


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_step_with_the_scaler_trains(precision):
    device, net = cpu(precision), cpu(precision).place(network())
    optimiser, scaler = torch.optim.SGD(net.parameters(), lr=0.1), device.scaler()
    before = net[0].weight.detach().clone()
    for _ in range(8):  # the first in fp16 are left out, until the scale is low enough
        optimiser.zero_grad()
        with device.autocast():
            loss = net(device.place(IMAGES / 100)).float().square().mean()
        scaler.scale(loss).backward()
        scaler.step(optimiser)
        scaler.update()
    assert float(loss.detach()) < 10
    assert not torch.equal(net[0].weight, before)


# --- places


def test_images_are_placed_channels_last_with_their_values():
    placed = cpu("fp32").place(IMAGES)
    assert placed.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(placed, IMAGES)


@pytest.mark.parametrize("shape", [(), (5,), (5, 3), (2, 3, 4)], ids=str)
def test_tensors_of_other_shapes_are_placed_as_they_are(shape):
    assert META.place(torch.zeros(shape)).device.type == "meta"
    tensor = torch.zeros(shape)
    assert cpu("fp32").place(tensor) is tensor


def test_a_tensor_that_is_placed_already_is_not_copied():
    placed = cpu("fp32").place(IMAGES)
    assert cpu("fp32").place(placed) is placed


def test_a_network_is_placed_itself_with_its_buffers_and_channels_last():
    net = network()
    assert META.place(net) is net
    assert {each.device.type for each in net.state_dict().values()} == {"meta"}
    assert net[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert META.place(IMAGES).device.type == "meta"


def test_a_placed_network_answers_as_before():
    net = network().eval()
    expected = net(IMAGES)
    device = cpu("fp32")
    torch.testing.assert_close(device.place(net)(device.place(IMAGES)), expected)
