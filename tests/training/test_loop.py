"""The loop: learns what can be learned, keeps its best weights, and the same seed gives the same bits."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from eyespot.augmenting.augmentation import Augmentation
from eyespot.augmenting.mixing import Mixing
from eyespot.blocks import chain
from eyespot.records import Preprocess
from eyespot.training import checkpoint
from eyespot.training.examples import ImageExamples
from eyespot.training.loop import MOST_LOWERED, Training, scores
from eyespot.training.plan import Epoch, Plan

GRAY = Preprocess(short_side=8, crop_hw=(8, 8), filter="bilinear", color="gray", mean=(127.5,), scale=(127.5,))


@pytest.fixture(autouse=True)
def one_thread():
    """The networks are so small that several threads only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def stripes(count: int, *, seed: int = 0, noise: int = 40) -> ImageExamples:
    """Images with horizontal or vertical stripes under noise: two classes that a small network tells apart."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    pixels = np.zeros((count, 8, 8, 1))
    pixels[labels == 0, ::2] = 150
    pixels[labels == 1, :, ::2] = 150
    pixels += random.integers(0, noise, pixels.shape)
    return examples(pixels.astype(np.uint8), labels)


def examples(images: np.ndarray, labels: np.ndarray) -> ImageExamples:
    contents = [hashlib.blake2b(image.tobytes()).hexdigest() for image in images]
    return ImageExamples(images, labels, contents, GRAY, augmentation=Augmentation(shift_px=1, padding="edge"))


def small_net(seed: int = 0) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return chain(
            conv=nn.Conv2d(1, 4, 3), act=nn.ReLU(), pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), fc=nn.Linear(4, 2)
        )


def training(net=None, train=None, validation=None, **options) -> Training:
    plan = {"epochs": 6, "batch": 16, "lr": 0.03, "classes": 2, "optimizer": "adam", "patience": 10, **options}
    seed = plan.pop("seed", 0)
    return Training(net or small_net(), train or stripes(64), validation, Plan(**plan), seed=seed)


def epochs_of(run: Training) -> Iterator[Epoch]:
    return (step.epoch for step in run.run() if step.epoch)


class Scripted(Training):
    """Training whose validation losses are given."""

    def __init__(self, losses: list[float], **options) -> None:
        plan = {"epochs": len(losses), "batch": 16, "lr": 0.01, "classes": 2, "patience": 100, **options}
        super().__init__(small_net(), stripes(16), stripes(16), Plan(**plan), seed=0)
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
    epochs = list(epochs_of(run))
    assert epochs[-1].train_loss < epochs[0].train_loss / 4
    net = run.averaged
    test = stripes(100, seed=2)
    x = (torch.from_numpy(test._images).float() / 127.5 - 1).permute(0, 3, 1, 2)
    with torch.inference_mode():
        assert (net(x).argmax(1) == test.labels).float().mean() > 0.97


def test_labels_are_learned_not_the_order_of_the_images():
    shuffled = np.random.default_rng(0).permutation(64)
    images = stripes(64)
    run = training(train=examples(images._images[shuffled], images.labels.numpy()[shuffled]), epochs=12, lr=0.1)
    assert list(epochs_of(run))[-1].train_loss < 0.3


def test_an_epoch_tells_the_loss_and_accuracy_that_pytorch_finds_for_its_network():
    validation = stripes(300, seed=1)
    run = training(validation=validation)
    x = (torch.from_numpy(validation._images).float() / 127.5 - 1).permute(0, 3, 1, 2)
    labels = validation.labels
    for number, epoch in enumerate(epochs_of(run), start=1):
        with torch.inference_mode():
            logits = copy.deepcopy(run.net).eval()(x)
        assert epoch.number == number
        assert epoch.validation_loss == pytest.approx(float(nn.functional.cross_entropy(logits, labels)), rel=1e-5)
        assert epoch.validation_accuracy == pytest.approx(float((logits.argmax(1) == labels).double().mean()))
    assert number == 6


@pytest.mark.parametrize(("epochs", "patience", "measured"), [(10, None, [2, 4, 6, 8, 10]), (3, None, [1, 2, 3])])
def test_an_epoch_that_chooses_nothing_is_measured_at_the_end_and_a_few_times_before(epochs, patience, measured):
    run = training(validation=stripes(20, seed=1), epochs=epochs, patience=patience)
    assert [epoch.number for epoch in epochs_of(run) if epoch.validation_loss is not None] == measured


def test_the_train_loss_is_the_mean_over_images_also_where_the_last_batch_is_small():
    run = training(train=stripes(17), lr=1e-12, epochs=1, batch=16)
    before = copy.deepcopy(run.net)
    (epoch,) = epochs_of(run)
    x = (torch.from_numpy(stripes(17)._images).float() / 127.5 - 1).permute(0, 3, 1, 2)
    with torch.inference_mode():
        expected = float(nn.functional.cross_entropy(before(x), stripes(17).labels))
    assert epoch.train_loss == pytest.approx(expected, abs=0.01)  # the shifts change the loss a little


@pytest.mark.parametrize(("count", "batch", "epochs"), [(1, 16, 1), (16, 16, 1), (17, 16, 2), (10, 1, 3), (5, 100, 4)])
def test_any_number_of_images_batches_and_epochs_runs_to_its_end(count, batch, epochs):
    run = training(train=stripes(count), epochs=epochs, batch=batch)
    assert [epoch.number for epoch in epochs_of(run)] == list(range(1, epochs + 1))


def normalised_net() -> nn.Sequential:
    """BatchNorm on one value per image and channel: a batch of one image has no spread to divide by."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return chain(
            conv=nn.Conv2d(1, 4, 8), norm=nn.BatchNorm2d(4), act=nn.ReLU(), flat=nn.Flatten(), fc=nn.Linear(4, 2)
        )


@pytest.mark.parametrize(
    ("count", "batch", "sizes"),
    [(33, 16, [16, 17]), (3, 2, [3]), (35, 16, [16, 19]), (36, 16, [16, 16, 4]), (6, 4, [4, 2])],
)
def test_a_few_last_images_join_the_batch_before_so_that_batchnorm_has_enough(count, batch, sizes):
    net, seen = normalised_net(), []
    net.register_forward_pre_hook(lambda _, images: seen.append(len(images[0])))
    (epoch,) = epochs_of(training(net, train=stripes(count), batch=batch, epochs=1))
    assert seen == sizes
    assert np.isfinite(epoch.train_loss)


def test_the_learning_rates_course_is_as_long_as_training():
    run = training(train=stripes(33), batch=16, epochs=3)
    assert [step.number for step in run.run()] == [1, 2, 3, 4, 5, 6]
    assert run._optimiser.param_groups[0]["lr"] < 0.2 * 0.03


# The best epoch


def test_the_weights_of_the_epoch_with_the_lowest_loss_are_kept():
    run = Scripted([0.9, 0.5, 0.7, 0.6])
    assert [epoch.best for epoch in epochs_of(run)] == [True, True, False, False]
    net = run.averaged
    assert same_state(net.state_dict(), run.states[1])
    assert not same_state(run.states[1], run.states[3])
    assert not net.training


def test_without_validation_the_last_epoch_is_kept():
    run = training(validation=None)
    epochs = list(epochs_of(run))
    last = copy.deepcopy(run.net.state_dict())
    assert [(epoch.validation_loss, epoch.validation_accuracy, epoch.best) for epoch in epochs] == [
        (None, None, True)
    ] * 6
    assert same_state(run.averaged.state_dict(), last)


def test_training_stops_after_as_many_epochs_without_improvement_as_there_is_patience():
    run = Scripted([0.9, 0.5, 0.7, 0.6, 0.55, 0.1], patience=3)
    assert [epoch.number for epoch in epochs_of(run)] == [1, 2, 3, 4, 5]


def test_patience_begins_anew_with_each_improvement():
    run = Scripted([0.9, 0.95, 0.8, 0.85, 0.7, 0.75], patience=2)
    assert len(list(epochs_of(run))) == 6


def test_a_tiny_improvement_is_none():
    assert [epoch.best for epoch in epochs_of(Scripted([0.5, 0.5 - 1e-5, 0.4]))] == [True, False, True]


def test_a_loss_that_is_no_number_is_never_the_best():
    run = Scripted([0.5, float("nan"), 0.6], patience=2)
    assert [epoch.best for epoch in epochs_of(run)] == [True, False, False]
    assert same_state(run.averaged.state_dict(), run.states[0])


def test_the_generator_can_be_abandoned_and_the_best_weights_so_far_are_kept():
    run = Scripted([0.5, 0.9, 0.4, 0.3])
    for epoch in epochs_of(run):
        if epoch.number == 2:
            break
    assert len(run.states) == 2
    assert same_state(run.averaged.state_dict(), run.states[0])


def test_without_patience_too_the_best_epoch_can_be_kept_where_training_came_to_its_end():
    run = Scripted([0.5, 0.4, 0.6], patience=None, keeps_best=True)
    assert [epoch.best for epoch in epochs_of(run)] == [True, True, False]
    assert run.kept == 2
    assert same_state(run.averaged.state_dict(), run.states[1])


def test_the_best_epoch_of_a_training_that_is_stopped_is_not_what_counts():
    run = Scripted([0.5, 0.6, 0.4], patience=None, keeps_best=True)
    for epoch in epochs_of(run):
        if epoch.number == 2:
            break
    assert run.kept == 2
    assert same_state(run.averaged.state_dict(), run.states[1])


def test_an_epoch_that_was_not_measured_is_never_the_best():
    run = training(validation=stripes(20, seed=1), epochs=10, patience=None, keeps_best=True)
    epochs = list(epochs_of(run))
    assert [epoch.number for epoch in epochs if epoch.validation_loss is not None] == [2, 4, 6, 8, 10]
    assert all(epoch.validation_loss is not None for epoch in epochs if epoch.best)
    assert epochs[run.kept - 1].validation_loss == min(e.validation_loss for e in epochs[1::2])


def test_before_the_first_epoch_ends_the_weights_are_those_of_the_beginning():
    net = small_net()
    before = copy.deepcopy(net.state_dict())
    assert same_state(training(net).averaged.state_dict(), before)


# Determinism


def _trained(seed: int) -> tuple[list[Epoch], dict[str, torch.Tensor]]:
    run = training(validation=stripes(20, seed=1), epochs=3, seed=seed)
    return list(epochs_of(run)), run.averaged.state_dict()


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
    before = images._images.copy()
    list(epochs_of(training(train=images, validation=images, epochs=1)))
    np.testing.assert_array_equal(images._images, before)


# Going on, and going back


class Poisoned:
    """Examples whose inputs are no numbers in some calls."""

    def __init__(self, inner: ImageExamples, calls: set[int]) -> None:
        self.labels, self.pictures = inner.labels, inner.pictures
        self._inner, self._calls, self._call = inner, calls, 0

    def inputs(self, rows: np.ndarray, epoch: int | None) -> torch.Tensor:
        self._call += 1
        x = self._inner.inputs(rows, epoch)
        return x * float("nan") if self._call in self._calls else x


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "muon"])
@pytest.mark.parametrize("stop_at", [1, 5, 50, 51, 77])
def test_a_run_that_goes_on_from_a_state_ends_in_the_same_bits(name, stop_at, tmp_path):
    plan = {"epochs": 10, "batch": 8, "optimizer": name, "average": 0.9, "patience": None}
    mixing = Mixing(mixup_probability=0.5, cutmix_probability=0.5)
    whole = training(normalised_net(), **plan, mixing=mixing)
    list(whole.run())
    cut = training(normalised_net(), **plan, mixing=mixing)
    for step in cut.run():
        if step.number == stop_at:
            break
    checkpoint.save(tmp_path, cut.state())
    resumed = training(normalised_net(), **plan, mixing=mixing)
    resumed.restore(checkpoint.load(tmp_path).state)
    list(resumed.run())
    assert same_state(whole.averaged.state_dict(), resumed.averaged.state_dict())
    assert same_state(whole.net.state_dict(), resumed.net.state_dict())
    assert whole.epochs == resumed.epochs


def test_a_loss_that_is_no_number_takes_training_back_with_half_the_learning_rate():
    run = training(train=Poisoned(stripes(64), {6}), epochs=4, patience=None)
    steps = [step.number for step in run.run()]
    assert steps == [1, 2, 3, 4, 5, *range(1, 17)]
    assert len(run.epochs) == 4
    assert all(weight.isfinite().all() for weight in run.averaged.parameters())
    assert "step 6 of 16" in run.notes[0]
    assert "0.5 of the learning rate" in run.notes[0]


def test_a_run_that_went_on_goes_back_to_where_it_would_have_gone_back_to(tmp_path):
    def poisoned(step: int) -> Training:
        """A training whose inputs are no numbers when it comes to that step first."""
        inner = stripes(64)

        class Once(Poisoned):
            def inputs(self, rows: np.ndarray, epoch: int | None) -> torch.Tensor:
                x = inner.inputs(rows, epoch)
                return x * float("nan") if run.step == step and not run.notes else x

        run = training(train=Once(inner, set()), epochs=20, patience=None)
        return run

    whole = poisoned(60)
    list(whole.run())
    assert "back to step 50" in whole.notes[0]
    cut = poisoned(60)
    for step in cut.run():
        if step.number == 55:
            break
    checkpoint.save(tmp_path, cut.state())
    resumed = poisoned(60)
    resumed.restore(checkpoint.load(tmp_path).state)
    list(resumed.run())
    assert resumed.notes == whole.notes
    assert same_state(whole.averaged.state_dict(), resumed.averaged.state_dict())


def test_a_loss_that_is_never_a_number_ends_training_with_finite_weights():
    run = training(train=Poisoned(stripes(64), set(range(3, 1000))), patience=None)
    list(run.run())
    assert len(run.notes) == MOST_LOWERED
    assert all(weight.isfinite().all() for weight in run.averaged.parameters())


@pytest.mark.parametrize("lost", [float("inf"), float("nan")])
def test_while_no_epoch_could_answer_a_validation_loss_that_is_no_number_takes_training_back(lost):
    """The losses of the steps may all be finite while the weights grow without end."""
    run = Scripted([lost, lost, 0.9, 0.8, 0.7], epochs=3)
    assert [epoch.validation_loss for epoch in epochs_of(run)] == [0.9, 0.8, 0.7]
    assert len(run.notes) == 2
    assert "0.25 of the learning rate" in run.notes[1]
    never = Scripted([lost] * 100, epochs=100)
    assert list(epochs_of(never)) == []
    assert len(never.notes) == MOST_LOWERED


def test_weights_that_the_last_step_spoiled_are_not_kept():
    run = training(epochs=1, patience=None)
    for step in run.run():
        if step.number == run.steps - 1:
            run.plan = replace(run.plan, lr=float("nan"))
            for group in run._optimiser.param_groups:
                group["lr_highest"] = float("nan")
            break
    list(run.run())
    assert all(weight.isfinite().all() for weight in run.net.parameters())


def test_scores_of_many_examples_are_those_of_one_at_a_time():
    net, many = small_net().eval(), stripes(600)
    together = scores(net, many)
    alone = torch.cat([scores(net, examples(many._images[[row]], many.labels.numpy()[[row]])) for row in range(600)])
    torch.testing.assert_close(together, alone)
