"""Lines over axes: in the page and in the picture."""

import io

from html_page import Page
from PIL import Image

from eyespot.palette import BOXES, INK
from eyespot.reporting.lines import Line, Plot, plot_png, plot_svg

PLOT = Plot(
    (Line("one <b>", BOXES[0], [(0, 0), (0.5, 1)]), Line("mean", INK, [(0, 1), (1, 0)], is_main=True)),
    across=((0.5, "7"),),
    up=((0.0, "0"), (1.0, "1")),
    names=("steps", "loss"),
)


def test_the_svg_holds_each_line_where_it_is_and_names_it_without_harm():
    page = Page(plot_svg(PLOT))
    points = [each["points"] for each in page.all("polyline")]
    assert points == ["40.0,310.0 190.0,10.0", "40.0,10.0 340.0,310.0"]
    assert page.text.count("one <b>") == 2
    assert not page.all("b")


def test_the_png_shows_every_color():
    colors = {color for _, color in Image.open(io.BytesIO(plot_png(PLOT))).convert("RGB").getcolors(1 << 20)}
    assert {BOXES[0], INK} <= colors
