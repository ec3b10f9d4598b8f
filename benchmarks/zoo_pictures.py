"""Rows of the failure zoo: single pictures."""

from __future__ import annotations

import csv
import io
import shutil
import zlib
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image
from zoo_ground import CLASSES, IN_PARTS, Case, Ground, Row, must, noted, only_those, set_aside, state_of

TEN = 10
LARGEST = 10**9
"""Bytes of memory that a picture may lead a command to."""
NAMED = "status 0; exactly this file is set aside, with a reason{}; all others are used"


def _one_more(ground: Ground, folder: Path, name: str, data: bytes) -> Case:
    """A folder in parts with one more file in a class folder."""
    case = Case(ground.parts(folder / "data"), (f"train/circle/{name}",))
    (case.data / case.odd[0]).write_bytes(data)
    return case


def _named(word: str = "") -> object:
    return lambda ground, case: only_those(ground.train(case.data), case.odd, of=IN_PARTS + 1, word=word)


def _cut(ground: Ground, folder: Path) -> Case:
    whole = ground.photos("circle")[40].read_bytes()
    return _one_more(ground, folder, "cut.jpg", whole[: len(whole) * 6 // 10])


def _web_page(ground: Ground, folder: Path) -> Case:
    return _one_more(ground, folder, "saved.jpg", b"<!DOCTYPE html><html><body>Please sign in</body></html>\n" * 20)


def _heic(ground: Ground, folder: Path) -> Case:
    return _one_more(ground, folder, "IMG_0001.HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(5000))


def _bomb(ground: Ground, folder: Path) -> Case:
    return _one_more(ground, folder, "plain.png", _packed())


@cache
def _packed() -> bytes:
    """A PNG of 2,500 megapixels in 300 KB."""
    side, packer, rows = 50_000, zlib.compressobj(9), bytearray()
    for _ in range(side):
        rows += packer.compress(bytes(1 + side // 8))
    rows += packer.flush()
    head = side.to_bytes(4, "big") * 2 + bytes([1, 0, 0, 0, 0])
    chunks = ((b"IHDR", head), (b"IDAT", bytes(rows)), (b"IEND", b""))
    packed = b"".join(
        len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big") for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + packed


def _bombed(ground: Ground, case: Case) -> str:
    said = ground.eyespot("train", case.data, "--regime", "frozen", "--out", case.data.parent, "--json", "--quiet")
    words = only_those(said.json, case.odd, of=IN_PARTS + 1, word="megapixels")
    must((said.peak_bytes or 0) < LARGEST, f"it held {(said.peak_bytes or 0) / 1e9:.1f} GB")
    return words


def _other_ending(ground: Ground, folder: Path) -> Case:
    file = io.BytesIO()
    with Image.open(ground.photos("circle")[40]) as picture:
        picture.save(file, "PNG")
    return _one_more(ground, folder, "really-a-png.jpg", file.getvalue())


def _all_used(ground: Ground, case: Case) -> str:
    result = ground.train(case.data)
    must(not result["set_aside"], f"set aside: {set_aside(result)}")
    must(result["pictures"]["used"] == IN_PARTS + 1, f"{result['pictures']['used']} pictures were used")
    return "read as the PNG that it is"


def _nobodys_files(ground: Ground, folder: Path) -> Case:
    data = ground.parts(folder / "data")
    files = (
        ".DS_Store",
        "circle/.DS_Store",
        "circle/Thumbs.db",
        "circle/._1.jpg",
        "circle/desktop.ini",
        ".Spotlight/1.jpg",
    )
    for name in files:
        path = data / "train" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X        " + bytes(200))
    return Case(data, tuple(f"train/{name}" for name in files))


def _not_a_word(ground: Ground, case: Case) -> str:
    result = ground.train(case.data)
    must(result["classes"] == list(CLASSES), f"the classes are {result['classes']}")
    must(result["pictures"] == {"used": IN_PARTS, "set_aside": 0}, f"set aside: {set_aside(result)}")
    return "passed over without a word; three classes"


def _saved(image: Image.Image, path: Path, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    return path


def _shape(ground: Ground, number: int = 41) -> Image.Image:
    with Image.open(ground.photos("triangle")[number]) as picture:
        return picture.convert("RGB")


def _turned(ground: Ground, folder: Path) -> Case:
    upright, exif = _shape(ground), Image.Exif()
    exif[0x0112] = 6
    lying = upright.transpose(Image.Transpose.ROTATE_90)
    path = _saved(lying, folder / "phone" / "1.jpg", quality=95, exif=exif)
    readings = {
        "upright": _saved(upright, folder / "upright.png"),
        "lying on its side": _saved(lying, folder / "lying.png"),
    }
    return Case(path, readings=readings)


def _cmyk(ground: Ground, folder: Path) -> Case:
    rgb = _shape(ground)
    path = _saved(rgb.convert("CMYK"), folder / "scan" / "1.jpg", quality=95)
    inverted = Image.fromarray(255 - np.asarray(rgb))
    return Case(
        path,
        readings={
            "in its colors": _saved(rgb, folder / "rgb.png"),
            "inverted": _saved(inverted, folder / "inverted.png"),
        },
    )


def _as_plain(ground: Ground, case: Case) -> str:
    """As the first of the readings is answered."""
    return ground.agrees(case.data, next(iter(case.readings.values())))


def _thermal(ground: Ground, folder: Path) -> Case:
    """Pictures whose 16 bits hold 2,000 to 3,020, as a thermal camera's do, beside the same in 8 bits."""
    for label in CLASSES:
        for path in ground.photos(label)[:TEN]:
            with Image.open(path) as picture:
                gray = np.asarray(picture.convert("L"))
            for kind, pixels in (("deep", 2000 + gray.astype(np.uint16) * 4), ("plain", gray)):
                _saved(Image.fromarray(pixels), folder / kind / label / f"{path.stem}.png")
    first = next((folder / "deep" / "circle").iterdir())
    with Image.open(folder / "plain" / "circle" / first.name) as plain:
        readings = {
            "as its 8-bit copy": _saved(plain.convert("RGB"), folder / "as-plain.png"),
            "all white": _saved(Image.new("RGB", plain.size, "white"), folder / "white.png"),
            "nearly black": _saved(Image.new("RGB", plain.size, (10, 10, 10)), folder / "black.png"),
        }
    return Case(first, readings=readings)


def _as_exact(ground: Ground, case: Case) -> str:
    deep = case.data.parents[1]
    results = [ground.train(folder, "--model", "efficientnet_lite0") for folder in (deep, deep.with_name("plain"))]
    first, second = (each["out_of_fold"]["accuracy"] for each in results)
    must(first >= second - 0.1, f"accuracy {first:.2f}, and {second:.2f} of the copies with 8 bits")
    return f"accuracy {first:.2f}, {second:.2f} of the 8-bit copies; {noted(results[0], 'black')}"


def _see_through(ground: Ground, folder: Path) -> Case:
    """A drawing on nothing, whose hidden colors are another picture; and an animation."""
    seen, hidden = Image.new("RGB", (160, 120), "white"), _shape(ground)
    mask = Image.new("L", seen.size, 0)
    mask.paste(255, (40, 30, 110, 90))
    seen.paste((20, 90, 200), mask=mask)
    drawn = hidden.copy()
    drawn.paste((20, 90, 200), mask=mask)
    drawn.putalpha(mask)
    path = _saved(drawn, folder / "drawing" / "1.png")
    frames = [_shape(ground, 42).convert("P"), _shape(ground, 43).convert("P")]
    _saved(frames[0], folder / "moving.gif", save_all=True, append_images=frames[1:])
    _saved(frames[0].convert("RGB"), folder / "first-frame.png")
    drawn.putalpha(255)
    readings = {
        "on white": _saved(seen, folder / "white.png"),
        "with its hidden colors": _saved(drawn.convert("RGB"), folder / "hidden.png"),
    }
    return Case(path, readings=readings)


def _white_and_first(ground: Ground, case: Case) -> str:
    folder = case.data.parents[1]
    ground.agrees(folder / "moving.gif", folder / "first-frame.png")
    return f"laid on white, {_as_plain(ground, case)}; of the animation the first frame"


def _large(ground: Ground, folder: Path) -> Case:
    """108 megapixels: 324 MB as an image."""
    small = _shape(ground)
    path = _saved(small.resize((12_000, 9_000)), folder / "large" / "1.jpg", quality=90)
    return Case(path, readings={"as its small copy": _saved(small, folder / "small.png")})


def _small_memory(ground: Ground, case: Case) -> str:
    words = _as_plain(ground, case)
    peaks = [
        ground.eyespot("predict", ground.run, path, "--json").peak_bytes or 0
        for path in (case.data, *case.readings.values())
    ]
    more = (peaks[0] - peaks[1]) / 1e6
    must(more < 300, f"{more:.0f} MB more than for a small picture")
    return f"{words}; {max(0.0, more):.0f} MB more than for a small picture"


def _odd_names(ground: Ground, folder: Path) -> Case:
    data = ground.parts(folder / "data", classes=("Äpfel & Birnen", "犬 🐕", 'O\'Brien, "Bob"'))
    names = (
        "a b.jpg",
        "ü\u0308.jpg",
        "line\nbreak.jpg",
        "=1+2.jpg",
        "-rf.jpg",
        "a..jpg",
        "100%.jpg",
        "é" * 100 + ".jpg",
    )
    for name, path in zip(names, ground.photos("circle")[40:], strict=False):
        shutil.copyfile(path, data / "train" / "Äpfel & Birnen" / name)
    return Case(data, tuple(f"train/Äpfel & Birnen/{name}" for name in names))


def _every_name(ground: Ground, case: Case) -> str:
    out = case.data.parent / "out"
    result = ground.train(case.data, "--out", out, "--name", "names")
    must(not result["set_aside"], f"set aside: {set_aside(result)}")
    with (out / "train" / "names" / "split.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    must(len(rows) == IN_PARTS + len(case.odd), f"split.csv has {len(rows)} rows")
    must({row["class"] for row in rows} == set(result["classes"]), "split.csv has other classes")
    return f"all {len(rows)} used; each has its line in the tables"


def _plain(ground: Ground, folder: Path) -> Case:
    return Case(ground.parts(folder / "data"))


def _untouched(ground: Ground, case: Case) -> str:
    before = state_of(case.data)
    out = case.data.parent / "out"
    ground.train(case.data, "--out", out, "--name", "one")
    for verb in (
        ("audit", case.data, "--out", out),
        ("val", out / "train" / "one", case.data),
        ("predict", out / "train" / "one", case.data),
    ):
        must(ground.eyespot(*verb, "--quiet").status == 0, f"{verb[0]} failed")
    must(state_of(case.data) == before, "files of the folder are others")
    return "train, audit, val and predict: every file with its bytes and time as before, and no new one"


SAME = "the answer is that of {}, probabilities within 0.05"
ROWS = (
    Row(
        "cut-picture",
        "a photo is cut off, as by a card pulled out too early",
        "teacher",
        NAMED.format(""),
        _cut,
        _named("cut off"),
        "train",
    ),
    Row(
        "no-picture",
        "a web page was saved as `.jpg`",
        "student",
        NAMED.format(" that says what it is"),
        _web_page,
        _named("web page"),
        "train",
    ),
    Row(
        "wrong-ending",
        "a PNG is called `.jpg`",
        "teacher",
        "status 0; it is used like all others",
        _other_ending,
        _all_used,
        "train",
    ),
    Row(
        "nobodys-files",
        "`.DS_Store`, `Thumbs.db`, `._1.jpg` and hidden folders among the photos",
        "teacher",
        "status 0; they are no class, set nothing aside, and all photos are used",
        _nobodys_files,
        _not_a_word,
        "train",
    ),
    Row(
        "turned-photo",
        "a phone's photo lies on its side but for its EXIF",
        "teacher",
        SAME.format("the same photo stored upright"),
        _turned,
        _as_plain,
        "read",
    ),
    Row("cmyk", "a scan is in CMYK", "teacher", SAME.format("its RGB original"), _cmyk, _as_plain, "read"),
    Row(
        "sixteen-bits",
        "thermal pictures use a few of 65,536 levels",
        "engineer",
        "accuracy at most 0.1 below that of 8-bit copies; a note says what is black and white",
        _thermal,
        _as_exact,
        "read",
    ),
    Row(
        "see-through",
        "drawings have see-through places, or move",
        "student",
        SAME.format("the drawing on white, and of an animation's first frame"),
        _see_through,
        _white_and_first,
        "read",
    ),
    Row(
        "heic",
        "an iPhone's photo is in HEIC, which needs an extra",
        "teacher",
        NAMED.format(" that names the format"),
        _heic,
        _named("HEIC"),
        "train",
    ),
    Row(
        "bomb",
        "300 KB claim to be 2,500 megapixels",
        "engineer",
        NAMED.format("") + "; less than 1 GB of memory",
        _bomb,
        _bombed,
        "train",
    ),
    Row(
        "large-photo",
        "a panorama has 108 megapixels",
        "teacher",
        SAME.format("its small copy") + "; less than 300 MB more memory",
        _large,
        _small_memory,
        "read",
    ),
    Row(
        "odd-names",
        "names have blanks, line breaks, quotes, emoji, `=` or `-` in front",
        "student",
        "status 0; all are used, each has one line in the tables",
        _odd_names,
        _every_name,
        "train",
    ),
    Row(
        "untouched",
        "the only copy of the photos is what is trained on",
        "teacher",
        "after train, audit, val and predict every file has its bytes and time, and none is new",
        _plain,
        _untouched,
        "train",
    ),
)
