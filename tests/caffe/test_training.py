"""A network that a .prototxt describes is trained from random weights, like any other of one's own."""

from __future__ import annotations

import pytest
from caffe_files import Text, dense, dims

import eyespot


def described(tmp_path, *, bias=True):
    net = Text(dims(3, 32))
    net.conv("conv1", 4, 5)
    net.add("ReLU", "relu")
    net.add("Pooling", "pool", "pooling_param { pool: MAX kernel_size: 4 stride: 4 }")
    net.add("InnerProduct", "fc", dense(3) if bias else dense(3).replace("}", " bias_term: false }"))
    file = tmp_path / "net.prototxt"
    file.write_text(str(net))
    return file


@pytest.mark.parametrize("bias", [True, False])
def test_a_network_of_caffe_becomes_a_run(bias, split_photos, shared_cache, tmp_path):
    file = described(tmp_path, bias=bias)
    result = eyespot.train(split_photos, model=str(file), epochs=1, out=tmp_path)
    assert result.regime == "scratch"
    [answer] = result.model.predict(split_photos / "test" / "circle" / "203.png")
    assert len(answer.predictions) == 3
