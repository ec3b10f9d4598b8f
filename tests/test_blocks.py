from collections import OrderedDict

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from eyespot.blocks import Branches, Residual, SamePadding, WithHeads, chain, conv, join, split, stage_names, taps
from eyespot.errors import NetworkError


def _net() -> nn.Sequential:
    torch.manual_seed(0)
    return chain(
        stem=chain(conv=conv(3, 8, 3), norm=nn.BatchNorm2d(8), act=nn.ReLU()),
        stage1=chain(
            a=Residual(chain(conv=conv(8, 8, 3), norm=nn.BatchNorm2d(8))),
            b=Branches(one=conv(8, 4, 1), three=chain(conv=conv(8, 6, 3), act=nn.ReLU())),
            c=chain(inner=chain(conv=conv(10, 12, 3, stride=2), act=nn.ReLU()), pool=nn.MaxPool2d(2)),
        ),
        head=chain(pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), fc=nn.Linear(12, 5)),
    ).eval()


NET = _net()
IMAGES = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))
CUTS = stage_names(NET)[:-2]  # not behind the last stage: head.fc, head


def test_stage_names_are_dotted_and_stop_at_sums_and_concatenations():
    assert "stage1.c.inner.conv" in CUTS
    assert "stage1.a" in CUTS
    assert not any(name.startswith(("stage1.a.", "stage1.b.")) for name in CUTS)


@pytest.mark.parametrize("after", CUTS)
def test_split_then_join_gives_the_same_logits(after):
    trunk, tail = split(NET, after=after)
    joined = join(trunk, tail)
    with torch.inference_mode():
        logits = NET(IMAGES)
        assert torch.equal(tail(trunk(IMAGES)), logits)
        assert torch.equal(joined(IMAGES), logits)
    assert stage_names(joined) == stage_names(NET)


@pytest.mark.parametrize("after", CUTS)
def test_split_shares_the_parameters_and_keeps_their_names(after):
    trunk, tail = split(NET, after=after)
    ours, theirs = trunk.state_dict(keep_vars=True), tail.state_dict(keep_vars=True)
    assert not ours.keys() & theirs.keys()
    whole = NET.state_dict(keep_vars=True)
    assert (ours | theirs).keys() == whole.keys()
    assert all((ours | theirs)[name] is whole[name] for name in whole)


@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_two_cuts_give_three_parts_that_join_in_any_order(data):
    first = data.draw(st.sampled_from(CUTS))
    trunk, rest = split(NET, after=first)
    later = [name for name in stage_names(rest) if name not in ("head", "head.fc")]
    if not later:
        return
    middle, tail = split(rest, after=data.draw(st.sampled_from(later)))
    for joined in (join(join(trunk, middle), tail), join(trunk, join(middle, tail))):
        assert stage_names(joined) == stage_names(NET)
        with torch.inference_mode():
            assert torch.equal(joined(IMAGES), NET(IMAGES))


@pytest.mark.parametrize("training", [True, False])
def test_split_keeps_the_mode_of_every_part(training):
    net = _net().train(training)
    net.stem.eval()
    trunk, tail = split(net, after="stage1.c.inner")
    assert trunk.training is tail.training is training
    assert not trunk.stem.training


@pytest.mark.parametrize(
    ("after", "words"),
    [
        ("stage2", "did you mean 'stage1'"),
        ("stage1.a.body", "inside 'stage1.a', a Residual"),
        ("stage1.a.body.conv", "inside 'stage1.a', a Residual"),
        ("stage1.b.three", "inside 'stage1.b', a Branches"),
        ("head.fc", "Nothing comes after"),
        ("head", "Nothing comes after"),
        ("", "no stage ''"),
        ("zzz", "it has stem, stage1, head"),
        ("stem.conv.weight", "inside 'stem.conv', a Conv2d"),
    ],
)
def test_split_refuses_in_words(after, words):
    with pytest.raises(NetworkError, match=words):
        split(NET, after=after)


def test_join_refuses_a_name_that_both_have():
    trunk, _ = split(NET, after="stage1")
    with pytest.raises(NetworkError, match="'stem'"):
        join(trunk, chain(fc=nn.Flatten(), stem=nn.Flatten()))
    with pytest.raises(NetworkError, match="'stage1'"):
        join(trunk, chain(stage1=nn.Flatten()))


def test_join_puts_a_new_tail_on_a_trunk():
    trunk, _ = split(NET, after="head.flat")
    net = join(trunk, chain(head=chain(fc=nn.Linear(12, 2))))
    assert net(IMAGES).shape == (2, 2)
    assert "head.fc.weight" in net.state_dict()


def test_taps_are_what_the_trunk_up_to_them_gives():
    names = ["head.flat", "stem", "stage1.c.inner.conv", "stage1.b"]
    with torch.inference_mode():
        found = taps(NET, names, IMAGES)
        assert list(found) == names
        for name in names:
            assert torch.equal(found[name], split(NET, after=name)[0](IMAGES))


def test_taps_stop_at_the_last_name():
    net = chain(stage1=nn.ReLU(), stage2=nn.Linear(999, 1))
    assert taps(net, ["stage1"], IMAGES)["stage1"].shape == IMAGES.shape


def test_taps_refuse_what_split_refuses():
    with pytest.raises(NetworkError, match="Residual"):
        taps(NET, ["stage1.a.body"], IMAGES)


@pytest.mark.parametrize("kernel", [1, 3, 5, (1, 7), (7, 1)])
def test_conv_without_a_padding_keeps_the_size(kernel):
    assert conv(3, 4, kernel)(IMAGES).shape == (2, 4, 16, 16)


def test_conv_with_an_even_kernel_needs_a_padding():
    with pytest.raises(NetworkError, match="2x2"):
        conv(3, 4, 2)
    assert conv(3, 4, 2, padding=0, stride=2)(IMAGES).shape == (2, 4, 8, 8)


@given(size=st.integers(1, 40), kernel=st.integers(1, 7), stride=st.integers(1, 4))
@settings(deadline=None)
def test_same_padding_gives_the_size_and_the_sides_of_tensorflow(size, kernel, stride):
    image = torch.zeros(1, 1, size, 3)
    image[0, 0, 0] = 1
    padded = SamePadding(kernel, stride)(image)
    steps = -(-size // stride)
    assert (padded.shape[2] - kernel) // stride + 1 == steps or kernel < stride
    total = max((steps - 1) * stride + kernel - size, 0)  # tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2
    assert padded.shape[2] == size + total
    assert int(padded[0, 0, :, padded.shape[3] // 2].argmax()) == total // 2


def test_residual_scales_its_body_and_uses_its_shortcut():
    x = torch.ones(1, 2, 3, 3)
    assert torch.equal(Residual(nn.Identity())(x), 2 * x)
    assert torch.allclose(Residual(nn.Identity(), scale=0.2)(x), 1.2 * x)
    assert torch.equal(Residual(nn.Identity(), nn.Upsample(scale_factor=1))(x), 2 * x)


def test_branches_concatenate_in_the_order_they_are_given():
    x = torch.tensor([[[[-1.0]]]])
    assert Branches(b=nn.Identity(), a=nn.ReLU())(x).flatten().tolist() == [-1, 0]


def _head(channels: int, classes: int = 5) -> nn.Sequential:
    return chain(pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), fc=nn.Linear(channels, classes))


@pytest.mark.parametrize("training", [True, False])
def test_auxiliary_heads_answer_beside_the_network_in_training_and_evaluation_alike(training):
    net = _net().train(training)
    heads = {"stage1.a": _head(8), "stem": _head(8), "stage1.c.inner": _head(12)}
    wrapped = WithHeads(net, heads).train(training)
    with torch.no_grad():
        logits, auxiliary = wrapped(IMAGES)
        assert torch.equal(logits, net(IMAGES))
        assert list(auxiliary) == list(heads)
        for stage, output in taps(net, list(heads), IMAGES).items():
            assert torch.equal(auxiliary[stage], heads[stage](output))


def test_the_state_of_the_network_stands_apart_from_that_of_its_heads():
    net, head = _net(), _head(8)
    state = WithHeads(net, {"stage1.a": head}).state_dict()
    assert {name.removeprefix("net.") for name in state if name.startswith("net.")} == net.state_dict().keys()
    assert {name for name in state if not name.startswith("net.")} == {
        "heads.stage1_a.fc.weight",
        "heads.stage1_a.fc.bias",
    }
    assert WithHeads.place("stage1.a") == "heads.stage1_a"
    assert "heads" not in "".join(net.state_dict())


def test_the_loss_of_a_head_reaches_the_stages_below_it_and_no_other():
    net = _net()
    _, auxiliary = WithHeads(net, {"stage1.a": _head(8)})(IMAGES)
    auxiliary["stage1.a"].sum().backward()
    assert net.stem.conv.weight.grad is not None
    assert net.head.fc.weight.grad is None


@pytest.mark.parametrize(
    ("stage", "words"), [("stage1.z", "no stage 'stage1.z'"), ("stage1.b.one", "lies inside 'stage1.b', a Branches")]
)
def test_a_head_where_no_head_can_stand_is_refused_at_once(stage, words):
    with pytest.raises(NetworkError, match=words):
        WithHeads(_net(), {stage: _head(8)})


def test_a_stage_that_stands_twice_is_one_stage_at_each_place():
    """PyTorch's `named_children` leaves out the second."""
    pool = nn.MaxPool2d(2)
    net = nn.Sequential(OrderedDict(first=pool, act=nn.ReLU(), second=pool))
    x = torch.randn(1, 2, 8, 8)
    assert stage_names(net) == ("first", "act", "second")
    assert torch.equal(taps(net, ["second"], x)["second"], net(x))
    trunk, tail = split(net, after="act")
    assert torch.equal(tail(trunk(x)), net(x))
    assert Branches(one=pool, two=pool)(x).shape == (1, 4, 4, 4)
