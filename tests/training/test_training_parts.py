"""Schedules, optimisers, objectives and averages, each against PyTorch or a worked number."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from eyespot.blocks import WithHeads, chain
from eyespot.training.examples import ViewExamples
from eyespot.training.objective import correct, losses_of, soft_targets
from eyespot.training.optimiser import Average, optimiser, rate_share, set_rate


def net() -> nn.Sequential:
    return chain(
        a=chain(conv=nn.Conv2d(1, 2, 3), norm=nn.BatchNorm2d(2)),
        b=chain(flat=nn.Flatten(), fc=nn.Linear(2, 2)),
    )


def test_one_cycle_has_the_rates_of_pytorchs():
    made = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = torch.optim.lr_scheduler.OneCycleLR(made, 1.0, total_steps=1000, pct_start=0.3, cycle_momentum=False)
    for step in range(1000):
        share = rate_share("one-cycle", step, 1000, warmup=0.3)
        assert share == pytest.approx(made.param_groups[0]["lr"], abs=0.006)  # theirs begins a step earlier
        made.step()
        theirs.step()


def test_worked_rates():
    assert [rate_share("step", step, 8, warmup=0) for step in (0, 3, 4, 6)] == pytest.approx([1, 1, 0.1, 0.01])
    assert rate_share("cosine", 50, 100, warmup=0) == pytest.approx(0.5)
    assert rate_share("constant", 99, 100, warmup=0) == 1
    assert [rate_share("linear", step, 6, warmup=1 / 3) for step in range(6)] == pytest.approx(
        [1 / 3, 2 / 3, 1, 3 / 4, 1 / 2, 1 / 4]
    )
    assert [rate_share("cosine", step, 100, warmup=0.04) for step in range(5)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1])


@pytest.mark.parametrize("schedule", ["one-cycle", "linear", "cosine", "step", "constant"])
@pytest.mark.parametrize("steps", [1, 2, 3, 17])
@pytest.mark.parametrize("warmup", [0, 0.3, 1])
def test_a_share_is_above_0_and_at_most_1_at_every_step(schedule, steps, warmup):
    for step in range(steps):
        assert 0 < rate_share(schedule, step, steps, warmup=warmup) <= 1


def test_neither_norms_nor_biases_decay_and_early_stages_learn_less():
    network = net()
    made = optimiser(network, "adamw", lr=0.1, weight_decay=0.5, stage_factor=0.1)
    found = {id(weight): group for group in made.param_groups for weight in group["params"]}
    decays = {name: found[id(weight)]["weight_decay"] for name, weight in network.named_parameters()}
    assert {name for name, decay in decays.items() if decay} == {"a.conv.weight", "b.fc.weight"}
    rates = {name: found[id(weight)]["lr"] for name, weight in network.named_parameters()}
    assert rates["b.fc.weight"] == pytest.approx(0.1)
    assert rates["a.conv.weight"] == pytest.approx(0.01)
    set_rate(made, 0.5)
    assert found[id(network.a.conv.weight)]["lr"] == pytest.approx(0.005)


def test_a_network_with_auxiliary_heads_trains_them_too():
    made = optimiser(WithHeads(net(), {"a": nn.Linear(2, 2)}), "sgd", lr=0.1, weight_decay=0)
    assert sum(len(group["params"]) for group in made.param_groups) == 8


def test_frozen_weights_are_not_given_to_the_optimiser():
    network = net()
    network.a.requires_grad_(False)
    assert sum(len(g["params"]) for g in optimiser(network, "adam", lr=1, weight_decay=0).param_groups) == 2


def test_losses_are_pytorchs_cross_entropy_with_label_smoothing():
    scores, labels = torch.randn(9, 4), torch.arange(9) % 4
    targets = soft_targets(labels, 4, smoothing=0.1)
    expected = functional.cross_entropy(scores, labels, label_smoothing=0.1, reduction="none")
    torch.testing.assert_close(losses_of(scores, targets, "softmax"), expected)


def test_classes_weigh_what_they_should():
    scores, labels, weights = torch.randn(9, 3), torch.arange(9) % 3, torch.tensor([1.0, 2.0, 0.5])
    expected = functional.cross_entropy(scores, labels, weight=weights, reduction="none")
    torch.testing.assert_close(losses_of(scores, soft_targets(labels, 3, weights=weights), "softmax"), expected)


def test_one_sigmoid_output_has_the_binary_cross_entropy():
    scores, labels = torch.randn(8, 1), torch.arange(8) % 2
    expected = functional.binary_cross_entropy_with_logits(scores[:, 0], labels.float(), reduction="none")
    torch.testing.assert_close(losses_of(scores, soft_targets(labels, 2), "sigmoid"), expected)
    assert torch.equal(correct(scores, labels), (scores[:, 0] > 0).long() == labels)


def test_an_auxiliary_heads_loss_counts_three_tenths():
    scores, targets = torch.randn(5, 3), soft_targets(torch.arange(5) % 3, 3)
    alone = losses_of(scores, targets, "softmax")
    torch.testing.assert_close(losses_of((scores, {"a": scores, "b": scores}), targets, "softmax"), alone * 1.6)


def test_an_average_follows_the_formula_and_without_decay_the_weights():
    network = chain(fc=nn.Linear(1, 1, bias=False))
    network.fc.weight.data.fill_(0.0)
    average, exact = Average(network, 0.5), Average(network, 0.0)
    expected = 0.0
    for step, value in enumerate([1.0, 2.0, 3.0, 4.0]):
        network.fc.weight.data.fill_(value)
        average.update(network)
        exact.update(network)
        kept = min(0.5, (1 + step) / (10 + step))
        expected = kept * expected + (1 - kept) * value
    assert float(average.net.fc.weight.item()) == pytest.approx(expected)
    assert float(exact.net.fc.weight.item()) == 4.0


def test_views_take_turns_and_validation_sees_the_picture_as_it_is():
    views = [np.full((5, 2), value, np.float16) for value in (0, 1, 2)]
    found = ViewExamples(views, np.zeros(5, np.int64), [f"{n:016x}" for n in range(5)])
    rows = np.arange(5)
    seen = torch.stack([found.inputs(rows, epoch)[:, 0] for epoch in range(3)])
    assert seen.sort(0).values.T.tolist() == [[0, 1, 2]] * 5
    assert torch.equal(seen[0], found.inputs(rows, 3)[:, 0])
    assert math.isclose(float(found.inputs(rows, None).sum()), 0)


def test_views_on_disk_are_read_batch_by_batch(tmp_path):
    random = np.random.default_rng(0)
    held = [random.normal(size=(300, 64, 8, 8)).astype(np.float16) for _ in range(2)]
    on_disk = [np.memmap(tmp_path / str(number), np.float16, "w+", shape=held[0].shape) for number in range(2)]
    for mapped, array in zip(on_disk, held, strict=True):
        mapped[:] = array
    labels, contents = np.zeros(300, np.int64), [f"{n:016x}" for n in range(300)]
    in_memory, read = ViewExamples(held, labels, contents), ViewExamples(on_disk, labels, contents)
    rows = random.permutation(300)[:20]
    tracemalloc.start()
    seen = [read.inputs(rows, epoch) for epoch in (0, 1, None)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert all(torch.equal(one, in_memory.inputs(rows, epoch)) for one, epoch in zip(seen, (0, 1, None), strict=True))
    assert peak < 5 * 20 * held[0][0].nbytes < held[0].nbytes
