"""convolve, pool, pixel_coverage, learn_kernel from Python: what goes in, what comes out, what is refused."""

import json
import re

import numpy as np
import pytest
from PIL import Image

import eyespot
from eyespot.arithmetic.maps import scale_end, signed_colors
from eyespot.errors import DataError, EyespotError, OptionError
from eyespot.palette import GROUND
from eyespot.recipes.by_hand.pictures import MOST_VALUES_IN_JSON

PIXELS = np.random.default_rng(0).integers(0, 256, (30, 40, 3)).astype(np.uint8)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(PIXELS).save(path)
    return path


def image_of(path):
    with Image.open(path) as image:
        return np.asarray(image)


# --- what goes in


@pytest.mark.parametrize("name", ["m.csv", "m.txt", "m.npy"])
def test_a_matrix_is_the_same_from_text_file_list_and_array(tmp_path, name):
    matrix = [[1, 2, 3], [4, 5, 7]]
    if name.endswith("npy"):
        np.save(tmp_path / name, np.array(matrix))
    else:
        (tmp_path / name).write_text("1,2,3\n4,5,7\n")
    for source in (tmp_path / name, str(tmp_path / name), "1 2 3; 4 5 7", matrix, np.array(matrix)):
        for kernel in ("1 -1", [[1, -1]], np.array([[1, -1]])):
            assert eyespot.convolve(source, kernel).maps.tolist() == [[[-1, -1], [-1, -2]]]


@pytest.mark.parametrize(
    ("channels", "expected"),
    [("rgb", PIXELS.transpose(2, 0, 1)), ("r", PIXELS[None, ..., 0]), ("b", PIXELS[None, ..., 2])],
)
def test_channels_of_a_picture(photo, channels, expected):
    ours = eyespot.convolve(photo, "sobel-x", channels=channels).maps
    np.testing.assert_array_equal(ours, eyespot.convolve(expected.astype(float), "sobel-x").maps)


def test_a_picture_is_grey_unless_channels_are_chosen(photo):
    gray = np.asarray(Image.fromarray(PIXELS).convert("L")).astype(float)
    np.testing.assert_array_equal(eyespot.convolve(photo, "emboss").maps, eyespot.convolve(gray, "emboss").maps)


def test_a_kernel_over_rgb_sums_its_channels(photo):
    each = [eyespot.convolve(photo, "sobel-x", channels=c).maps for c in ("r", "g", "b")]
    np.testing.assert_array_equal(eyespot.convolve(photo, "sobel-x", channels="rgb").maps, sum(each))


def test_a_kernel_file_may_hold_another_plane_for_each_channel(photo, tmp_path):
    (tmp_path / "red.txt").write_text("1 0 -1\n1 0 -1\n1 0 -1\n\n" + "0 0 0\n0 0 0\n0 0 0\n\n" + "0 0 0\n" * 3)
    red_only = eyespot.convolve(photo, tmp_path / "red.txt", channels="rgb").maps
    np.testing.assert_array_equal(red_only, eyespot.convolve(photo, "vertical", channels="r").maps)


def test_a_picture_is_read_upright_and_at_its_own_size(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.fromarray(PIXELS).save(tmp_path / "turned.png", exif=exif)
    assert eyespot.convolve(tmp_path / "turned.png", "2;").output_chw == (1, 40, 30)


def test_true_convolution_turns_the_kernel():
    ours = eyespot.convolve("1 2 3", "1 0 -1", true_convolution=True)
    assert ours.maps.tolist() == [[[2]]]
    assert eyespot.convolve("1 2 3", "1 0 -1").maps.tolist() == [[[-2]]]


def test_kernels_of_several_sizes_stack_with_same_padding_only():
    board = np.ones((5, 5))
    assert eyespot.convolve(board, ["vertical", "2;"], padding="same").output_chw == (2, 5, 5)
    with pytest.raises(OptionError, match="3 x 3 and 5 x 5 cannot be stacked"):
        eyespot.convolve(board, ["vertical", "2;"])


def test_a_cell_is_taken_apart_for_every_kernel_and_channel(photo):
    result = eyespot.convolve(photo, ["sobel-x", "emboss"], channels="rgb", padding=1, cell=(0, 39))
    for number, cell in enumerate(result.cells):
        assert (cell.rows, cell.columns) == ((-1, 1), (38, 40))
        assert np.shape(cell.values) == np.shape(cell.weights) == (3, 3, 3)
        assert cell.sum == result.maps[number, 0, 39] == np.sum(np.multiply(cell.values, cell.weights))


# --- what comes out


def test_a_drawn_map_has_zero_in_the_middle_of_its_colours(tmp_path):
    eyespot.convolve("0 5 0; 0 -5 0", "1;", out=tmp_path / "map.png")
    colors = image_of(tmp_path / "map.png")
    width = colors.shape[1]
    height = width * 2 // 3  # above the caption
    zero, above, below = (colors[y * height // 4, x * width // 6] for y, x in ((1, 1), (1, 3), (3, 3)))
    assert zero.tolist() == [255, 255, 255]
    assert above[0] > above[2]  # red
    assert below[2] > below[0]  # blue


def test_a_map_of_a_picture_is_drawn_pixel_by_pixel(tmp_path):
    large = tmp_path / "large.png"
    Image.fromarray(np.tile(PIXELS, (10, 10, 1))).save(large)
    maps = eyespot.convolve(large, "sobel-x", out=tmp_path / "map.png").maps
    drawn = image_of(tmp_path / "map.png")
    assert drawn.shape[1] == 398
    np.testing.assert_array_equal(drawn[:298], signed_colors(maps[0], end=scale_end(maps)))


def test_a_blurred_picture_is_drawn_as_a_picture(tmp_path):
    large = tmp_path / "large.png"
    Image.fromarray(np.full((400, 400), 77, np.uint8)).save(large)
    eyespot.convolve(large, "gaussian", out=tmp_path / "blurred.png")
    assert (image_of(tmp_path / "blurred.png")[:398] == 77).all()


def test_a_pooled_picture_keeps_its_colours(tmp_path):
    large = tmp_path / "large.png"
    Image.fromarray(np.repeat(np.repeat(PIXELS, 16, axis=0), 16, axis=1)).save(large)
    eyespot.pool(large, "average", window=2, channels="rgb", out=tmp_path / "pooled.png")
    expected = np.repeat(np.repeat(PIXELS, 8, axis=0), 8, axis=1)
    np.testing.assert_array_equal(image_of(tmp_path / "pooled.png")[:240], expected)


def test_a_drawing_says_what_it_is(photo, tmp_path):
    """Name, shape, sums and scale, below the picture and in the file."""
    for name, call in {
        "map": lambda out: eyespot.convolve(photo, ["sobel-x", "45"], padding="reflect", stride=2, out=out),
        "pool": lambda out: eyespot.pool(photo, window=3, padding=1, stride=2, out=out),
        "coverage": lambda out: eyespot.pixel_coverage((30, 40), 3, padding="circular", stride=2, out=out),
    }.items():
        call(tmp_path / f"{name}.png")
    texts = {}
    for path in (tmp_path / f"{name}.png" for name in ("map", "pool", "coverage")):
        with Image.open(path) as image:
            texts[path.stem] = image.info["Description"].split(" | ")
            strip = np.asarray(image)[-30:]
        assert {GROUND, (255, 255, 255)} <= set(map(tuple, strip.reshape(-1, 3).tolist()))
    sums = ["floor((30 + 2*1 - 3)/2) + 1 = 15 rows", "floor((40 + 2*1 - 3)/2) + 1 = 20 columns"]
    assert texts["map"][0] == "sobel-x and 45, 3 x 3, padding 1 (reflect), stride 2"
    assert texts["map"][1:4] == ["15 x 20 x 2 (height, width, depth)", *sums]
    assert texts["map"][4].startswith("white is 0, red ")
    assert texts["pool"][:4] == ["max of 3 x 3, padding 1, stride 2", "15 x 20 x 1 (height, width, depth)", *sums]
    assert texts["pool"][4] == "black is 0 and white 255"
    layer = "windows of 3 x 3, padding 1 (circular), stride 2, that use each pixel"
    assert texts["coverage"] == [layer, "30 x 40", *sums, "white is 0, red 4"]


def test_several_maps_are_drawn_side_by_side(photo, tmp_path):
    eyespot.convolve(photo, ["sobel-x", "sobel-y", "45"], out=tmp_path / "maps.png")
    height, width = image_of(tmp_path / "maps.png").shape[:2]
    assert height > 2 * 28
    assert width > 2 * 38


def test_a_written_csv_is_read_again_as_it_was(photo, tmp_path):
    maps = eyespot.convolve(photo, ["sobel-x", "70"], csv=tmp_path / "maps.csv").maps
    np.testing.assert_allclose(eyespot.convolve(tmp_path / "maps.csv", "1;|0;").maps[0], maps[0], rtol=1e-11)


def test_json_holds_small_maps_and_null_for_large_ones():
    small = json.loads(eyespot.convolve("1 2; 3 4", "1;").model_dump_json())
    assert small["maps"] == [[[1, 2], [3, 4]]]
    side = int(MOST_VALUES_IN_JSON**0.5) + 1
    large = eyespot.convolve(np.ones((side, side)), "1;")
    assert large.maps.shape == (1, side, side)
    assert json.loads(large.model_dump_json())["maps"] is None


def test_files_are_not_written_over_unasked(tmp_path):
    for call in (
        lambda **o: eyespot.convolve("1 2", "1;", **o),
        lambda **o: eyespot.pool("1 2; 3 4", **o),
        lambda **o: eyespot.pixel_coverage(6, **o),
    ):
        path = tmp_path / "there.png"
        path.write_bytes(b"mine")
        with pytest.raises(OptionError, match="exists already"):
            call(out=path)
        assert path.read_bytes() == b"mine"
        call(out=path, overwrite=True)
        assert path.read_bytes().startswith(b"\x89PNG")


# --- learning


def test_a_kernel_is_learned_from_a_picture(photo):
    result = eyespot.learn_kernel(photo, "sobel-x", steps=500)
    assert result.distance < 1e-3
    assert [step.step for step in result.steps] == [0, 1, 3, 10, 30, 100, 300, 500]
    assert [step.loss for step in result.steps] == sorted((step.loss for step in result.steps), reverse=True)
    np.testing.assert_allclose(result.steps[-1].kernel, result.target_kernel, atol=1e-3)
    assert result.notes == ()


def test_a_picture_of_one_colour_teaches_no_kernel_and_that_is_said():
    result = eyespot.learn_kernel(np.full((9, 9), 5.0), "sobel-x", steps=10)
    assert "0 independent patterns, fewer than the 9 weights" in result.notes[0]


# --- what cannot be


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: eyespot.convolve("1 2; 3 4", "vertical"), "3 x 3 does not fit into the picture, 2 x 2 pixels"),
        (lambda: eyespot.convolve("1 2; 3", "1;"), "ragged"),
        (lambda: eyespot.convolve("1 2; 3 4", "1;", stride=0), "stride"),
        (lambda: eyespot.convolve("1 2; 3 x", "1;"), "'x' is not a number"),
        (lambda: eyespot.convolve("1 2; 3 4", "1; x"), "'x' is not a number"),
        (lambda: eyespot.convolve([[1, np.nan]], "1;"), "nan"),
        (lambda: eyespot.convolve("1 2; 3 4", [[np.nan]]), "nan"),
        (lambda: eyespot.convolve("1 2; 3 4", "virtical"), "did you mean 'vertical'"),
        (lambda: eyespot.convolve("1 2; 3 4", "none.npy"), "none.npy cannot be read"),
        (lambda: eyespot.convolve("1 2; 3 4", []), "empty"),
        (lambda: eyespot.convolve("1 2; 3 4", "1;", cell=(2, 0)), "there is no cell 2,0"),
        (lambda: eyespot.convolve("1 2; 3 4", "1;|1;"), "the kernel has 2 channels but the picture 1 channel"),
        (lambda: eyespot.convolve("1 2; 3 4", "1;", channels="rgb"), "channels is for pictures"),
        (lambda: eyespot.convolve("1 2; 3 4", "1;", channels="red"), "channels cannot be 'red'"),
        (lambda: eyespot.convolve("1 2; 3 4", "1;", out="map.jpg"), "ends in .png"),
        (lambda: eyespot.convolve("nowhere.jpg", "1;"), "there is no file 'nowhere.jpg'"),
        (lambda: eyespot.convolve(PIXELS, "1;"), "channels come first"),
        (lambda: eyespot.convolve(np.ones(3), "1;"), r"\(H, W\) or \(C, H, W\) is needed"),
        (lambda: eyespot.pool("1 2; 3 4", "maximum"), "did you mean 'max'"),
        (lambda: eyespot.pool("1 2; 3 4", window=3), "does not fit"),
        (lambda: eyespot.pool("1 2; 3 4", window=0), "at least 1 x 1"),
        (lambda: eyespot.pool("1 2; 3 4", padding=2), "more than half of a window of 2 x 2"),
        (lambda: eyespot.pool("1 2; 3 4", padding="circular"), "padding cannot be 'circular': give valid, same, or a"),
        (lambda: eyespot.convolve("1 2; 3 4", np.ones((5, 5)), padding="reflect"), "only 2 x 2: take replicate"),
        (lambda: eyespot.convolve("1 2; 3 4", "1;", padding="mirror"), "reflect, replicate, circular, or a number"),
        (lambda: eyespot.pixel_coverage(2, 3), "does not fit"),
        (lambda: eyespot.pixel_coverage(1_000_000), "more than the 200 million"),
        (lambda: eyespot.convolve("1 2; 3 4", "1;", padding=10**6), "more than the 200 million"),
        (lambda: eyespot.learn_kernel("1 2; 3 4", "1;", steps=0), "steps must lie between 1 and"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(call, said):
    with pytest.raises(EyespotError, match=said) as told:
        call()
    assert "\n" not in str(told.value)


def test_a_picture_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"broken.jpg is empty"):
        eyespot.convolve(tmp_path / "broken.jpg", "1;")
    with pytest.raises(DataError, match="is a folder"):
        eyespot.convolve(tmp_path, "1;")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: eyespot.convolve("1 2; 3 4", "1 0", strid=2), "convolve has no option 'strid': did you mean 'stride'"),
        (lambda: eyespot.convolve("1 2; 3 4", "1 0", chanels="r"), "did you mean 'channels'?"),
        (lambda: eyespot.pool("1 2; 3 4", windw=2), "pool has no option 'windw': did you mean 'window'?"),
    ],
)
def test_an_option_that_does_not_exist_is_answered_with_the_nearest_one(call, said):
    with pytest.raises(OptionError, match=re.escape(said)):
        call()
