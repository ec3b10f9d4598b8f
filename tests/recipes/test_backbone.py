"""The converted backbone is kept; a kept one that was damaged is made again."""

import pytest

from eyespot.recipes import backbone
from eyespot.recipes.backbone import frozen_trunk


@pytest.fixture
def kept(shared_cache, tmp_path):
    """A cache folder of this test's own with the converted network, and the file it lies in."""
    frozen_trunk(cache_folder=shared_cache, precision="fp32")
    source = shared_cache / "graphs" / backbone.DEFAULT.kept_as
    (tmp_path / "graphs").mkdir()
    return tmp_path, (tmp_path / "graphs" / source.name), source.read_bytes()


@pytest.mark.parametrize("damage", ["none", "truncated", "altered"])
def test_a_damaged_graph_is_converted_again(kept, damage, monkeypatch):
    folder, file, data = kept
    altered = bytearray(data)
    altered[len(data) // 2] ^= 1  # within a weight, where no check of its form would notice
    file.write_bytes({"none": data, "truncated": data[:-1000], "altered": bytes(altered)}[damage])
    converted = []
    monkeypatch.setattr(backbone, "_convert", lambda *_: converted.append(1) or b"graph")
    graph = frozen_trunk(cache_folder=folder, precision="fp32").graph
    assert len(converted) == (damage != "none")
    assert graph == frozen_trunk(cache_folder=folder, precision="fp32").graph
    assert len(converted) == (damage != "none")
