"""Stages and totals are sums of the layers."""

import pytest
import torch

from eyespot import zoo
from eyespot.arithmetic.table import flat, stages, total
from eyespot.arithmetic.trace import trace


@pytest.mark.parametrize("name", ["lenet5", "resnet50", "inception_v3"])
def test_stages_add_up_to_the_totals(name):
    known = zoo.definition(name)
    with torch.device("meta"):
        traced = trace(zoo.create(name), known.input_chw)
    layers, whole = list(flat(traced)), total(traced)
    folded = stages(layers)
    for key in ("parameters", "multiply_adds", "activations", "activation_bytes"):
        assert sum(getattr(stage, key) for stage in folded) == getattr(whole, key)
    assert whole.parameter_bytes == 4 * whole.parameters
    assert whole.layers == len(layers) - 1


def test_a_stage_goes_from_its_first_input_to_its_last_output():
    with torch.device("meta"):
        folded = stages(list(flat(trace(zoo.create("resnet18"), (3, 224, 224)))))
    shapes = {stage.name: (stage.input, stage.output) for stage in folded}
    assert list(shapes) == ["input", "stem", "stage1", "stage2", "stage3", "stage4", "head"]
    assert shapes["stage2"] == ((64, 56, 56), (128, 28, 28))
    assert shapes["head"] == ((512, 7, 7), (1000,))
    assert [stage.field for stage in folded[1:4]] == [(11, 11), (43, 43), (99, 99)]
