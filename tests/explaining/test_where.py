"""Boxes lie where the map is high, through the crop and back to the picture as a person sees it."""

import io
from dataclasses import replace
from pathlib import Path

import corner_network as made
import numpy as np
import pytest
from PIL import Image, ImageDraw

from eyespot.bundle.run import NO_ANSWER
from eyespot.data.data_set import Picture
from eyespot.data.framed import read_cropped
from eyespot.data.pictures import read_images, read_with_window
from eyespot.engine.attach import attach_head
from eyespot.errors import OptionError, UnreadablePicture
from eyespot.explaining.where import box_of, locate, network_with_maps
from eyespot.progress import silent
from eyespot.records import Preprocess, Window

WHOLE = Window(left=0, top=0, width=1, height=1)
CROP = (40, 40)
"""Ten pixels for each place of a map of 4 x 4."""


def of_map(values, **options):
    given = {"crop_hw": CROP, "window": WHOLE, "picture_hw": CROP} | options
    return box_of(np.array(values, np.float32), **given)


def one_place(row, column, *, height=1.0, rest=0.0):
    values = np.full((4, 4), rest)
    values[row, column] = height
    return values


# Interpolated, a single place of 1 falls by 0.1 a pixel from its middle, across and down alike: the pixels next to the
# middle, 0.5 away, have 0.95 each way. Above a fifth of that is what is closer than 8.1 pixels: 7.5 on each side.


def test_around_one_place_the_box_reaches_as_far_as_a_fifth_of_the_largest_value():
    assert of_map(one_place(1, 2)) == (17, 7, 33, 23)


def test_what_counts_is_the_share_of_the_largest_not_the_value():
    assert of_map(one_place(1, 2, height=0.001)) == of_map(one_place(1, 2, height=5000)) == (17, 7, 33, 23)


def test_at_the_border_the_box_ends_with_the_picture():
    """The value stays 1 from the place's middle to the border; inward it falls below 0.2 between 7.5 and 8.5 pixels."""
    assert of_map(one_place(0, 0)) == (0, 0, 13, 13)
    assert of_map(one_place(3, 3)) == (27, 27, 40, 40)


def test_of_two_things_the_larger_one_has_the_box_and_not_the_stronger_one():
    values = one_place(3, 3)
    values[0, :2] = 0.9  # which is above 0.2 up to 7.5 pixels from its middle
    assert of_map(values) == (0, 0, 23, 13)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf"), float("-inf")])
def test_where_nothing_is_above_zero_or_no_number_there_is_no_box(value):
    assert of_map(np.full((4, 4), value)) is None


def test_a_flat_map_is_of_the_whole_window():
    window = Window(left=0.25, top=0, width=0.5, height=1)
    assert of_map(np.ones((3, 3)), window=window, picture_hw=(100, 200)) == (50, 0, 150, 100)


def test_places_below_zero_take_the_box_no_further():
    left, top, right, bottom = of_map(one_place(1, 2, rest=-1))
    assert 17 < left < 25 < right < 33
    assert 7 < top < 15 < bottom < 23


def test_through_the_window_into_the_picture():
    window = Window(left=0.25, top=0, width=0.5, height=1)
    assert of_map(one_place(1, 2), window=window, picture_hw=(200, 400)) == (185, 35, 265, 115)


def test_never_outside_of_the_picture():
    window = Window(left=0.0001, top=0.00007, width=0.9999, height=1)
    left, top, right, bottom = of_map(np.ones((4, 4)), window=window, picture_hw=(7, 3))
    assert left >= 0
    assert top >= 0
    assert (right, bottom) == (3, 7)


# --- from pictures


def gradients(width, height):
    """A picture whose red says how far to the right a pixel is, and its green how far down."""
    red = np.tile(np.linspace(0, 255, width), (height, 1))
    green = np.tile(np.linspace(0, 255, height)[:, None], (1, width))
    return Image.fromarray(np.stack([red, green, np.zeros_like(red)], axis=2).round().astype(np.uint8))


def file_of(picture, *, format="PNG", orientation=1):
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    picture.save(file, format, exif=exif, **({"quality": 95} if format == "JPEG" else {}))
    return file.getvalue()


def crop_of(short_side, crop_hw, *, exact):
    return Preprocess(
        short_side=short_side,
        crop_hw=crop_hw,
        filter="bilinear",
        color="rgb",
        mean=(0, 0, 0),
        scale=(1, 1, 1),
        exact=exact,
    )


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("crop_hw", [(64, 64), (60, 40)])
@pytest.mark.parametrize(
    ("size", "format", "orientation"),
    [
        ((300, 200), "PNG", 1),
        ((200, 300), "PNG", 1),
        ((90, 400), "PNG", 1),
        ((1600, 900), "JPEG", 1),  # is decoded at a fraction of its size
        ((900, 1600), "JPEG", 6),
        ((1203, 701), "JPEG", 3),
    ],
)
def test_a_box_lies_on_what_the_network_saw_there(size, format, orientation, crop_hw, exact):
    upright = gradients(*size)
    turn = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90}[orientation]
    data = file_of(upright.transpose(turn) if turn else upright, format=format, orientation=orientation)
    [cropped] = read_cropped([data], crop_of(72, crop_hw, exact=exact))
    width, height = size
    assert cropped.picture_hw == (height, width)
    for row, column in ((0, 0), (3, 0), (1, 2), (3, 3)):
        values = one_place(row, column)
        left, top, right, bottom = box_of(values, crop_hw=crop_hw, window=cropped.window, picture_hw=(height, width))
        across, up, until, down = map(int, box_of(values, crop_hw=crop_hw, window=WHOLE, picture_hw=crop_hw))
        seen = cropped.image[up:down, across:until, :2]
        middle = seen.reshape(-1, 2).mean(0) / 255 * (width - 1, height - 1)  # of what the network saw in the box
        assert np.abs(middle - ((left + right) / 2, (top + bottom) / 2)).max() < 0.015 * max(size)


@pytest.mark.parametrize("exact", [True, False])
def test_images_and_windows_are_those_of_predict_and_explain(exact):
    random = np.random.default_rng(0)
    noise = [Image.fromarray(random.integers(0, 256, (h, w, 3), np.uint8)) for w, h in ((64, 48), (28, 28), (30, 90))]
    files = [file_of(noise[0]), file_of(noise[1]), b"none", file_of(noise[2], format="JPEG", orientation=8)]
    preprocess = crop_of(36, (32, 32), exact=exact)
    for found, image, data in zip(read_cropped(files, preprocess), read_images(files, preprocess), files, strict=True):
        if isinstance(image, UnreadablePicture):
            assert found.reason == image.reason
            continue
        assert np.array_equal(found.image, image)
        assert found.window == read_with_window(data, preprocess)[1]


def bright(folder: Path, number: int):
    """A picture with one red box on it, and where that is: inside the middle square, which the network sees."""
    random = np.random.default_rng(number)
    width, height = [(96, 64), (64, 96), (80, 80)][number % 3]
    side = min(width, height)
    wide, high = random.integers(side // 4, side // 2, 2).tolist()
    left = int(random.integers((width - side) // 2, (width + side) // 2 - wide + 1))
    top = int(random.integers((height - side) // 2, (height + side) // 2 - high + 1))
    picture = Image.new("RGB", (width, height), (0, 60, 90))
    ImageDraw.Draw(picture).rectangle((left, top, left + wide - 1, top + high - 1), fill=(255, 60, 90))
    path = folder / f"{number}.png"
    picture.save(path)
    return Picture(path.name, path=path), (left, top, left + wide, top + high)


def overlap(one, other):
    shared = [max(0, min(one[at + 2], other[at + 2]) - max(one[at], other[at])) for at in (0, 1)]
    area = sum((each[2] - each[0]) * (each[3] - each[1]) for each in (one, other))
    return shared[0] * shared[1] / (area - shared[0] * shared[1])


@pytest.mark.parametrize("many", [True, False])
def test_on_drawn_pictures_the_box_lies_around_the_bright_thing(tmp_path, many):
    network = network_with_maps(made.bundle(corner=made.PLACES), many=many, cache_folder=None)
    pictures, boxes = zip(*(bright(tmp_path, number) for number in range(30)), strict=True)
    located = locate(network, pictures, many=many, progress=silent)
    assert {*located.boxes} == {*range(30)}
    overlaps = [overlap(located.boxes[number], box) for number, box in enumerate(boxes)]
    assert min(overlaps) > 0.35  # the smallest are two places long, and the box has one more on each side
    assert np.mean(overlaps) > 0.55


def test_a_picture_without_it_has_no_box_and_a_broken_one_its_reason(tmp_path):
    network = network_with_maps(made.bundle(corner=made.PLACES), many=False, cache_folder=None)
    Image.new("RGB", (50, 40), (0, 9, 200)).save(tmp_path / "blue.png")
    (tmp_path / "broken.png").write_bytes(b"")
    pictures = [Picture(name, path=tmp_path / name) for name in ("broken.png", "blue.png")]
    told = []
    located = locate(network, pictures, many=False, progress=lambda *step: told.append(step))
    assert located.reasons == {0: "is empty (0 bytes)"}
    assert (located.boxes, located.sizes, located.flat) == ({}, {1: (40, 50)}, {1})
    assert told[-1] == ("predicting", 2, 2)


def test_a_network_without_such_a_map_is_refused_and_it_is_said_how_to_get_one():
    with pytest.raises(OptionError, match=r"\(made\) has none, .*: train again without --head, on a network"):
        network_with_maps(made.bundle(averaged=False), many=False, cache_folder=None)


def test_a_map_of_too_few_places_is_refused():
    with pytest.raises(OptionError, match=r"only 2 x 2 places for its images of 32 x 32 px.* larger --imgsz"):
        network_with_maps(made.bundle(places=2), many=False, cache_folder=None)


def test_of_many_pictures_only_a_few_are_held_at_a_time(tmp_path, monkeypatch):
    picture, _ = bright(tmp_path, 0)
    decoded, most = 0, 0

    def counted(files, preprocess):
        nonlocal decoded
        for cropped in read_cropped(files, preprocess):
            decoded += 1
            yield cropped

    def told(_, done, total):
        nonlocal most
        most = max(most, decoded - done)

    monkeypatch.setattr("eyespot.explaining.where.read_cropped", counted)
    network = network_with_maps(made.bundle(corner=made.PLACES), many=True, cache_folder=None)
    located = locate(network, [picture] * 1000, many=True, progress=told)
    assert len(located.boxes) == decoded == 1000
    assert most < 300


def test_a_picture_without_an_answer_has_its_reason_and_stops_no_other(tmp_path):
    """The score of a picture that is red and green is beyond 32 bits."""
    bundle = made.bundle(corner=made.PLACES)
    weight, bias = made.head()
    weight[0] = (3e38, 3e38, 0)
    graph = attach_head(made.trunk(corner=made.PLACES), [(weight, bias)])
    colors = {"yellow": (255, 255, 0), "blue": (0, 0, 255)}
    for name, color in colors.items():
        Image.new("RGB", (40, 40), color).save(tmp_path / f"{name}.png")
    network = network_with_maps(replace(bundle, graph=graph), many=False, cache_folder=None)
    pictures = [Picture(name, path=tmp_path / f"{name}.png") for name in colors]
    located = locate(network, pictures, many=False, progress=silent)
    assert located.reasons == {0: NO_ANSWER}
    assert {*located.answers} == {*located.sizes} == {1}
