"""Whatever is sent, the answer is a status that fits, one sentence in JSON, and the next picture is answered."""

import asyncio
import io
import struct
import zlib
from contextlib import suppress

import pytest
from PIL import Image

from eyespot.data.picture_limits import MOST_SCANS
from eyespot.errors import RequestError
from eyespot.serve import bodies, pictures
from eyespot.serve.refusals import Busy


def png_that_claims(width: int, height: int) -> bytes:
    """A few bytes that would unpack to a picture of that size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", content) + chunk(b"IEND", b"")


def gif_of_many_frames(count: int) -> bytes:
    file = io.BytesIO()
    frames = [Image.new("P", (64, 64), number % 256) for number in range(count)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    return file.getvalue()


def jpeg_of_scans(count: int, data: bytes, *, between: bytes = b"") -> bytes:
    """The progressive JPEG with its last scan as often as that in all, and some bytes before each more."""
    last = data.rindex(b"\xff\xda")
    scans = data.count(b"\xff\xda")
    return data[:-2] + (between + data[last:-2]) * (count - scans) + data[-2:]


def said(response) -> str:
    """The one sentence of an error."""
    assert list(response.json()) == ["error"]
    sentence = response.json()["error"]
    assert "\n" not in sentence
    assert len(sentence) < 400
    assert not any(word in sentence for word in ("Traceback", ".py", "/home", "/tmp", "0x"))
    return sentence


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"", 400, "holds no picture"),
        (b"hello", 415, "is not a picture"),
        (b"%PDF-1.7", 415, "is a PDF document"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "is an SVG drawing"),
        (b"\xff\xd8\xff", 400, "is cut off"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), 400, "the picture is"),
        (png_that_claims(60_000, 60_000), 413, "claims 60000 x 60000 pixels, more than the 50 megapixels"),
        (png_that_claims(10_000, 5_001), 413, "more than the 50 megapixels"),
        (png_that_claims(5_000, 5_000), 400, "is cut off"),
        (b"BM" + bytes(60), 400, "the picture"),
        (b"P6\n99999999 99999999\n255\n", 413, "the picture"),
    ],
)
def test_what_is_no_picture_is_refused_in_a_sentence(client, picture, data, status, words):
    refused = client.post("/predict", content=data)
    assert words in said(refused)
    assert refused.status_code == status
    assert client.post("/predict", content=picture()).status_code == 200


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_a_file_that_ends_early_is_refused(client, picture, format):
    data = picture(size_wh=(200, 150), format=format)
    for share in (0.05, 0.5, 0.95):
        refused = client.post("/predict", content=data[: int(len(data) * share)])
        assert refused.status_code in (400, 415)
        said(refused)


def test_of_a_gif_with_many_frames_the_first_is_answered(client):
    assert client.post("/predict", content=gif_of_many_frames(500)).status_code == 200


def test_a_jpeg_that_is_scanned_again_and_again_is_refused(client, picture):
    data = picture(format="JPEG", progressive=True)
    assert client.post("/predict", content=jpeg_of_scans(MOST_SCANS, data)).status_code == 200
    hidden = b"\xff\x02\xff\xff"  # no segment, though it looks like one that is long
    for hostile in (jpeg_of_scans(101, data), jpeg_of_scans(101, data, between=hidden)):
        refused = client.post("/predict", content=hostile)
        assert refused.status_code == 400
        assert "more than 100 scans" in said(refused)


def test_scans_that_no_decoder_sees_are_not_counted(client, picture):
    """A thumbnail lies in a segment of its own, and what a phone filmed behind the picture's end."""
    data = picture(format="JPEG", comment=b"\xff\xda" * 200) + b"\xff\xda" * 200 + b"\xff\xd9"
    assert client.post("/predict", content=data).status_code == 200


def test_a_picture_of_too_many_bytes_is_refused_raw_and_in_a_form(client, monkeypatch):
    data = b"\xff\xd8\xff" + bytes(pictures.MOST_BYTES)
    for options in ({"content": data}, {"content": iter([data[: 2**20]] * 21)}, {"files": {"a": ("a.jpg", data)}}):
        refused = client.post("/predict", **options)
        assert refused.status_code == 413
        assert "more than 20 MB" in said(refused)


def test_a_request_of_too_many_bytes_is_refused(client, monkeypatch, picture):
    monkeypatch.setattr(bodies, "MOST_BODY_BYTES", 10_000)
    refused = client.post("/predict", files=[("a", ("a.png", picture(size_wh=(60, 50), seed=n))) for n in range(9)])
    assert refused.status_code == 413
    assert "send fewer pictures" in said(refused)


def test_bodies_beyond_what_may_be_held_together_are_asked_to_come_back(client, monkeypatch, picture):
    monkeypatch.setattr(bodies, "MOST_HELD_BYTES", 100)
    refused = client.post("/predict", content=picture())
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")


def test_what_a_request_held_is_given_back(client, service, picture):
    client.post("/predict", content=picture())
    client.post("/predict", content=b"hello")
    assert service.intake.held == 0


def test_a_request_of_too_many_pictures_is_refused(client, picture):
    refused = client.post("/predict", files=[("a", ("a.png", b"x"))] * (bodies.MOST_PICTURES + 1))
    assert refused.status_code == 413
    assert "more than 64 pictures" in said(refused)


FORM = {"content-type": "multipart/form-data; boundary=b"}
HEAD = b'--b\r\nContent-Disposition: form-data; name="a"; filename="a.png"\r\n'


@pytest.mark.parametrize(
    ("headers", "body", "words"),
    [
        ({"content-type": "multipart/form-data"}, b"--b--", "names no boundary"),
        ({"content-type": "multipart/form-data; boundary=" + "b" * 5000}, b"--b--", "the form is damaged"),
        (FORM, b"no form", "the form is damaged"),
        (FORM, HEAD + b"\r\nabc", "the form is cut off"),
        (FORM, b"--b--\r\n", "holds no picture"),
        (FORM, HEAD + b"X: " + b"x" * 100_000 + b"\r\n\r\nabc\r\n--b--\r\n", "the form is damaged"),
        (FORM, HEAD + b"X: x\r\n" * 100 + b"\r\nabc\r\n--b--\r\n", "the form is damaged"),
        (FORM, HEAD + b"\r\n\r\n--b--\r\n", "holds no picture"),
    ],
)
def test_a_form_that_is_none_is_refused(client, headers, body, words):
    refused = client.post("/predict", content=body, headers=headers)
    assert refused.status_code == 400
    assert words in said(refused)


def test_a_body_that_comes_too_slowly_is_given_up(client, monkeypatch):
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.01)

    async def never(headers, receive, room, *, most_bytes):
        await asyncio.sleep(60)

    monkeypatch.setattr(bodies, "_read_whole", never)
    refused = client.post("/predict", content=b"x")
    assert refused.status_code == 408
    assert "did not come within" in said(refused)


def test_our_own_mistakes_show_nothing_of_the_inside(client, service, picture, monkeypatch, capfd):
    def broken(*arguments, **options):
        raise ValueError("in /home/someone/secret.py")

    monkeypatch.setattr(service.served.answering, "answers", broken)
    failed = client.post("/predict", content=picture())
    assert failed.status_code == 500
    assert said(failed) == "the server failed: its log says more"
    assert "secret.py" in capfd.readouterr().err
    monkeypatch.undo()
    assert client.post("/predict", content=picture()).status_code == 200


def test_a_mistake_outside_the_workers_is_told_and_counted_just_so(client, service, picture, monkeypatch, capfd):
    def broken(*arguments, **options):
        raise ValueError("in /home/someone/secret.py")

    monkeypatch.setattr(service.batching, "answers", broken)
    failed = client.post("/predict", content=picture())
    assert failed.status_code == 500
    assert said(failed) == "the server failed: its log says more"
    assert "secret.py" in capfd.readouterr().err
    assert 'eyespot_requests_total{path="/predict",status="500"} 1.0' in client.get("/metrics").text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/predict", 405),
        ("POST", "/model", 405),
        ("GET", "/page/../app.py", 404),
        ("GET", "/page/..%2fapp.py", 404),
        ("GET", "/page/%2e%2e%2fapp.py", 404),
        ("GET", "/page/none.js", 404),
        ("GET", "/docs", 404),
        ("GET", "/openapi.json", 404),
    ],
)
def test_other_addresses_are_refused(client, method, path, status):
    refused = client.request(method, path)
    assert refused.status_code == status
    said(refused)


def test_bodies_that_take_all_the_room_are_given_up_for_one_that_takes_little(monkeypatch):
    monkeypatch.setattr(bodies, "MOST_HELD_BYTES", 100)
    intake = bodies.Intake()

    async def slow(size, client):
        with intake.room(client) as room:
            async with room.in_time():
                room.take(size)
                await asyncio.sleep(60)

    async def ask():
        large, small = asyncio.ensure_future(slow(80, "much")), asyncio.ensure_future(slow(15, "other"))
        await asyncio.sleep(0)
        with intake.room("much") as room, pytest.raises(Busy):
            room.take(10)
        with intake.room("little") as room:
            room.take(10)
            assert intake.held == 25
            with pytest.raises(Busy):
                await large
        small.cancel()
        with suppress(asyncio.CancelledError):
            await small

    asyncio.run(ask())
    assert intake.held == 0


def test_a_form_of_too_many_bytes_whose_length_nobody_said_is_refused_as_it_comes(client, service, monkeypatch):
    monkeypatch.setattr(bodies, "MOST_BODY_BYTES", 2**20)
    parts = iter([HEAD + b"\r\n", *[bytes(2**16)] * 17, b"\r\n--b--\r\n"])
    refused = client.post("/predict", content=parts, headers=FORM)
    assert refused.status_code == 413
    assert said(refused) == "the request has more than 1 MB: send fewer pictures"
    assert service.intake.held == 0


def test_what_still_comes_of_a_body_that_was_given_up_is_not_held():
    intake = bodies.Intake()

    async def ask():
        with intake.room() as room:
            async with room.in_time():
                room.take(80)
                room.give_up()
                room.take(5)

    with pytest.raises(Busy):
        asyncio.run(ask())
    assert intake.held == 0


@pytest.mark.parametrize("read", [pictures.read_sent, pictures.frame_sent])
@pytest.mark.parametrize("is_apart", [False, True])
def test_a_file_of_too_many_bytes_is_no_decoders_work(service, picture, monkeypatch, read, is_apart):
    data = picture(format="GIF")
    monkeypatch.setattr(pictures, "MOST_BYTES", len(data) - 1)
    monkeypatch.setattr(pictures.apart, "is_always", is_apart)
    monkeypatch.setattr(pictures.apart, "ask", None)
    monkeypatch.setattr(pictures.formats, "open_picture", None)
    with pytest.raises(RequestError, match="send a smaller one") as raised:
        read(data, service.served.preprocess)
    assert raised.value.status == 413
