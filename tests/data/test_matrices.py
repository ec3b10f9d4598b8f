"""Matrices as people write them: what is read, and one clear sentence for what cannot be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from eyespot.data.matrices import is_written_out, numbers, read_matrix, written_out
from eyespot.errors import DataError

TWO_BY_TWO = [[[1, 0], [-0.5, 1000]]]


@pytest.mark.parametrize("text", ["1 0; -0.5 1e3", "1,0;-.5,1000", " 1, 0 ; -0.5, 1000 ;", "1 0\n-0.5 1000"])
def test_rows_are_parted_by_semicolons_and_numbers_by_spaces_or_commas(text):
    assert is_written_out(text)
    assert written_out(text, "it").tolist() == TWO_BY_TWO


def test_planes_are_parted_by_bars():
    assert written_out("1 2; 3 4 | 5 6; 7 8", "it").tolist() == [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]


def test_one_number_and_a_semicolon_is_1_by_1():
    assert is_written_out("2;")
    assert written_out("2;", "it").tolist() == [[[2]]]


@pytest.mark.parametrize("text", ["45", "-70.5", "vertical", "1 photo.jpg", "photos/1 2.png", "2024-01-02 12.30.jpg"])
def test_names_angles_and_paths_are_no_matrices(text):
    assert not is_written_out(text)


@pytest.mark.parametrize(
    "text",
    [
        "1,0\n-0.5,1000\n",
        "1;0\r\n-0.5;1000",
        "1\t0\n-0.5\t1000\n\n\n",
        "# mine\n1 0\n -0.5   1000",
        "\ufeff1,0\n-0.5,1e3",
    ],
)
def test_a_file_holds_rows_in_lines(tmp_path, text):
    (tmp_path / "m.csv").write_text(text, encoding="utf-8", newline="")
    assert read_matrix(tmp_path / "m.csv").tolist() == TWO_BY_TWO


def test_an_empty_line_parts_planes(tmp_path):
    (tmp_path / "m.txt").write_text("1 2\n3 4\n\n \n5 6\n7 8\n")
    assert read_matrix(tmp_path / "m.txt").shape == (2, 2, 2)


@settings(deadline=None)
@given(array=arrays.arrays(np.float32, st.tuples(*[st.integers(1, 3)] * 3), elements=st.floats(-9, 9, width=16)))
def test_an_array_of_numpys_comes_back_as_it_was(array, tmp_path_factory):
    path = tmp_path_factory.mktemp("npy") / "m.npy"
    np.save(path, array)
    np.testing.assert_array_equal(read_matrix(path), array)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 2; 3", "it is ragged: row 2 has 1 number but row 1 has 2 numbers"),
        ("1 2; 3 x", "it, row 2: 'x' is not a number"),
        ("1 nan", "it, row 1: nan is not a finite number"),
        ("1 2 | 1 2; 3 4", "it: plane 2 is 2 x 2 but plane 1 is 1 x 2"),
        ("1 2 | 1 y", "it, plane 2, row 1: 'y' is not a number"),
        ("1,,2", "it, row 1: '' is not a number"),
        (";", "it is empty"),
        ("1 1,1 1", "it, row 1: '1 1' is not a number"),
    ],
)
def test_what_is_no_matrix_is_told(text, said):
    with pytest.raises(DataError) as told:
        written_out(text, "it")
    assert said in str(told.value)


def test_a_decimal_comma_is_not_taken_for_two_numbers(tmp_path):
    (tmp_path / "m.csv").write_text("1,5;2,5\n3,5;4,5\n")
    with pytest.raises(DataError, match=r"row 1: '1,5' is not a number"):
        read_matrix(tmp_path / "m.csv")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("m.csv", b"", "is empty"),
        ("m.csv", b"\xff\xfe1", "is not a text"),
        ("m.npy", b"1 2", "is not an array"),
        ("m.npy", None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_matrix_is_told(tmp_path, name, content, said):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=said):
        read_matrix(tmp_path / name)


def test_a_pickle_is_never_loaded(tmp_path):
    np.save(tmp_path / "m.npy", np.array([print], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="not an array of numbers"):
        read_matrix(tmp_path / "m.npy")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([[1, 2], [3]], "ragged"),
        ([["a"]], "not real numbers"),
        ([], "empty"),
        ([[1, np.inf]], r"inf at \(0, 1\)"),
        ([[1j]], "not real numbers"),
    ],
)
def test_what_are_no_numbers_is_told(values, said):
    with pytest.raises(DataError, match=said):
        numbers(values, "it")


def test_an_archive_of_arrays_is_told_and_not_guessed_from(tmp_path):
    np.savez(tmp_path / "m.npz", first=np.eye(2), second=np.eye(3))
    (tmp_path / "m.npz").rename(tmp_path / "m.npy")
    with pytest.raises(DataError, match=r"m\.npy is an archive of arrays: save one array with numpy\.save"):
        read_matrix(tmp_path / "m.npy")
