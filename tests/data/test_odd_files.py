"""Sound pixels beside odd metadata are read; what is no picture is called what it is, with what to do."""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, features

from eyespot.data.formats import PICTURE_SUFFIXES
from eyespot.data.pictures import read_whole
from eyespot.errors import UnreadablePicture


def noise(width: int = 23, height: int = 17, bands: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, bands), dtype=np.uint8)


def saved(image: np.ndarray | Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(file, format, **options)
    return file.getvalue()


def chunk(name: bytes, content: bytes, *, checksum: int | None = None) -> bytes:
    right = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", right if checksum is None else checksum)


def reason(data: bytes) -> str:
    with pytest.raises(UnreadablePicture) as error:
        read_whole(data, "rgb")
    return error.value.reason


PNG_REMARKS = {
    "a text with a wrong checksum": chunk(b"tEXt", b"Comment\0hello", checksum=7),
    "a text without an end of its name": chunk(b"tEXt", b"Comment" * 40),
    "a text that is damaged inside": chunk(b"zTXt", b"Comment\0\0notzlib"),
    "a text packed in a way nobody knows": chunk(b"zTXt", b"Comment\0\x63abc"),
    "a text that unpacks to much": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(80_000_000))),
    "a long text": chunk(b"tEXt", b"Comment\0" + b"x" * 3_000_000),
    "texts without end": chunk(b"iTXt", b"Comment\0\0\0\0\0" + b"x" * 900_000) * 80,
    "a profile that is damaged inside": chunk(b"iCCP", b"icc\0\0notzlib"),
    "a profile with a wrong checksum": chunk(b"iCCP", b"icc\0\0" + zlib.compress(b"x"), checksum=7),
    "a profile that unpacks to much": chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(80_000_000))),
    "orientation that is damaged": chunk(b"eXIf", b"II*\0\xff\xff\xff\xff"),
    "orientation with a wrong checksum": chunk(b"eXIf", b"II*\0\x08\0\0\0", checksum=7),
    "a time that is too short": chunk(b"tIME", b"\1"),
    "sizes of pixels that are too short": chunk(b"pHYs", b"\1"),
    "primaries that are too short": chunk(b"cHRM", b"\1") + chunk(b"gAMA", b"") + chunk(b"sRGB", b""),
    "an animation of none": chunk(b"acTL", struct.pack(">II", 0, 0)) + chunk(b"fcTL", bytes(26)),
    "what its maker keeps for itself": chunk(b"prVt", b"\0" * 999) + chunk(b"vpAg", b"", checksum=1),
}


@pytest.mark.parametrize("remark", PNG_REMARKS)
@pytest.mark.parametrize("place", [33, -12], ids=["before the pixels", "behind them"])
def test_a_png_with_odd_remarks_has_its_pixels(remark: str, place: int) -> None:
    image = noise()
    data = saved(image, "PNG")
    np.testing.assert_array_equal(read_whole(data[:place] + PNG_REMARKS[remark] + data[place:], "rgb"), image)


def test_a_png_that_is_damaged_where_its_pixels_are_is_refused() -> None:
    data = bytearray(saved(noise(), "PNG"))
    data[data.index(b"IDAT") + 30] ^= 0xFF
    assert "damaged PNG" in reason(bytes(data))
    assert "cut off" in reason(saved(noise(), "PNG")[:-40])


def test_the_orientation_and_palette_of_a_png_stay() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.fromarray(noise())
    data = saved(image, "PNG", exif=exif.tobytes())
    data = data[:33] + chunk(b"tEXt", b"a\0b", checksum=1) + data[33:]
    np.testing.assert_array_equal(read_whole(data, "rgb"), np.asarray(image.transpose(Image.Transpose.ROTATE_270)))
    palette = Image.fromarray(noise()).quantize(20)
    data = saved(palette, "PNG", transparency=3)
    expected = read_whole(data, "rgb")
    np.testing.assert_array_equal(read_whole(data[:33] + chunk(b"abCd", b"x") + data[33:], "rgb"), expected)


@pytest.mark.parametrize(
    "segment",
    [
        b"\xff\xe1\0\x10Exif\0\0garbage!",
        b"\xff\xe1\0\x08Exif\0\0",
        b"\xff\xe2\0\x10ICC_PROFILE\0\x05\x01",
        b"\xff\xed\0\x16Photoshop 3.0\x008BIM\xff\xff",
        b"\xff\xee\0\x07Adobe",
        b"\xff\xfe\0\x06a\xff\0b",
    ],
    ids=["EXIF", "EXIF of nothing", "profile", "Photoshop", "Adobe", "remark"],
)
def test_a_jpeg_with_odd_metadata_has_its_pixels(segment: bytes) -> None:
    data = saved(noise(), "JPEG")
    np.testing.assert_array_equal(
        read_whole(data[:20] + segment + data[20:] + b"after the end", "rgb"), read_whole(data, "rgb")
    )


def test_written_out_and_packed_netpbm_are_the_same() -> None:
    gray, color = noise(bands=1)[:, :, 0], noise()
    bits = gray > 127
    height, width = gray.shape
    size = f"{width} # a remark\n{height}\n"
    text = " ".join
    written = {
        "P1": (f"P1 {size}" + text(str(int(not bit)) for bit in bits.ravel())).encode(),
        "P2": (f"P2\n# by hand\n{size}255\n" + text(map(str, gray.ravel()))).encode(),
        "P3": (f"P3\n{size}255\n" + text(map(str, color.ravel()))).encode(),
        "P4": f"P4\n{width} {height}\n".encode() + np.packbits(~bits, axis=1).tobytes(),
    }
    np.testing.assert_array_equal(read_whole(written["P1"], "gray")[:, :, 0], bits * np.uint8(255))
    np.testing.assert_array_equal(read_whole(written["P4"], "gray")[:, :, 0], bits * np.uint8(255))
    np.testing.assert_array_equal(read_whole(written["P2"], "gray")[:, :, 0], gray)
    np.testing.assert_array_equal(read_whole(written["P3"], "rgb"), color)


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_avif_is_read_whatever_its_container_says(faults: Path) -> None:
    image = Image.fromarray(noise(64, 48))
    data = saved(image, "AVIF", quality=100, subsampling="4:4:4")
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    np.testing.assert_array_equal(read_whole(data, "rgb"), expected)
    assert data[8:12] == b"avif"
    np.testing.assert_array_equal(read_whole(data[:8] + b"mif1" + data[12:], "rgb"), expected)
    assert ".avif" in PICTURE_SUFFIXES
    assert read_whole((faults / "avif_ending/a.avif").read_bytes(), "rgb").ndim == 3


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (SVG, "is an SVG drawing"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- made by hand -->\n<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG, "an SVG"),
        ("\ufeff<?xml version='1.0'?>".encode("utf-16-le") + SVG.decode().encode("utf-16-le"), "is an SVG drawing"),
        (gzip.compress(SVG, mtime=0), "is a packed SVG drawing"),
        (gzip.compress(SVG, mtime=0)[:9] + b"damaged", "is packed by gzip: unpack it"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "run `git lfs pull`"),
        (b"<!DOCTYPE html><html><body>404", "is a web page, not a picture: save the picture itself"),
        (b"\n <html>", "is a web page"),
        (b"PK\x03\x04....", "is a ZIP archive: unpack it"),
        (b"\0\0\0\x18ftypisom....", "is a film"),
        (b"\0\0\0\x18ftypcrx ....", "is a camera's raw file"),
        (bytes(128) + b"DICM", "is a DICOM picture"),
        (b"SIMPLE  =                    T", "is a FITS picture"),
    ],
)
def test_what_is_no_picture_is_called_what_it_is(data: bytes, said: str) -> None:
    assert said in reason(data)


@pytest.mark.parametrize("place", ["svg_xml/svg.png", "lfs_pointer/lfs.jpg", "png_metadata/pngtext/workflow.png"])
def test_faulty_files_are_read_or_named(faults: Path, place: str) -> None:
    data = (faults / place).read_bytes()
    if place.startswith("png"):
        assert read_whole(data, "rgb").size
    else:
        assert ("SVG drawing" in reason(data)) == place.startswith("svg")


def test_a_tiff_of_bands_that_nobody_shows_is_described() -> None:
    width, height = struct.pack("<HHII", 256, 4, 1, 4), struct.pack("<HHII", 257, 4, 1, 4)
    rest = [
        (258, 3, 1, 32),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (277, 3, 1, 7),
        (279, 4, 1, 448),
        (339, 3, 1, 3),
    ]
    table = width + height + b"".join(struct.pack("<HHII", *row) for row in rest)
    data = b"II*\0" + struct.pack("<I", 456) + bytes(448) + struct.pack("<H", 9) + table + bytes(4)
    said = reason(data)
    assert "TIFF of 7 bands of 32-bit floats" in said
    assert "save it as gray or RGB" in said


def test_what_a_decoder_writes_to_standard_error_is_the_reason(capfd: pytest.CaptureFixture[str]) -> None:
    data = saved(noise(200, 200), "TIFF", compression="tiff_lzw")
    at = data.index(b"\x80", 8)
    damaged = data[: at + 500] + bytes(len(data) // 3) + data[at + 500 + len(data) // 3 :]
    said = reason(damaged)
    assert "TIFF" in said
    assert capfd.readouterr() == ("", "")


def test_a_profile_is_applied_where_it_is_not_that_of_the_screen() -> None:
    image = Image.fromarray(noise())
    screen = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    swapped = bytearray(screen.tobytes())
    tags = {bytes(swapped[at : at + 4]): at for at in range(132, 132 + 12 * swapped[131], 12)}
    red, blue = tags[b"rXYZ"], tags[b"bXYZ"]
    swapped[red + 4 : red + 12], swapped[blue + 4 : blue + 12] = (
        swapped[blue + 4 : blue + 12],
        swapped[red + 4 : red + 12],
    )
    at = tags[b"desc"]
    start = int.from_bytes(swapped[at + 4 : at + 8])
    length = int.from_bytes(swapped[at + 8 : at + 12])
    swapped[start : start + length] = bytes(swapped[start : start + length]).replace(b"s\0R\0G\0B", b"o\0d\0d\0!")
    for profile, expected in ((screen.tobytes(), np.asarray(image)), (bytes(swapped), np.asarray(image)[:, :, ::-1])):
        for options in ({"format": "PNG"}, {"format": "TIFF"}):
            found = read_whole(saved(image, icc_profile=profile, **options), "rgb")
            np.testing.assert_allclose(found.astype(int), expected.astype(int), atol=2)
    gray = read_whole(saved(image, "PNG", icc_profile=b"no profile at all"), "rgb")
    np.testing.assert_array_equal(gray, np.asarray(image))
