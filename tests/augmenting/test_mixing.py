"""Mixed pictures and targets against the papers' formulas, timm's rectangles and scipy's distributions."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy import stats

from eyespot.augmenting.chance import Chance
from eyespot.augmenting.mixing import Mixing, mix

CLASSES = 5


def chance(count: int, *, seed: int = 0, epoch: int = 0) -> Chance:
    return Chance(seed, epoch, np.arange(count, dtype=np.uint64) * np.uint64(7919))


def targets_of(labels: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.one_hot(labels, CLASSES).float()


def pictures(count: int, shape: tuple[int, ...] = (3, 8, 12)) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(count)
    return torch.rand(count, *shape, generator=random), targets_of(
        torch.randint(0, CLASSES, (count,), generator=random)
    )


def shares(count: int, mixing: Mixing, size: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Of ones mixed with zeros: what is left of each pixel (N, H, W), and of each target (N,)."""
    ones, zeros = torch.ones(count, 1, size, size), torch.zeros(count, 1, size, size)
    x, targets = mix(ones, torch.ones(count, 1), zeros, torch.zeros(count, 1), chance(count), mixing)
    return x[:, 0].numpy(), targets[:, 0].numpy()


def test_without_mixing_nothing_changes_not_even_a_bit():
    x, targets = pictures(20)
    partner_x, partner_targets = pictures(20)
    mixed_x, mixed_targets = mix(x, targets, partner_x.flip(0), partner_targets.flip(0), chance(20), Mixing())
    assert torch.equal(mixed_x, x)
    assert torch.equal(mixed_targets, targets)


def test_mixup_is_the_papers_formula():
    """x = share * x_i + (1 - share) * x_j, and y likewise with the same share."""
    (x, targets), (partner_x, partner_targets) = pictures(50), pictures(51)
    partner_x, partner_targets = partner_x[1:], partner_targets[1:]
    mixing = Mixing(mixup_probability=1, mixup_alpha=1)
    mixed_x, mixed_targets = mix(x, targets, partner_x, partner_targets, chance(50), mixing)
    share = torch.from_numpy(shares(50, mixing)[1])
    torch.testing.assert_close(mixed_x, torch.lerp(partner_x, x, share[:, None, None, None]))
    torch.testing.assert_close(mixed_targets, torch.lerp(partner_targets, targets, share[:, None]))
    assert mixed_targets.dtype == torch.float32
    torch.testing.assert_close(mixed_targets.sum(1), torch.ones(50))


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_the_shares_of_mixup_come_from_beta(alpha):
    share = shares(5000, Mixing(mixup_probability=1, mixup_alpha=alpha), size=1)[1]
    assert stats.kstest(share, stats.beta(alpha, alpha).cdf).pvalue > 1e-4


def test_cutmix_takes_a_rectangle_of_the_partner_and_its_share_of_the_class():
    left, target = shares(2000, Mixing(cutmix_probability=1))
    assert np.unique(left).tolist() == [0, 1]
    for picture, share in zip(left, target, strict=True):
        rows, columns = np.flatnonzero((picture == 0).any(axis=1)), np.flatnonzero((picture == 0).any(axis=0))
        assert share == pytest.approx(1 - len(rows) * len(columns) / 64**2, abs=1e-6)
        assert share == pytest.approx(picture.mean(), abs=1e-6)


def test_cutmixs_rectangles_are_timms_in_distribution(timm):
    from timm.data.mixup import rand_bbox

    np.random.seed(0)
    theirs = []
    for share in np.random.beta(1, 1, 4000):
        top, bottom, left, right = rand_bbox((64, 64), share)
        theirs.append(1 - (bottom - top) * (right - left) / 64**2)
    ours = shares(4000, Mixing(cutmix_probability=1))[1]
    assert stats.ks_2samp(ours, theirs).pvalue > 1e-3


def test_so_many_pictures_are_mixed_in_each_way():
    left, _ = shares(4000, Mixing(mixup_probability=0.3, cutmix_probability=0.5), size=32)
    lowest, highest = left.min(axis=(1, 2)), left.max(axis=(1, 2))
    mixup = (lowest == highest) & (lowest < 1)
    cutmix = (lowest == 0) & (highest == 1)
    assert mixup.mean() == pytest.approx(0.3, abs=0.03)
    assert cutmix.mean() == pytest.approx(0.5, abs=0.04)  # the smallest rectangles have no pixel


def test_partner_order_and_batch_decide_nothing():
    (x, targets), (partner_x, partner_targets) = pictures(30), pictures(30)
    partner_x, partner_targets = partner_x.flip(0), partner_targets.flip(0)
    mixing = Mixing(mixup_probability=0.5, cutmix_probability=0.5)
    whole_x, whole_targets = mix(x, targets, partner_x, partner_targets, chance(30), mixing)
    rows = [7, 2, 29]
    some = Chance(0, 0, chance(30).pictures[rows])
    x_, targets_ = mix(x[rows], targets[rows], partner_x[rows], partner_targets[rows], some, mixing)
    assert torch.equal(x_, whole_x[rows])
    assert torch.equal(targets_, whole_targets[rows])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_number_format_and_memory_order_stay(dtype):
    x, targets = pictures(6)
    x = x.to(dtype, memory_format=torch.channels_last)
    mixing = Mixing(mixup_probability=0.5, cutmix_probability=0.5)
    mixed, mixed_targets = mix(x, targets, x.flip(0), targets.flip(0), chance(6), mixing)
    assert mixed.dtype == dtype
    assert mixed.is_contiguous(memory_format=torch.channels_last)
    assert mixed_targets.dtype == torch.float32


def test_mixup_takes_features_without_height_and_width():
    x, targets = pictures(6, (17,))
    mixed, _ = mix(x, targets, x.flip(0), targets.flip(0), chance(6), Mixing(mixup_probability=1))
    assert mixed.shape == x.shape


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"mixup_alpha": 0}, "mixup_alpha"),
        ({"cutmix_probability": 2}, "cutmix_probability"),
        ({"mixup_probability": 0.6, "cutmix_probability": 0.6}, "must not exceed 1 together"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(options, named):
    with pytest.raises(ValidationError, match=named):
        Mixing(**options)
