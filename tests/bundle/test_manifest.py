"""What a manifest knows of the pictures a model comes from."""

from hypothesis import given
from hypothesis import strategies as st

from eyespot.bundle.manifest import KnownPictures, Manifest
from eyespot.data.copies import content_hash

PARTS = ("train", "val", "test")


@given(st.dictionaries(st.binary(max_size=4), st.sampled_from(PARTS), max_size=50))
def test_every_picture_is_known_by_its_part_and_no_other_picture_is_known(pictures):
    known = KnownPictures.of((content_hash(data), part) for data, part in pictures.items())
    assert known.parts(map(content_hash, pictures)) == list(pictures.values())
    assert known.parts([content_hash(data + b"changed") for data in pictures]) == [None] * len(pictures)


def test_the_order_of_the_pictures_leaves_no_trace():
    pictures = [(content_hash(bytes([number])), PARTS[number % 3]) for number in range(100)]
    assert KnownPictures.of(pictures) == KnownPictures.of(reversed(pictures))


def test_a_picture_takes_eleven_bytes():
    pictures = [(content_hash(str(number).encode()), "train") for number in range(3000)]
    assert len(KnownPictures.of(pictures).train) < 11 * 3000


def test_the_keys_stand_in_the_file_in_the_order_of_all_versions():
    assert " ".join(Manifest.model_fields) == (
        "format_version task name created network regime classes preprocess precision temperature calibration "
        "validation test small_test out_of_fold data seed graph_sha256 agreement versions pictures unknown sets sha256"
    )
