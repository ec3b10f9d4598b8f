"""The labs on first weights, shifts, sharing, augmentation, LeNet-5 and chance: facts, rules, and a run of each."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
import torch
from torch import nn

from eyespot.labs import chance, initial_weights, little_data, sharing, shift, then_and_now, towers
from eyespot.labs.bench import Bench, drawn
from eyespot.labs.figures import Gains, cells_of
from eyespot.labs.pictures import Pictures
from eyespot.zoo import lenet

LABS = (initial_weights, shift, sharing, little_data, then_and_now, chance)


def bench_of(count=24, *, channels=1, side=8, effort=0.02) -> Bench:
    """A bench of noise, in two classes of unequal size."""
    x = np.random.default_rng(0).normal(size=(count, channels, side, side)).astype(np.float32)
    y = (np.arange(count) % 3 == 0).astype(np.int64)
    pictures = Pictures("noise", x, y, ("a", "b"), (), "", (), (), black=-2.0, white=3.0)
    return Bench(pictures, *drawn(pictures, seed=0), 0, effort=effort)


def judged(lab, value, *, noise=0.0):
    """The verdict on five made-up rounds: each measure of a cell by a function of it, and noise that no two share."""
    random = np.random.default_rng(0)
    rows = [
        {"seed": seed, **cell, **{name: value(cell) + noise * random.normal() for name in lab.LAB.measures}}
        for seed in range(5)
        for cell in cells_of(lab.LAB)
    ]
    return lab.verdict(Gains(rows, share=0.28))


@pytest.mark.parametrize("lab", LABS)
@pytest.mark.parametrize(("channels", "side"), [(1, 8), (3, 16)])
def test_a_short_run_measures_what_the_lab_names(lab, channels, side):
    bench = bench_of(channels=channels, side=side)
    for cell in cells_of(lab.LAB):
        measured = lab.trial(bench, **cell)
        assert set(measured) == set(lab.LAB.measures)
        assert all(map(math.isfinite, measured.values()))


@pytest.mark.parametrize("lab", LABS)
def test_noise_says_nothing(lab):
    verdict = judged(lab, lambda cell: chance.WORTH, noise=0.3)
    assert (verdict.answer, verdict.guess) == ("cannot be told", 0)


RULES = [
    (initial_weights, lambda cell: 0.9 * (cell["arm"] in ("He", "PyTorch")), ("not so", 2)),
    (initial_weights, lambda cell: 0.9 * (cell["arm"] not in initial_weights.SAME), ("so", 1)),
    (initial_weights, lambda cell: 0.9, ("so", 3)),
    (initial_weights, lambda cell: 0.9 - 0.2 * (cell["arm"] == "N(0, 1)"), ("not so", 0)),
    (shift, lambda cell: 0.9 - 0.2 * cell["shift"], ("not so", 0)),
    (shift, lambda cell: 0.9 - 0.2 * cell["shift"] * (cell["arm"] != "global"), ("not so", 3)),
    (shift, lambda cell: 0.9 - 0.3 * cell["shift"] * (cell["arm"] == "dense"), ("so", 1)),
    (shift, lambda cell: 0.9 - 0.3 * cell["shift"] * (cell["arm"] in ("dense", "conv")), ("so", 2)),
    (shift, lambda cell: 0.9 - 0.01 * cell["shift"], ("not so", 0)),
    (sharing, lambda cell: {"shared": 0.1, "own": 0.2, "dense": 0.3}[cell["arm"]], ("so", 1)),
    (sharing, lambda cell: {"shared": 0.1, "own": 0.2, "dense": 0.2}[cell["arm"]], ("not so", 2)),
    (sharing, lambda cell: {"shared": 0.2, "own": 0.2, "dense": 0.3}[cell["arm"]], ("not so", 3)),
    (
        sharing,
        lambda cell: 0.2 + 0.1 * (cell["arm"] == "shared") * (1 if cell["pictures"] == 30 else -1),
        ("not so", 4),
    ),
    (sharing, lambda cell: {"shared": 0.3, "own": 0.2, "dense": 0.1}[cell["arm"]], ("not so", 4)),
    (little_data, lambda cell: 0.8 + 0.1 * (cell["arm"] != "none"), ("so", 1)),
    (little_data, lambda cell: 0.8 + 0.1 * (cell["arm"] == "all"), ("so", 0)),
    (little_data, lambda cell: 0.8 + 0.1 * (cell["arm"] == "all") - 0.1 * (cell["arm"] == "mirror"), ("so", 2)),
    (little_data, lambda cell: 0.8 - 0.1 * (cell["arm"] in ("all", "mirror")), ("not so", 3)),
    (little_data, lambda cell: 0.8 + {"all": -0.1, "mirror": -0.1, "crop": 0.1}.get(cell["arm"], 0), ("not so", 2)),
    (little_data, lambda cell: 0.8, ("not so", 3)),
    (then_and_now, lambda cell: 0.8 + 0.1 * ("ReLU" in cell["arm"]), ("so", 1)),
    (then_and_now, lambda cell: 0.8 + 0.1 * ("max" in cell["arm"]), ("so", 2)),
    (then_and_now, lambda cell: 0.8, ("not so", 3)),
    (then_and_now, lambda cell: 0.8 + 0.1 * ("rates" in cell["arm"]), ("not so", 3)),
    (chance, lambda cell: 0.05 * (cell["arm"] != "nothing"), ("so", 2)),
    (chance, lambda cell: 0.05, ("so", 3)),
    (chance, lambda cell: 0.001 * (cell["arm"] == "all"), ("not so", 1)),
]


@pytest.mark.parametrize(("lab", "value", "expected"), RULES)
def test_the_verdict_follows_the_rule(lab, value, expected):
    verdict = judged(lab, value, noise=1e-5)
    assert (verdict.answer, verdict.guess) == expected
    assert "{" not in verdict.said.en + verdict.said.zh


def test_one_seed_tells_nothing():
    for lab in LABS:
        rows = [{"seed": 0, **cell, **dict.fromkeys(lab.LAB.measures, 0.5)} for cell in cells_of(lab.LAB)]
        assert "one seed" in lab.verdict(Gains(rows, share=0.28)).said.en


def test_from_equal_weights_all_units_stay_alike():
    bench = bench_of(effort=0.05)
    assert [initial_weights.trial(bench, arm=arm)["units"] for arm in ("zero", "constant", "He")] == [1, 1, 64]


def test_on_its_ground_a_picture_loses_nothing_by_a_shift():
    images = bench_of(channels=3).train
    framed = shift.framed(images).x
    for way in range(-4, 5):
        moved = framed.roll(way, 3)
        torch.testing.assert_close(moved[:, :, 4:-4, 4 + way : 12 + way], images.x)


def test_the_ground_has_the_median_color_of_the_border():
    images = bench_of(channels=3).train
    one = images.x[0, 1].numpy()
    edge = np.sort(np.concatenate([one[0], one[-1], one[:, 0], one[:, -1]]))
    assert shift.framed(images).x[0, 1, 0, 0] == edge[(len(edge) - 1) // 2]


def test_a_global_maximum_sees_no_shift_by_multiples_of_the_stride():
    """R. Zhang, arXiv:1904.11486: pooling at stride 2 keeps shifts by 2 and not by 1."""
    bench = bench_of()
    ground = replace(bench, train=shift.framed(bench.train))
    net, x = shift.trained(ground, "global"), ground.train.x
    torch.testing.assert_close(net(x.roll(2, 3)), net(x))
    torch.testing.assert_close(net(x.roll((4, -2), (2, 3))), net(x))
    assert (net(x.roll(1, 3)) - net(x)).abs().max() > 1e-3


def test_own_weights_that_are_alike_are_a_convolution():
    layer, x = nn.Conv2d(2, 5, 3, stride=2, padding=1), torch.randn(3, 2, 8, 8)
    own = towers.OwnWeights(layer, (2, 8, 8))
    with torch.no_grad():
        own.weight.copy_(layer.weight.flatten(1).T.expand_as(own.weight))
        own.bias.copy_(layer.bias[:, None].expand_as(own.bias))
    torch.testing.assert_close(own(x), layer(x))
    assert sum(p.numel() for p in own.parameters()) == 4 * 4 * sum(p.numel() for p in layer.parameters())


def test_own_weights_at_one_place_answer_for_that_place_alone():
    own, x = towers.OwnWeights(nn.Conv2d(1, 1, 3, padding=1), (1, 4, 4)), torch.randn(1, 1, 4, 4)
    before = own(x)
    with torch.no_grad():
        own.weight[6] += 1
    assert (own(x) != before).nonzero().tolist() == [[0, 0, 1, 2]]


@pytest.mark.parametrize("side", [8, 16])
def test_all_three_ways_to_connect_have_the_same_units(side):
    bench = bench_of(side=side)
    for arm in sharing.LAB.grid["arm"]:
        net = sharing.network(bench, arm)
        sizes = [net[:end](bench.train.x).flatten(1).shape[1] for end in (1, 3)]
        assert sizes == [512, 256]


def seen(x, *kinds):
    return little_data.changed(x, torch.Generator().manual_seed(0), kinds)


X = torch.randn(64, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def test_without_augmentation_images_stay():
    torch.testing.assert_close(seen(X, "none"), X, atol=1e-5, rtol=0)


def test_a_mirror_turns_half_of_the_images_around():
    which = Counter()
    for one, made in zip(X, seen(X, "mirror"), strict=True):
        which.update(
            name for name, twin in (("kept", one), ("turned", one.flip(2))) if torch.allclose(made, twin, atol=1e-5)
        )
    assert which.total() == 64
    assert 20 < which["turned"] < 44


def test_a_crop_moves_by_whole_pixels_and_repeats_the_edge():
    padded = nn.functional.pad(X, (1,) * 4, mode="replicate")
    ways = Counter()
    for one, made in zip(padded, seen(X, "crop"), strict=True):
        twins = {(a, b): one[:, a : a + 8, b : b + 8] for a in range(3) for b in range(3)}
        ways.update(way for way, twin in twins.items() if torch.allclose(made, twin, atol=1e-5))
    assert ways.total() == 64
    assert len(ways) == 9


def test_rotation_turns_around_the_middle():
    """Levels that rise to the right, turned, rise at the angle; at most 15 degrees, both ways."""
    slope = torch.arange(8.0).expand(64, 1, 8, 8)
    made = seen(slope, "rotation")[:, 0, 3:5, 3:5]
    right, down = (made[:, :, 1] - made[:, :, 0]).mean(1), (made[:, 1] - made[:, 0]).mean(1)
    degrees = torch.rad2deg(torch.atan2(down, right))
    torch.testing.assert_close(made.mean((1, 2)), torch.full((64,), 3.5))
    assert degrees.abs().max() <= 15.001
    assert degrees.min() < -8 < 8 < degrees.max()


def test_color_changes_only_brightness_and_contrast():
    for one, made in zip(X, seen(X, "color"), strict=True):
        contrast, light = np.polyfit(one.flatten(), made.flatten(), 1)
        torch.testing.assert_close(made, one * contrast + light, atol=1e-4, rtol=0)
        assert 0.7 <= contrast <= 1.3


def test_where_there_are_fewer_pictures_than_asked_all_are_taken():
    bench = bench_of()
    thirty, hundred = (little_data.trial(bench, pictures=count, arm="none") for count in (30, 100))
    assert thirty == hundred


def test_the_modern_form_is_that_of_the_catalogue():
    ours, theirs = then_and_now.lenet(1, 10, then_and_now.NOW), lenet.lenet5()
    theirs.load_state_dict(dict(zip(theirs.state_dict(), ours.state_dict().values(), strict=True)))
    x = torch.randn(2, 1, 32, 32)
    torch.testing.assert_close(ours(x), theirs(x))


def test_the_form_of_1998_differs_from_the_paper_in_c3_alone():
    """Table I leaves 60 of the 96 pairs of maps: 1,516 weights and biases in C3 for 2,416 here."""
    ours, theirs = (
        sum(p.numel() for p in net.parameters())
        for net in (then_and_now.lenet(1, 10, then_and_now.THEN), lenet.lenet5_1998())
    )
    assert ours - theirs == 2416 - 1516


def test_averages_begin_as_plain_means():
    x = torch.rand(2, 6, 8, 8)
    with torch.no_grad():
        scale = then_and_now.average(6, nn.Identity())
    torch.testing.assert_close(scale(x) - scale(0 * x), nn.functional.avg_pool2d(x, 2))


def test_another_split_leaves_out_other_pictures_of_those_that_train():
    bench, seen = bench_of(60), []
    for without in (0, 1):
        with mock.patch.object(
            Bench, "fit", lambda bench, net, steps: seen.append(set(bench.train.rows.tolist())) or net
        ):
            chance.trained(bench, without=without)
    train = set(bench.train.rows.tolist())
    assert all(len(train) - len(each) == -(-len(train) // 10) for each in seen)
    assert seen[0] | seen[1] == train


def test_the_same_chance_gives_the_same_network():
    bench = bench_of()
    torch.manual_seed(bench.seed)  # as before each trial
    assert chance.trial(bench, arm="nothing") == {"otherwise": 0, "apart": 0}


def test_what_is_made_once_is_made_anew_for_other_pictures():
    bench = bench_of()
    assert bench.once("a", nn.Identity) is bench.once("a", nn.Flatten)
    assert bench.few(2).once("a", nn.Identity) is not bench.once("a", nn.Identity)


def test_a_shared_network_changes_no_number():
    """A round that goes on after a stop makes it again, from the same chance."""
    cells = ({"shift": 0, "arm": "conv"}, {"shift": 1, "arm": "conv"})
    shared, measured = bench_of(), []
    for bench in (shared, shared, bench_of()):
        torch.manual_seed(bench.seed)  # as before each trial
        measured.append(shift.trial(bench, **cells[min(len(measured), 1)]))
    assert measured[1] == measured[2]
