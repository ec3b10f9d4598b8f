"""Drawings are well-formed, stay on their page, and show what the network has. How they look, people judge."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import torch
from torch import nn

from eyespot import zoo
from eyespot.arithmetic.drawing import PAGE, drawing
from eyespot.arithmetic.trace import trace
from eyespot.blocks import Branches, Residual, chain, conv

IMAGES = Path(__file__).parents[2] / "docs" / "images"
SVG = "{http://www.w3.org/2000/svg}"


def drawn(name: str) -> str:
    with torch.device("meta"):
        return drawing(trace(zoo.create(name), zoo.definition(name).input_chw), title=name)


def drawn_chain(net: nn.Module, input_chw=(3, 32, 32)) -> str:
    return drawing(trace(net, input_chw), title="own")


def words(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("name", [name for name in zoo.names() if "1202" not in name])
def test_every_network_is_drawn_on_one_page(name):
    page = ElementTree.fromstring(drawn(name))
    width, height = float(page.attrib["width"]), float(page.attrib["height"])
    assert width <= PAGE
    assert height <= 1.6 * PAGE
    for polygon in page.iter(f"{SVG}polygon"):
        for corner in polygon.attrib["points"].split():
            x, y = map(float, corner.split(","))
            assert 0 <= x <= width
            assert 0 <= y <= height
    for element in page.iter(f"{SVG}text"):
        half = 3.2 * len(element.text or "")
        x = float(element.attrib["x"])
        assert 0 <= float(element.attrib["y"]) <= height
        if element.attrib["class"] in ("name", "shape"):
            assert x - half >= 0
            assert x + half <= width


@pytest.mark.parametrize("name", ["lenet5", "vgg16", "resnet18", "googlenet", "inception_v4", "resnet152"])
def test_labels_do_not_cover_one_another(name):
    places = [
        (float(x), float(y), text)
        for kind, x, y, text in re.findall(r'<text class="(\w+)" x="([\d.]+)" y="([\d.]+)">([^<]*)', drawn(name))
        if kind in ("name", "shape")
    ]
    for number, (x, y, text) in enumerate(places):
        for other_x, other_y, other in places[number + 1 :]:
            if abs(y - other_y) < 10:
                assert abs(x - other_x) >= 2.9 * (len(text) + len(other)), (text, other)


def test_every_layer_of_lenet_has_its_size():
    shown = words(drawn("lenet5_rgb"))
    for label in ("32×32×3", "28×28×6", "14×14×6", "10×10×16", "5×5×16", "120", "84", "10"):
        assert label in shown
    assert shown.count("conv 5×5") == 2


def test_volumes_shrink_and_deepen():
    """The front of each convolution's box in VGG: lower and wider from stage to stage."""
    fronts = re.findall(r'class="front" fill="#6ea8e5" points="([^"]+)"', drawn("vgg16"))
    sizes = []
    for points in fronts:
        (x1, y1), (x2, _), (_, y2), _ = [tuple(map(float, corner.split(","))) for corner in points.split()]
        sizes.append((round(y2 - y1, 1), round(x2 - x1, 1)))
    heights = [height for height, _ in sizes]
    thicknesses = [thickness for _, thickness in sizes]
    assert len(sizes) == 13
    assert heights == sorted(heights, reverse=True)
    assert len(set(heights)) == 5
    assert thicknesses == sorted(thicknesses)


def test_every_shortcut_is_an_arc_and_says_what_it_does():
    svg = drawn("resnet18")
    assert svg.count('class="shortcut"') == 8
    assert words(svg).count("conv 1×1 /2") == 3
    assert drawn("plain18").count('class="shortcut"') == 0


def test_inception_branches_lie_side_by_side():
    shown = words(drawn("googlenet"))
    assert shown.count("concat") == 9
    assert "28×28×256" in shown


def test_deep_networks_draw_equal_blocks_once():
    svg = drawn("resnet152")
    assert [word for word in words(svg) if word.startswith("× ")] == ["× 2", "× 7", "× 35", "× 2"]
    assert svg.count('class="shortcut"') == 8
    assert "× 199" in words(drawn("resnet1202_cifar"))


def test_equal_convolutions_stand_together_and_are_counted():
    net = chain(stage=chain(**{f"conv{number}": conv(3, 3, 3) for number in range(6)}))
    svg = drawn_chain(net)
    assert "6 × conv 3×3" in words(svg)
    assert svg.count('class="front"') == 1 + 4


def test_branches_that_look_alike_are_counted():
    net = Branches(one=conv(3, 2, 1), two=conv(3, 2, 1), three=conv(3, 2, 3))
    assert "× 2" in words(drawn_chain(chain(block=net)))


def test_shapes_that_are_no_maps_and_names_that_are_no_words_are_drawn():
    net = nn.Sequential(nn.Flatten(2), nn.Linear(1024, 5), nn.Flatten(), nn.Linear(15, 2))
    assert "3×5" in words(drawn_chain(net))
    assert "<b>&" in words(drawing(trace(chain(a=Residual(conv(3, 3, 3))), (3, 8, 8)), title="<b>&"))


@pytest.mark.parametrize("name", ["resnet18", "googlenet"])
def test_the_drawings_of_the_documentation_are_those_of_today(name):
    assert (IMAGES / f"{name}.svg").read_text(encoding="utf-8") == drawn(name)


def test_the_ground_is_the_drawings_own():
    assert re.search(r'<rect width="100%" height="100%"[^>]* fill="#fdfdfc"', drawn("lenet5"))
