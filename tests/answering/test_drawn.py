"""What is drawn and cut out shows the thing, under a name that nothing else has."""

import io

import pytest
from PIL import Image

from eyespot.answering.detections import BoxOptions, Detection, Detections
from eyespot.answering.drawn import write_answers
from eyespot.data.data_set import Picture

SIZE = 140, 100
"""Width and height of the pictures."""


class Model:
    """What writing asks of a model."""

    classes = ("cat", "dog")

    class manifest:
        class preprocess:
            levels = None


def white():
    file = io.BytesIO()
    Image.new("RGB", SIZE, "white").save(file, "PNG")
    return file.getvalue()


def write(names, *boxes, **options):
    """Writes answers on white pictures with these names, each with the same boxes."""
    found = tuple(Detection(class_="dog", probability=0.75, xyxy=xyxy) for xyxy in boxes)
    answers = [Detections(picture=name, width=SIZE[0], height=SIZE[1], detections=found) for name in names]
    for folder in options.values():
        folder.mkdir(exist_ok=True)
    write_answers(BoxOptions(**options), answers, {name: Picture(name, data=white()) for name in names}, Model())


@pytest.mark.parametrize(
    ("xyxy", "size"),
    [
        ((139.6, 10, 140, 30), (1, 20)),
        ((10, 99.7, 30, 100), (20, 1)),
        ((139.9, 99.9, 140, 100), (1, 1)),
        ((20.2, 10.4, 20.3, 10.45), (1, 1)),
        ((0, 0, 140, 100), (140, 100)),
    ],
)
def test_what_is_cut_out_lies_in_the_picture(tmp_path, xyxy, size):
    write(["a.png"], xyxy, save_crop=tmp_path)
    with Image.open(tmp_path / "dog" / "a-1.jpg") as cut:
        assert cut.size == size
        assert cut.convert("L").getextrema() == (255, 255)


@pytest.mark.parametrize(
    ("names", "stems"),
    [
        (["a.jpg", "a.png", "a-2.jpg"], {"a", "a-2", "a-2-2"}),
        (["a-2.jpg", "a.jpg", "a.png"], {"a-2", "a", "a-3"}),
        (["a.jpg", "A.png"], {"a", "A-2"}),
        (["cat/1.jpg", "dog/1.jpg", "1.jpg"], {"1", "1-2", "1-3"}),
    ],
)
def test_every_picture_has_files_of_its_own(tmp_path, names, stems):
    write(names, (10, 10, 30, 30), draw=tmp_path / "draw", save_txt=tmp_path / "txt")
    assert {path.stem for path in (tmp_path / "draw").iterdir()} == stems
    assert {path.stem for path in (tmp_path / "txt").iterdir()} == stems


def test_a_text_has_six_columns(tmp_path):
    write(["a.png"], (14, 10, 42, 60), save_txt=tmp_path)
    assert (tmp_path / "a.txt").read_text() == "1 0.200000 0.350000 0.200000 0.500000 0.750000\n"
