"""The loop: learns what can be learned, keeps its best weights, and the same seed gives the same bits."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from eyespot.blocks import chain
from eyespot.records import Preprocess
from eyespot.training.loop import SHIFT, Epoch, Images, Training, shifted

GRAY = Preprocess(short_side=8, crop_hw=(8, 8), filter="bilinear", color="gray", mean=(127.5,), scale=(127.5,))


@pytest.fixture(autouse=True)
def one_thread():
    """The networks are so small that several threads only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def stripes(count: int, *, seed: int = 0, noise: int = 40) -> Images:
    """Images with horizontal or vertical stripes under noise: two classes that a small network tells apart."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    pixels = np.zeros((count, 8, 8, 1))
    pixels[labels == 0, ::2] = 150
    pixels[labels == 1, :, ::2] = 150
    pixels += random.integers(0, noise, pixels.shape)
    return Images(pixels.astype(np.uint8), labels)


def small_net(seed: int = 0) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return chain(
            conv=nn.Conv2d(1, 4, 3), act=nn.ReLU(), pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), fc=nn.Linear(4, 2)
        )


def training(net=None, train=None, validation=None, **options) -> Training:
    options = {"epochs": 6, "batch": 16, "lr": 0.03, "patience": 10, "seed": 0, **options}
    return Training(net or small_net(), train or stripes(64), validation, GRAY, **options)


class Scripted(Training):
    """Training whose validation losses are given."""

    def __init__(self, losses: list[float], **options) -> None:
        options = {"epochs": len(losses), "batch": 16, "lr": 0.01, "patience": 100, "seed": 0, **options}
        super().__init__(small_net(), stripes(16), stripes(16), GRAY, **options)
        self._losses = iter(losses)
        self.states: list[dict[str, torch.Tensor]] = []

    def _validate(self) -> tuple[float, float]:
        self.states.append(copy.deepcopy(self.net.state_dict()))
        return next(self._losses), 0.5


def same_state(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


# Learning


def test_two_classes_that_can_be_told_apart_are_learned():
    run = training(validation=stripes(40, seed=1), epochs=12, lr=0.1)
    epochs = list(run.epochs())
    assert epochs[-1].train_loss < epochs[0].train_loss / 4
    net = run.keep_best()
    test = stripes(100, seed=2)
    x = (torch.from_numpy(test.images).float() / 127.5 - 1).permute(0, 3, 1, 2)
    with torch.inference_mode():
        assert (net(x).argmax(1).numpy() == test.labels).mean() > 0.97


def test_labels_are_learned_not_the_order_of_the_images():
    shuffled = np.random.default_rng(0).permutation(64)
    images = stripes(64)
    run = training(train=Images(images.images[shuffled], images.labels[shuffled]), epochs=12, lr=0.1)
    assert list(run.epochs())[-1].train_loss < 0.3


def test_an_epoch_tells_the_loss_and_accuracy_that_pytorch_finds_for_its_network():
    validation = stripes(300, seed=1)
    run = training(validation=validation)
    x = (torch.from_numpy(validation.images).float() / 127.5 - 1).permute(0, 3, 1, 2)
    labels = torch.from_numpy(validation.labels)
    for number, epoch in enumerate(run.epochs(), start=1):
        with torch.inference_mode():
            logits = copy.deepcopy(run.net).eval()(x)
        assert epoch.number == number
        assert epoch.validation_loss == pytest.approx(float(nn.functional.cross_entropy(logits, labels)), rel=1e-5)
        assert epoch.validation_accuracy == pytest.approx(float((logits.argmax(1) == labels).double().mean()))
    assert number == 6


def test_the_train_loss_is_the_mean_over_images_also_where_the_last_batch_is_small():
    run = training(train=stripes(17), lr=1e-12, epochs=1, batch=16)
    before = copy.deepcopy(run.net)
    (epoch,) = run.epochs()
    x = (torch.from_numpy(stripes(17).images).float() / 127.5 - 1).permute(0, 3, 1, 2)
    with torch.inference_mode():
        expected = float(nn.functional.cross_entropy(before(x), torch.from_numpy(stripes(17).labels)))
    assert epoch.train_loss == pytest.approx(expected, abs=0.01)  # the shifts change the loss a little


@pytest.mark.parametrize(("count", "batch", "epochs"), [(1, 16, 1), (16, 16, 1), (17, 16, 2), (10, 1, 3), (5, 100, 4)])
def test_any_number_of_images_batches_and_epochs_runs_to_its_end(count, batch, epochs):
    run = training(train=stripes(count), epochs=epochs, batch=batch)
    assert [epoch.number for epoch in run.epochs()] == list(range(1, epochs + 1))


def normalised_net() -> nn.Sequential:
    """BatchNorm on one value per image and channel: a batch of one image has no spread to divide by."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return chain(
            conv=nn.Conv2d(1, 4, 8), norm=nn.BatchNorm2d(4), act=nn.ReLU(), flat=nn.Flatten(), fc=nn.Linear(4, 2)
        )


@pytest.mark.parametrize(("count", "batch", "sizes"), [(33, 16, [16, 17]), (3, 2, [3]), (34, 16, [16, 16, 2])])
def test_a_last_image_alone_joins_the_batch_before_so_that_batchnorm_has_two(count, batch, sizes):
    net, seen = normalised_net(), []
    net.register_forward_pre_hook(lambda _, images: seen.append(len(images[0])))
    (epoch,) = training(net, train=stripes(count), batch=batch, epochs=1).epochs()
    assert seen == sizes
    assert np.isfinite(epoch.train_loss)


def test_the_learning_rates_course_is_as_long_as_training():
    run = training(train=stripes(33), batch=16, epochs=3)
    list(run.epochs())
    assert run._schedule.last_epoch == run._schedule.total_steps == 6


# The best epoch


def test_the_weights_of_the_epoch_with_the_lowest_loss_are_kept():
    run = Scripted([0.9, 0.5, 0.7, 0.6])
    assert [epoch.best for epoch in run.epochs()] == [True, True, False, False]
    net = run.keep_best()
    assert same_state(net.state_dict(), run.states[1])
    assert not same_state(run.states[1], run.states[3])
    assert not net.training


def test_without_validation_the_last_epoch_is_kept():
    run = training(validation=None)
    epochs = list(run.epochs())
    last = copy.deepcopy(run.net.state_dict())
    assert [(epoch.validation_loss, epoch.validation_accuracy, epoch.best) for epoch in epochs] == [
        (None, None, True)
    ] * 6
    assert same_state(run.keep_best().state_dict(), last)


def test_training_stops_after_as_many_epochs_without_improvement_as_there_is_patience():
    run = Scripted([0.9, 0.5, 0.7, 0.6, 0.55, 0.1], patience=3)
    assert [epoch.number for epoch in run.epochs()] == [1, 2, 3, 4, 5]


def test_patience_begins_anew_with_each_improvement():
    run = Scripted([0.9, 0.95, 0.8, 0.85, 0.7, 0.75], patience=2)
    assert len(list(run.epochs())) == 6


def test_a_tiny_improvement_is_none():
    assert [epoch.best for epoch in Scripted([0.5, 0.5 - 1e-5, 0.4]).epochs()] == [True, False, True]


def test_a_loss_that_is_no_number_is_never_the_best():
    run = Scripted([0.5, float("nan"), 0.6], patience=2)
    assert [epoch.best for epoch in run.epochs()] == [True, False, False]
    assert same_state(run.keep_best().state_dict(), run.states[0])


def test_the_generator_can_be_abandoned_and_the_best_weights_so_far_are_kept():
    run = Scripted([0.5, 0.9, 0.4, 0.3])
    for epoch in run.epochs():
        if epoch.number == 2:
            break
    assert len(run.states) == 2
    assert same_state(run.keep_best().state_dict(), run.states[0])


def test_before_the_first_epoch_ends_the_weights_are_those_of_the_beginning():
    net = small_net()
    before = copy.deepcopy(net.state_dict())
    assert same_state(training(net).keep_best().state_dict(), before)


# Determinism


def _trained(seed: int) -> tuple[list[Epoch], dict[str, torch.Tensor]]:
    run = training(validation=stripes(20, seed=1), epochs=3, seed=seed)
    return list(run.epochs()), run.keep_best().state_dict()


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    (epochs, state), (again, same), (_, other) = _trained(0), _trained(0), _trained(1)
    assert epochs == again
    assert same_state(state, same)
    assert not same_state(state, other)


def test_training_neither_asks_nor_changes_the_global_random_state():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    _, state = _trained(0)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert same_state(state, _trained(0)[1])


def test_the_images_are_not_changed():
    images = stripes(20)
    before = images.images.copy()
    list(training(train=images, validation=images, epochs=1).epochs())
    np.testing.assert_array_equal(images.images, before)


# Shifts


def test_a_shifted_image_is_one_of_all_shifts_with_its_border_repeated():
    """Brute force: every pixel is that of the nearest place inside the image, SHIFT or fewer pixels away."""
    height, width = 7, 9
    images = torch.rand(40, 2, height, width, generator=torch.Generator().manual_seed(0))
    moved = shifted(images, torch.Generator().manual_seed(1))
    assert moved.shape == images.shape
    seen = set()
    for before, after in zip(images.numpy(), moved.numpy(), strict=True):
        matches = []
        for down in range(-SHIFT, SHIFT + 1):
            for right in range(-SHIFT, SHIFT + 1):
                rows = [min(max(row + down, 0), height - 1) for row in range(height)]
                columns = [min(max(column + right, 0), width - 1) for column in range(width)]
                if (before[:, rows][:, :, columns] == after).all():
                    matches.append((down, right))
        assert len(matches) == 1
        seen.add(matches[0])
    assert len(seen) > 12  # of 25 shifts, by 40 images


def test_every_shift_is_drawn_about_equally_often():
    place = torch.zeros(5000, 1, 9, 9)
    place[:, 0, 4, 4] = 1
    moved = shifted(place, torch.Generator().manual_seed(0))
    counts = moved.sum(0)[0]
    inside = counts[4 - SHIFT : 5 + SHIFT, 4 - SHIFT : 5 + SHIFT]
    assert counts.sum() == inside.sum() == 5000
    assert (inside - 200).abs().max() < 5 * 200**0.5


def test_shifts_depend_on_the_generator_alone():
    images = torch.rand(10, 1, 8, 8)
    a, b, c = (shifted(images, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
