"""The losses of a picture that is being painted: kept, as a table, and as lines."""

import csv
import io
from types import SimpleNamespace

import pytest

from eyespot.styling.losses import Losses


def losses(steps):
    found = Losses(0.0)
    for number, (size_hw, style, content) in enumerate(steps, start=1):
        stages = {"stage1": style / 2, "stage2": style * 1.5}
        waves = SimpleNamespace(size_hw=size_hw)
        found.take(SimpleNamespace(number=number, style=style, content=content, stages=stages, waves=waves))
    return found


def test_a_line_a_step_and_the_style_is_the_mean_of_its_stages():
    found = losses([((24, 32), 0.5, 0.125), ((48, 64), 0.25, 0.5)])
    rows = list(csv.DictReader(io.StringIO(found.csv().decode())))
    assert list(rows[0]) == ["step", "seconds", "width", "height", "style", "content", "style_stage1", "style_stage2"]
    assert [(row["step"], row["width"], row["height"]) for row in rows] == [("1", "32", "24"), ("2", "64", "48")]
    for row in rows:
        assert (float(row["style_stage1"]) + float(row["style_stage2"])) / 2 == pytest.approx(float(row["style"]))


def test_without_a_step_there_is_a_head_alone():
    assert Losses(0.0).csv() == b"step,seconds,width,height,style,content\n"


def test_the_lines_go_down_a_mark_for_a_tenth_and_sizes_are_marked():
    found = losses([((24, 32), 1.0, 0.1), ((24, 32), 0.1, 0.1), ((48, 64), 0.01, 0.1), ((48, 64), 0.01, 0.1)]).plot()
    mean = found.lines[-1]
    assert (mean.name, mean.is_main) == ("style, all stages", True)
    assert [words for _, words in found.up] == ["0.001", "0.01", "0.1", "1", "10"]
    heights = [up for _, up in mean.points]
    assert heights == pytest.approx([0.75, 0.5, 0.25, 0.25])
    assert found.across == ((0.5, "2"), (1.0, "4"))


@pytest.mark.parametrize("steps", [1, 2, 299, 300, 301, 5000])
def test_many_steps_are_few_points_with_the_last(steps):
    found = losses([((24, 32), 1.0 / number, 0.0) for number in range(1, steps + 1)]).plot()
    assert all(len(line.points) <= 301 for line in found.lines)
    assert all(line.points[-1][0] == 1.0 for line in found.lines)
    assert all(0 <= up <= 1 for line in found.lines for _, up in line.points)
