"""The commands convolve, pool, pixel-coverage and learn-kernel: what they print."""

import json

import pytest
from click.testing import CliRunner

import eyespot
from eyespot.cli.main import main

BOARD = "3 0 1 2 7 4; 1 5 8 9 3 1; 2 7 2 5 1 3; 0 1 3 1 7 8; 4 2 1 6 2 8; 2 4 5 2 3 9"


@pytest.fixture
def said(tmp_path, monkeypatch):
    """Runs the command in an empty folder and returns what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        done = CliRunner().invoke(main, list(arguments))
        assert done.exit_code == 0, done.stderr
        assert done.stderr == ""
        return done.stdout

    return run


def test_a_matrix_is_answered_with_a_matrix(said):
    printed = said("convolve", BOARD, "--kernel", "vertical")
    assert printed.splitlines()[-4:] == [
        " -5   -4    0    8",
        "-10   -2    2    3",
        "  0   -2   -4   -7",
        " -3   -2   -3  -16",
    ]


def test_a_cell_is_shown_factor_by_factor_with_the_place_of_its_window(said):
    printed = said("convolve", BOARD, "--kernel", "vertical", "--cell", "0,0")
    assert "rows 0 to 2, columns 0 to 2 of the input" in printed
    assert "3*1 + 0*0 + 1*(-1)\n          + 1*1 + 5*0 + 8*(-1)\n          + 2*1 + 7*0 + 2*(-1)\n" in printed
    assert "= -5\n" in printed


def test_a_cell_of_a_volume_names_its_channels_and_its_padding(said):
    printed = said("convolve", "1 2; 3 4 | 5 6; 7 8", "--kernel", "1 1 1", "--padding", "same", "--cell", "0,1")
    assert "columns 0 to 2 of the input, its padding included" in printed
    assert "channel 1:\n            1*1 + 2*1 + 0*1\n            channel 2:\n          + 5*1 + 6*1 + 0*1\n" in printed
    assert "= 14\n" in printed


@pytest.mark.parametrize(
    ("mode", "row", "beyond"),
    [
        ("reflect", "2*1 + 1*1 + 2*1", "beyond it lie its mirrored pixels"),
        ("replicate", "1*1 + 1*1 + 2*1", "beyond it lies the nearest pixel again"),
        ("circular", "3*1 + 1*1 + 2*1", "beyond it lie the pixels of its opposite side"),
    ],
)
def test_a_cell_says_which_pixels_the_padding_is_made_of(said, mode, row, beyond):
    printed = said("convolve", "1 2 3", "--kernel", "1 1 1", "--padding", mode, "--cell", "0,0")
    assert f"matrix, 1 x 3, padding 0 + 0, 1 + 1 ({mode}): 1 1 1\n" in printed
    assert f"columns -1 to 1 of the input, {beyond}\n            {row}\n" in printed
    assert json.loads(said("convolve", "1 2 3", "--kernel", "1 1", "--padding", mode, "--json"))["padding_mode"] == mode


def test_pooling_says_what_its_padding_does(said):
    printed = said("pool", " -1 -2; -3 -4", "--padding", "1")
    assert "max of 2 x 2, padding 1, stride 2; no parameters" in printed
    assert "padding is never the greatest" in printed
    assert printed.splitlines()[-2:] == ["-1  -2", "-3  -4"]
    averaged = said("pool", " -1 -2; -3 -4", "--padding", "1", "--kind", "average")
    assert "padding counts as zeros" in averaged
    assert averaged.splitlines()[-2:] == ["-0.25   -0.5", "-0.75     -1"]


def test_coverage_counts_a_pixel_twice_that_is_padding_too(said):
    printed = said("pixel-coverage", "--imgsz", "3", "--padding", "replicate")
    assert "the corner pixel 9 times, the centre 9 times" in printed
    assert "a pixel that a window sees twice, as itself and as padding, counts twice" in printed
    assert printed.splitlines()[-3:] == ["9  9  9"] * 3


def test_dropped_rows_and_even_kernels_are_told(said):
    printed = said("convolve", BOARD, "--kernel", "1 0; 0 1", "--padding", "same", "--stride", "4")
    assert "an even kernel has no middle: same padding adds one zero more at the bottom and right" in printed
    assert "dropped, because the next window would not fit: 1 row at the bottom and 1 column at the right" in printed


def test_height_and_width_have_their_own_formulas(said):
    printed = said("convolve", "1 2 3; 4 5 6", "--kernel", "1 1")
    assert "floor((2 + 2*0 - 1)/1) + 1 = 2 rows" in printed
    assert "floor((3 + 2*0 - 2)/1) + 1 = 2 columns" in printed


def test_a_picture_prints_its_size_and_range_and_is_drawn(said, draw, tmp_path):
    draw(tmp_path, 1, kinds=["circle"])
    printed = said("convolve", "circle/000.png", "--kernel", "sobel-x", "--kernel", "45", "--out", "maps.png")
    assert "46 x 62 x 2 (height, width, depth)" in printed
    assert " in map 2, 45" in printed
    assert "in maps.png white is 0, red " in printed
    assert (tmp_path / "maps.png").exists()
    assert "no parameters" in said("pool", "circle/000.png", "--channels", "rgb", "--out", "pooled.png")


def test_pixel_coverage_is_a_table(said):
    printed = said("pixel-coverage", "--imgsz", "4x6", "--kernel", "3")
    assert "the corner pixel once, the centre 6 times" in printed
    assert printed.splitlines()[-4:-2] == ["1  2  3  3  2  1", "2  4  6  6  4  2"]


def test_learn_kernel_shows_its_approach(said, draw, tmp_path):
    draw(tmp_path, 1, kinds=["circle"])
    printed = said("learn-kernel", "circle/000.png", "--target", "1 2; 3 4", "--steps", "2000")
    assert "2000  " in printed
    assert printed.count("  1 2; 3 4\n") >= 2  # the learned one and the target
    assert "no learned weight is further than" in printed


@pytest.mark.parametrize(
    ("arguments", "python"),
    [
        (["convolve", BOARD, "--kernel", "45", "--cell", "1,1"], lambda: eyespot.convolve(BOARD, "45", cell=(1, 1))),
        (["pool", BOARD, "--kind", "average"], lambda: eyespot.pool(BOARD, "average")),
        (["pixel-coverage", "--imgsz", "6", "--padding", "1"], lambda: eyespot.pixel_coverage(6, padding=1)),
        (["learn-kernel", BOARD, "--steps", "5"], lambda: eyespot.learn_kernel(BOARD, steps=5)),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_json_is_what_python_returns(said, arguments, python):
    printed = json.loads(said(*arguments, "--json"))
    expected = json.loads(python().model_dump_json())
    assert printed | {"input": ""} == expected | {"input": ""}


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["convolve", BOARD, "--kernel", "sobl-x"], "did you mean 'sobel-x'?"),
        (["convolve", BOARD, "--kernel", "vertical", "--cell", "1"], "give a row and a column such as 0,2"),
        (["convolve", BOARD, "--kernel", "vertical", "--padding", "-1"], "padding cannot be '-1'"),
        (["pixel-coverage", "--imgsz", "6y"], "height x width such as 224x320"),
        (["pixel-coverage", "--imgsz", "6", "--kernel", "0"], "kernel cannot be '0'"),
        (["pool", "1 2; 3 4", "--kind", "avrage"], "did you mean 'average'?"),
        (["learn-kernel", "nowhere.jpg"], "there is no file 'nowhere.jpg'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(arguments, hint):
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == (1 if "nowhere.jpg" in arguments else 2)
    assert done.stdout == ""
    assert hint in done.stderr
    assert done.stderr.startswith("eyespot: ")
    assert done.stderr.count("\n") == 1
