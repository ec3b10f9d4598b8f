"""New layers in words: what is understood, and what is told of a mistake."""

from __future__ import annotations

import pytest

from eyespot.errors import OptionError
from eyespot.training.tail_words import AveragePool, Conv, Dropout, FullyConnected, Pool, parse_tail


def test_every_word_is_understood():
    assert parse_tail("conv 3x3 128, pool, fc 64") == (Conv((3, 3), 128), Pool((2, 2)), FullyConnected(64))
    assert parse_tail("conv 1x7 9 stride 2, avgpool, dropout 0.5") == (Conv((1, 7), 9, 2), AveragePool(), Dropout(0.5))


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ("conv 3 128", Conv((3, 3), 128)),
        ("CONV 3X3 128", Conv((3, 3), 128)),
        ("  conv   3 x 3\t128\n", Conv((3, 3), 128)),
        ("conv3x3 128 Stride2", Conv((3, 3), 128, 2)),
        ("pool 3", Pool((3, 3))),
        ("Pool 2x1", Pool((2, 1))),
        ("AvgPool", AveragePool()),
        ("fc64", FullyConnected(64)),
        ("dropout .25", Dropout(0.25)),
    ],
)
def test_spaces_and_capitals_are_as_one_likes(text, layer):
    assert parse_tail(text) == (layer,)


def test_layers_written_out_are_the_same_layers():
    layers = parse_tail("conv 3 128 stride 2, conv 1 8, pool, avgpool, dropout 0.25, fc 64")
    assert parse_tail(", ".join(map(str, layers))) == layers


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        (" , ", "is empty"),
        ("pool,, fc 8", "a comma without a layer"),
        ("fc 8,", "a comma without a layer"),
        ("convv 3x3 8", "there is no layer 'convv'; did you mean 'conv'?"),
        ("maxpool", "did you mean 'pool'?"),
        ("attention", "there are conv, pool, avgpool, fc, dropout"),
        ("3x3 conv", "there is no layer '3x3'"),
        ("conv", "such as conv 3x3 128"),
        ("conv 3x3", "such as conv 3x3 128"),
        ("conv 4x4 8", "an odd kernel"),
        ("conv 3x2 8", "an odd kernel"),
        ("conv 3x3 0", "1 to 4096 channels"),
        ("conv 3x3 4097", "1 to 4096 channels"),
        ("conv 3x3 8 stride 9", "a stride of 1 to 8"),
        ("conv 3x3 8 stride 0", "a stride of 1 to 8"),
        ("pool 0", "windows of 2x2"),
        ("avgpool 2", "write avgpool alone"),
        ("fc", "1 to 65536, such as fc 64"),
        ("fc 0", "1 to 65536"),
        ("fc 65537", "1 to 65536"),
        ("fc " + "9" * 5000, "1 to 65536"),
        ("fc -3", "1 to 65536"),
        ("dropout", "above 0 and below 1"),
        ("dropout 0", "above 0 and below 1"),
        ("dropout 1", "above 0 and below 1"),
        ("dropout 50%", "above 0 and below 1"),
        ("fc 8, conv 3x3 8", "'conv 3x3 8' after 'fc 8', which leaves no map"),
        ("fc 8, dropout 0.5, pool", "'pool 2x2' after 'fc 8'"),
        ("fc 8," * 40 + "fc 8", "41 layers: give at most 32"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(text, told):
    with pytest.raises(OptionError, match="the option replace_tail") as raised:
        parse_tail(text)
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)
