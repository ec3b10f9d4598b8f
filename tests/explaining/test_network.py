"""What a network is asked for besides its answer, and what is said where it has none of that."""

from dataclasses import replace

import corner_network as made
import onnx
import pytest

from eyespot.errors import BundleError
from eyespot.explaining.network import Network


@pytest.mark.parametrize("others", [[], ["mean"]])
def test_a_network_that_gives_no_features_is_refused_whatever_else_it_gives(others):
    bundle = made.bundle(averaged=False)
    model = onnx.load_from_string(bundle.graph)
    kept = [each for each in model.graph.output if each.name == "probabilities"]
    added = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", 3, 1, 1]) for name in others]
    del model.graph.output[:]
    model.graph.output.extend([*kept, *added])
    network = Network(replace(bundle, graph=model.SerializeToString()), cache_folder=None)
    with pytest.raises(BundleError, match="gives no features, so it cannot be explained"):
        network.answer(made.red_corner())
