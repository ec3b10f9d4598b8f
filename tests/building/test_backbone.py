"""The converted backbone is kept; a kept one that was damaged is made again."""

import pytest

from eyespot.building import backbone
from eyespot.building import known_graph as known_graphs
from eyespot.building.backbone import DEFAULT, choose_backbone, converted
from eyespot.building.known_graph import known_graph
from eyespot.errors import WeightsError
from eyespot.zoo import weights_files
from eyespot.zoo.weights import of_network


@pytest.fixture
def kept(shared_cache, tmp_path):
    """A cache folder of this test's own with the converted network, and the file it lies in."""
    DEFAULT.trunk(shared_cache, "fp32")
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
    monkeypatch.setattr(backbone, "known_graph", lambda: converted.append(1) or b"graph")
    graph = DEFAULT.trunk(folder, "fp32").graph
    assert len(converted) == (damage != "none")
    assert graph == DEFAULT.trunk(folder, "fp32").graph
    assert len(converted) == (damage != "none")


def test_a_foreign_file_under_a_published_name_is_refused_before_anything_is_trained(tmp_path):
    record = next(iter(of_network("resnet18").values()))
    (tmp_path / record.file).write_bytes(b"another network's weights")
    with pytest.raises(WeightsError, match="is not the published file of resnet18"):
        choose_backbone("resnet18", str(tmp_path / record.file))


def test_a_foreign_file_under_a_published_name_has_no_graph_that_was_kept(tmp_path):
    """Also where it took the right one's place after it was chosen."""
    record, file = next(iter(of_network("resnet18").values())), tmp_path / "resnet18.pth"
    file.write_bytes(b"another network's weights")
    with pytest.raises(WeightsError, match="is not the published file of resnet18"):
        backbone.Backbone("resnet18", record, file).trunk(tmp_path, "fp32")


def test_a_foreign_file_in_the_wheels_place_is_refused_though_the_right_one_was_converted(kept, tmp_path, monkeypatch):
    folder, file, data = kept
    file.write_bytes(data)
    foreign = tmp_path / "foreign.pth"
    foreign.write_bytes(b"another network's weights")
    monkeypatch.setattr(weights_files, "find", lambda weights: foreign)
    with pytest.raises(WeightsError, match="is not the published file of efficientnet_lite0"):
        DEFAULT.trunk(folder, "fp32")
    foreign.unlink()
    assert DEFAULT.trunk(folder, "fp32").graph  # and where none is left, none is needed


def test_the_known_graph_is_what_the_conversion_gives_byte_for_byte(tmp_path):
    assert known_graph() == converted(DEFAULT, tmp_path)


def test_there_is_no_known_graph_without_the_published_file(monkeypatch):
    monkeypatch.setattr(known_graphs, "find", lambda weights: None)
    assert known_graph() is None


def test_other_sizes_are_converted(shared_cache, monkeypatch):
    monkeypatch.setattr(backbone, "known_graph", lambda: b"of 224 pixels")
    assert choose_backbone("efficientnet_lite0", None, size=96).trunk(shared_cache, "fp32").graph != b"of 224 pixels"
