"""The numbers that courses on convolutional networks work out on the board, through the public functions."""

import numpy as np
import pytest

import eyespot

BOARD = "3 0 1 2 7 4; 1 5 8 9 3 1; 2 7 2 5 1 3; 0 1 3 1 7 8; 4 2 1 6 2 8; 2 4 5 2 3 9"
STEP = "; ".join(["10 10 10 0 0 0"] * 6)
MIRRORED_STEP = "; ".join(["0 0 0 10 10 10"] * 6)
CHECKER = "; ".join(["10 10 10 0 0 0"] * 3 + ["0 0 0 10 10 10"] * 3)
POOLED = "1 3 2 1; 2 9 1 1; 1 3 2 3; 5 6 1 2"
RANDOM = np.random.default_rng(0)


def feature_map(*arguments, **options):
    """The one feature map, as lists of whole numbers."""
    (only,) = eyespot.convolve(*arguments, **options).maps
    assert (only == only.astype(int)).all()
    return only.astype(int).tolist()


def volume(channels, height, width):
    return RANDOM.normal(size=(channels, height, width))


def kernels(count, channels, side):
    return RANDOM.normal(size=(count, channels, side, side))


# --- edges


def test_the_vertical_kernel_on_the_board():
    assert feature_map(BOARD, "vertical") == [[-5, -4, 0, 8], [-10, -2, 2, 3], [0, -2, -4, -7], [-3, -2, -3, -16]]


def test_a_step_from_bright_to_dark_answers_30_along_the_edge():
    assert feature_map(STEP, "vertical") == [[0, 30, 30, 0]] * 4


def test_the_mirrored_step_answers_minus_30():
    assert feature_map(MIRRORED_STEP, "vertical") == [[0, -30, -30, 0]] * 4


def test_the_checker_under_the_horizontal_kernel_has_10_where_both_edges_meet():
    empty, edges = [0, 0, 0, 0], [30, 10, -10, -30]
    assert feature_map(CHECKER, "horizontal") == [empty, edges, edges, empty]


# --- padding, stride


def test_padding_1_keeps_6_by_6():
    assert eyespot.convolve(BOARD, "vertical", padding=1).output_chw == (1, 6, 6)


@pytest.mark.parametrize("f", [1, 3, 5, 7])
def test_same_padding_of_an_odd_kernel_is_half_of_f_minus_1(f):
    result = eyespot.convolve(volume(1, 9, 9), np.ones((f, f)), padding="same")
    assert result.kernels[0].padding == ((f - 1) // 2,) * 4
    assert result.output_chw == (1, 9, 9)


@pytest.mark.parametrize("f", [2, 4])
def test_same_padding_of_an_even_kernel_has_the_odd_zero_at_the_bottom_and_right_and_says_so(f):
    result = eyespot.convolve(volume(1, 9, 9), np.ones((f, f)), padding="same")
    top, bottom, left, right = result.kernels[0].padding
    assert (bottom - top, right - left) == (1, 1)
    assert result.output_chw == (1, 9, 9)
    assert "one zero more at the bottom and right" in result.notes[0]


def test_7_by_7_with_f_3_and_stride_2_is_3_by_3():
    result = eyespot.convolve(volume(1, 7, 7), "vertical", stride=2)
    assert result.output_chw == (1, 3, 3)
    assert result.kernels[0].formula_hw == ("floor((7 + 2*0 - 3)/2) + 1 = 3",) * 2


def test_a_window_that_does_not_fit_is_dropped_and_told():
    result = eyespot.convolve(volume(1, 8, 7), "vertical", stride=2)
    assert result.output_chw == (1, 3, 3)
    assert result.kernels[0].dropped_hw == (1, 0)
    assert result.notes == ("dropped, because the next window would not fit: 1 row at the bottom",)


def test_without_padding_the_corner_of_6_by_6_is_used_once_and_the_centre_nine_times():
    result = eyespot.pixel_coverage(6, 3)
    assert result.counts[0].tolist() == [1, 2, 3, 3, 2, 1]
    assert (result.corner, result.centre) == (1, 9)
    assert result.counts.sum() == 16 * 9
    assert eyespot.pixel_coverage(6, 3, padding=1).corner == 4


# --- volumes


def test_two_3x3x3_kernels_over_6x6x3_give_4x4x2_with_27_products_a_cell():
    result = eyespot.convolve(volume(3, 6, 6), kernels(2, 3, 3), cell=(0, 0))
    assert result.output_chw == (2, 4, 4)
    assert np.size(result.cells[0].values) == 27
    assert result.multiplications == 4 * 4 * 2 * 27


def test_edges_in_red_only():
    red_only = "1 0 -1; 1 0 -1; 1 0 -1 | 0 0 0; 0 0 0; 0 0 0 | 0 0 0; 0 0 0; 0 0 0"
    picture = volume(3, 6, 6)
    np.testing.assert_array_equal(
        eyespot.convolve(picture, red_only).maps, eyespot.convolve(picture[:1], "vertical").maps
    )


@pytest.mark.parametrize("side", [6, 50])
def test_ten_3x3x3_filters_have_280_parameters_whatever_the_pictures_size(side):
    assert eyespot.convolve(volume(3, side, side), kernels(10, 3, 3)).parameters == 280


def test_39x39x3_becomes_37x37x10_then_17x17x20_then_7x7x40_which_is_1960():
    first = eyespot.convolve(volume(3, 39, 39), kernels(10, 3, 3))
    second = eyespot.convolve(first.maps, kernels(20, 10, 5), stride=2)
    third = eyespot.convolve(second.maps, kernels(40, 20, 5), stride=2)
    assert (first.output_chw, second.output_chw, third.output_chw) == ((10, 37, 37), (20, 17, 17), (40, 7, 7))
    assert third.maps.size == 1960


def test_the_network_on_32x32x3_activation_by_activation_and_parameter_by_parameter():
    image = volume(3, 32, 32)
    conv1 = eyespot.convolve(image, kernels(6, 3, 5))
    pool1 = eyespot.pool(conv1.maps)
    conv2 = eyespot.convolve(pool1.maps, kernels(16, 6, 5))
    pool2 = eyespot.pool(conv2.maps)
    # a fully connected layer is a convolution whose kernels are as large as its input
    dense1 = eyespot.convolve(pool2.maps, kernels(120, 16, 5))
    dense2 = eyespot.convolve(dense1.maps, kernels(84, 120, 1))
    softmax = eyespot.convolve(dense2.maps, kernels(10, 84, 1))
    layers = (conv1, pool1, conv2, pool2, dense1, dense2, softmax)
    assert [image.size, *(layer.maps.size for layer in layers)] == [3072, 4704, 1176, 1600, 400, 120, 84, 10]
    parameters = [getattr(layer, "parameters", 0) for layer in layers]
    assert [0, *parameters] == [0, 456, 0, 2416, 0, 48120, 10164, 850]
    assert parameters[4] - 120 + 1 == 48_001  # what slides print: one bias for the layer, not one for each neuron


# --- pooling


def test_the_4_by_4_max_pool():
    assert eyespot.pool(POOLED, "max", window=2, stride=2).maps.tolist() == [[[9, 2], [6, 3]]]


def test_the_4_by_4_average_pool():
    assert eyespot.pool(POOLED, "average", window=2, stride=2).maps.tolist() == [[[3.75, 1.25], [3.75, 2]]]


def test_the_5_by_5_max_pool_with_f_3_and_stride_1():
    board = "1 3 2 1 3; 2 9 1 1 5; 1 3 2 3 2; 8 3 5 1 0; 5 6 1 2 9"
    assert eyespot.pool(board, window=3, stride=1).maps.tolist() == [[[9, 9, 5], [9, 9, 5], [8, 6, 9]]]


def test_pooling_5x5x2_keeps_depth_2_and_each_channel_to_itself():
    image = volume(2, 5, 5)
    pooled = eyespot.pool(image, window=3, stride=1)
    assert pooled.output_chw == (2, 3, 3)
    for channel in (0, 1):
        alone = eyespot.pool(image[channel], window=3, stride=1)
        np.testing.assert_array_equal(pooled.maps[channel], alone.maps[0])


def test_7x7x1000_pools_to_3x3x1000():
    assert eyespot.pool(volume(1000, 7, 7)).output_chw == (1000, 3, 3)


# --- why convolutions


def test_a_64x64x3_picture_has_12288_values():
    dense = eyespot.convolve(volume(3, 64, 64), kernels(1, 3, 64))  # one neuron that sees every value
    assert dense.input_chw == (3, 64, 64)
    assert dense.fully_connected_weights == dense.parameters - 1 == 12_288


def test_1000x1000x3_fully_connected_to_1000_neurons_has_3_billion_weights():
    from eyespot.arithmetic.convolution import layer_cost

    assert layer_cost((3, 1000, 1000), (1000, 1000), (1000, 1, 1)).fully_connected_weights == 3 * 10**9


def test_456_parameters_take_the_place_of_over_14_million_weights():
    result = eyespot.convolve(volume(3, 32, 32), kernels(6, 3, 5))
    assert (np.prod(result.input_chw), np.prod(result.output_chw)) == (3072, 4704)
    assert result.parameters == 456
    assert result.fully_connected_weights == 14_450_688


def test_156_parameters_are_those_for_one_channel():
    assert eyespot.convolve(volume(1, 32, 32), kernels(6, 1, 5)).parameters == 156


def test_sparse_connections_an_output_changes_only_with_a_pixel_of_its_own_window():
    image = volume(1, 6, 6)
    before = eyespot.convolve(image, kernels(1, 1, 3)[0] ** 2 + 1, cell=(1, 2))
    kernel = np.array(before.cells[0].weights)
    for row, column in np.ndindex(6, 6):
        changed = image.copy()
        changed[0, row, column] += 1
        differs = eyespot.convolve(changed, kernel).maps[0, 1, 2] != before.maps[0, 1, 2]
        assert differs == (1 <= row <= 3 and 2 <= column <= 4)


# --- 1x1 kernels


def test_a_1x1_kernel_of_2_doubles_a_grey_picture():
    gray = RANDOM.integers(0, 256, (6, 6))
    assert feature_map(gray, "2;") == (2 * gray).tolist()


def test_n_1x1_kernels_over_6x6x32_are_one_dense_layer_at_36_places():
    image, ones = volume(32, 6, 6), kernels(8, 32, 1)
    maps = eyespot.convolve(image, ones).maps
    dense = ones.reshape(8, 32)
    for row, column in np.ndindex(6, 6):
        np.testing.assert_allclose(maps[:, row, column], dense @ image[:, row, column], atol=1e-12)


def test_32_1x1_kernels_take_28x28x192_to_28x28x32():
    assert eyespot.convolve(volume(192, 28, 28), kernels(32, 192, 1)).output_chw == (32, 28, 28)


def test_a_bottleneck_needs_12443648_multiplications_in_place_of_120422400():
    image = volume(192, 28, 28)
    direct = eyespot.convolve(image, kernels(32, 192, 5), padding="same")
    narrow = eyespot.convolve(image, kernels(16, 192, 1))
    wide = eyespot.convolve(narrow.maps, kernels(32, 16, 5), padding="same")
    assert direct.output_chw == wide.output_chw == (32, 28, 28)
    assert direct.multiplications == 120_422_400
    assert narrow.multiplications + wide.multiplications == 2_408_448 + 10_035_200 == 12_443_648


def test_an_inception_block_takes_28x28x192_to_28x28x256():
    image = volume(192, 28, 28)
    pooled = eyespot.pool(np.pad(image, ((0, 0), (1, 1), (1, 1)), mode="edge"), window=3, stride=1)
    branches = [
        eyespot.convolve(image, kernels(64, 192, 1)),
        eyespot.convolve(image, kernels(128, 192, 3), padding="same"),
        eyespot.convolve(image, kernels(32, 192, 5), padding="same"),
        eyespot.convolve(pooled.maps, kernels(32, 192, 1)),
    ]
    assert np.concatenate([branch.maps for branch in branches]).shape == (256, 28, 28)
