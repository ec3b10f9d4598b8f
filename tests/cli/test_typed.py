import pytest
from click.testing import CliRunner

from eyespot.cli.main import main
from eyespot.cli.typed import cell, pair, size_hw, threshold, widths
from eyespot.errors import OptionError


@pytest.mark.parametrize(
    ("text", "size"), [("224", (224, 224)), ("224x320", (224, 320)), ("224X320", (224, 320)), ("6×8", (6, 8))]
)
def test_sizes_are_read(text, size):
    assert size_hw(text, "imgsz") == size


@pytest.mark.parametrize("text", ["", "x", "224x", "1x2x3", "-3", "2.5", "big", "0", "0x3", "1" * 5000])
def test_other_sizes_are_refused(text):
    with pytest.raises(OptionError, match=r"the option imgsz cannot be .*: give pixels such as 224, or height x width"):
        size_hw(text, "imgsz")


def test_cells_and_widths_are_read():
    assert cell("2,3") == (2, 3)
    assert widths("256,128") == (256, 128)
    assert widths("") == ()
    assert pair("0.6,1", "crop_area") == (0.6, 1)


@pytest.mark.parametrize(("read", "text"), [(cell, "1"), (cell, "a,b"), (widths, "wide"), (widths, "256,")])
def test_other_numbers_are_refused(read, text):
    with pytest.raises(OptionError, match="cannot be"):
        read(text)


@pytest.mark.parametrize("text", ["", "1", "1,2,3", "a,b"])
def test_other_pairs_are_refused(text):
    with pytest.raises(OptionError, match=r"the option crop_area cannot be .*: give two numbers such as 0.6,1"):
        pair(text, "crop_area")


def test_a_threshold_is_a_number_or_the_models_own_rule():
    assert [threshold(text) for text in (None, "auto", "0.5", "1")] == [None, "auto", 0.5, 1.0]
    with pytest.raises(OptionError, match="threshold cannot be 'high': give auto, or a number from 0 to 1"):
        threshold("high")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (
            "photos/cat/1.jpg",
            "predict needs a run before the pictures: eyespot predict RUN photos, where RUN is such",
        ),
        ("photos/bundle/manifest.json", "predict needs pictures after the run: eyespot predict photos PICTURES"),
        ("other/1.jpg", "predict needs pictures after the run: eyespot predict photos PICTURES"),
    ],
)
def test_predict_with_one_of_two_says_which_is_forgotten(made, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / made).parent.mkdir(parents=True)
    (tmp_path / made).touch()
    done = CliRunner().invoke(main, ["predict", "photos"])
    assert done.exit_code == 2
    assert said in done.stderr
