"""What files tell without their pixels."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from eyespot.data.file_facts import FileFacts, file_facts
from eyespot.errors import UnreadablePicture


def saved(format: str, **exif: object) -> bytes:
    file, tags = io.BytesIO(), Image.Exif()
    for name, value in exif.items():
        tags[{"orientation": 0x0112, "make": 0x010F, "model": 0x0110}[name]] = value
    Image.new("RGB", (40, 30)).save(file, format, exif=tags)
    return file.getvalue()


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(("exif", "camera"), [({}, False), ({"make": "Lens & Co"}, True), ({"model": "L1"}, True)])
def test_size_bytes_and_camera(format, exif, camera):
    data = saved(format, **exif)
    assert file_facts(data) == FileFacts(width=40, height=30, bytes=len(data), camera=camera)


def test_a_picture_on_its_side_is_measured_upright():
    found = file_facts(saved("JPEG", orientation=6))
    assert (found.width, found.height) == (30, 40)


def test_formats_without_exif_have_no_camera():
    file = io.BytesIO()
    Image.new("RGB", (40, 30)).save(file, "BMP")
    assert not file_facts(file.getvalue()).camera


def test_what_is_no_picture_is_its_error():
    with pytest.raises(UnreadablePicture, match="is empty"):
        file_facts(b"")
