"""`POST /paint`: the picture that `stylize` paints in one pass, under the limits of every other picture."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

import eyespot
from eyespot.errors import MissingExtra
from eyespot.serve import painting
from eyespot.serve.app import make_app
from eyespot.serve.painting import ServedPainter
from eyespot.serve.run import serve
from eyespot.serve.service import Service
from eyespot.styling import published

pytestmark = pytest.mark.skipif(not published.is_installed(), reason="needs the extra style")


@pytest.fixture(scope="module")
def painted_service(bundle, warm_cache):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(warm_cache))
        return Service(bundle, painter=ServedPainter(cache_folder=warm_cache))


@pytest.fixture(scope="module")
def paints(painted_service):
    """Asks a server that paints."""
    with TestClient(make_app(painted_service), base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def files(picture):
    ramp = np.linspace(0, 255, 71, dtype=np.uint8)[None, :, None]
    photo = Image.fromarray(np.tile(ramp, (53, 1, 3)))
    turned, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    photo.save(turned, "JPEG", exif=exif)
    upright = io.BytesIO()
    photo.save(upright, "PNG")
    return {"photo": upright.getvalue(), "turned": turned.getvalue(), "painting": picture(size_wh=(80, 60))}


def ask(client, photo, painting, query=""):
    return client.post(f"/paint{query}", files={"photo": ("a", photo), "painting": ("b", painting)})


def said(refused):
    """The one sentence of an error."""
    assert list(refused.json()) == ["error"]
    return refused.json()["error"]


def pixels(data):
    return np.asarray(Image.open(io.BytesIO(data))).astype(int)


@pytest.mark.parametrize(
    ("photo", "query", "options"),
    [
        ("photo", "", {}),
        ("photo", "?strength=0.5&keep_colors=1", {"strength": 0.5, "keep_colors": True}),
        ("photo", "?strength=0", {"strength": 0}),
        ("turned", "?imgsz=64&strength=.75", {"imgsz": 64, "strength": 0.75}),
    ],
)
def test_the_picture_is_the_one_that_stylize_writes(paints, files, shared_cache, tmp_path, photo, query, options):
    for name in (photo, "painting"):
        (tmp_path / name).write_bytes(files[name])
    answer = ask(paints, files[photo], files["painting"], query)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    eyespot.stylize(tmp_path / photo, style=tmp_path / "painting", out=tmp_path / "out.png", **options)
    assert (pixels(answer.content) == pixels((tmp_path / "out.png").read_bytes())).all()


def test_strength_goes_from_the_photo_to_the_painting_and_colors_are_kept(paints, files):
    photo = pixels(files["photo"])
    found = [
        pixels(ask(paints, files["photo"], files["painting"], f"?strength={each / 4}").content) for each in range(5)
    ]
    apart = [np.abs(each - photo).mean() for each in found]
    assert apart[0] == 0
    assert apart == sorted(apart)
    kept = pixels(ask(paints, files["photo"], files["painting"], "?keep_colors=1").content)
    assert np.ptp(kept, axis=2).max() <= 1  # a gray photo stays gray
    assert np.ptp(found[-1], axis=2).max() > 10


def test_the_size_is_512_at_most_unless_another_is_asked_for(paints, files, picture):
    large = picture(size_wh=(800, 600))
    for query, size_hw in (("", (384, 512)), ("?imgsz=600", (450, 600)), ("?imgsz=1024", (600, 800))):
        assert pixels(ask(paints, large, files["painting"], query).content).shape[:2] == size_hw


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("strength=1.5", "strength must be a number from 0 to 1, not '1.5'"),
        ("strength=nan", "strength must be a number from 0 to 1"),
        ("keep_colors=yes", "keep_colors must be a number from 0 to 1"),
        ("imgsz=1025", "imgsz must be a number from 32 to 1024"),
        ("imgsz=31", "imgsz must be a number from 32 to 1024"),
        ("time=5", "there is no parameter 'time'"),
        ("style=http://example.org/a.jpg", "there is no parameter 'style'"),
    ],
)
def test_another_query_is_refused_in_a_sentence(paints, files, query, words):
    refused = ask(paints, files["photo"], files["painting"], f"?{query}")
    assert refused.status_code == 400
    assert words in said(refused)


@pytest.mark.parametrize("names", [["photo"], ["photo", "photo"], ["photo", "painting", "mask"], ["a", "b"]], ids=str)
def test_the_form_has_a_photo_and_a_painting_and_nothing_else(paints, files, names):
    refused = paints.post("/paint", files=[(name, ("x.png", files["painting"])) for name in names])
    assert refused.status_code == 400
    assert said(refused) == "the request must be a form with two files, named photo and painting"
    assert paints.post("/paint", content=files["photo"]).status_code == 400


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"", 400, "the request must be a form with two files, named photo and painting"),
        (b"hello", 415, "the {name} is not a picture"),
        (b"P6\n60000 60000\n255\n", 413, "the {name} claims 60000 x 60000 pixels, more than the 50 megapixels"),
        (b"\xff\xd8\xff", 400, "the {name} is cut off"),
        (b"\xff\xd8\xff" + bytes(20 * 2**20), 413, "the picture has more than 20 MB"),
    ],
    ids=["empty", "text", "bomb", "cut off", "bytes"],
)
@pytest.mark.parametrize("name", ["photo", "painting"])
def test_what_is_no_picture_is_refused_and_called_by_its_name(
    paints, painted_service, files, name, data, status, words
):
    refused = ask(paints, **{"photo": files["photo"], "painting": files["painting"]} | {name: data})
    assert refused.status_code == status
    assert words.format(name=name) in said(refused)
    assert ask(paints, files["photo"], files["painting"]).status_code == 200
    assert painted_service.intake.held == 0


def test_pictures_of_less_than_32_pixels_are_refused(paints, files, picture):
    small = picture(size_wh=(40, 31))
    refused = ask(paints, small, files["painting"])
    assert refused.status_code == 400
    assert said(refused) == (
        "the photo would have 40 x 31 pixels, and painting takes at least 32 on each side: send a larger one, or ask "
        "for a larger imgsz"
    )
    assert said(ask(paints, files["photo"], small)).endswith("at least 32 on each side: send a larger one")
    long = picture(size_wh=(700, 40))
    assert "the photo would have 512 x 29 pixels" in said(ask(paints, long, files["painting"]))
    assert ask(paints, long, files["painting"], "?imgsz=1024").status_code == 200


def test_what_would_take_more_memory_than_there_is_is_refused(paints, files, monkeypatch):
    monkeypatch.setattr("eyespot.machine.memory_bytes", lambda: 200_000_000)
    refused = ask(paints, files["photo"], files["painting"])
    assert refused.status_code == 413
    assert "of memory, and this machine has 0.2 GB" in said(refused)
    assert "--" not in said(refused)


def test_beyond_the_places_clients_are_asked_to_come_back(paints, painted_service, files, monkeypatch):
    monkeypatch.setattr(painted_service.painter._turns, "places", 0)
    refused = ask(paints, files["photo"], files["painting"])
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert "busy" in said(refused)


def test_a_painting_is_looked_at_once(paints, files, picture, monkeypatch):
    read = []

    def watched(data, side, *, called):
        read.append(called)
        return watched.before(data, side, called=called)

    watched.before = painting.small_sent
    monkeypatch.setattr(painting, "small_sent", watched)
    another = picture(size_wh=(64, 64), seed=9)
    for strength in (1, 0.5):
        assert ask(paints, files["photo"], another, f"?strength={strength}").status_code == 200
    assert read == ["the photo", "the painting", "the photo"]


def test_it_is_told_and_counted(paints, files):
    assert paints.get("/model").json()["paint"]["seconds"] == 20
    before = paints.get("/metrics").text
    ask(paints, files["photo"], files["painting"])
    after = paints.get("/metrics").text
    for name in ('eyespot_requests_total{path="/paint",status="200"}', 'eyespot_painted_pictures_total{way="fast"}'):
        assert count(after, name) == count(before, name) + 1


def count(metrics, name):
    return next((float(line.rpartition(" ")[2]) for line in metrics.splitlines() if line.startswith(name)), 0)


def test_a_server_that_was_not_asked_to_paint_has_no_such_address(client, files):
    assert "paint" not in client.get("/model").json()
    for path in ("/paint", "/paint/finer"):
        assert client.post(path, files={"photo": files["photo"]}).status_code == 404


def test_another_sites_page_may_not_have_anything_painted(paints, files):
    refused = paints.post("/paint", files={"photo": files["photo"]}, headers={"origin": "http://example.org"})
    assert refused.status_code == 403


def test_without_the_extra_nothing_is_served(bundle, monkeypatch):
    monkeypatch.setattr(published, "is_installed", lambda: False)
    with pytest.raises(MissingExtra, match=r"painting photos needs the extra `style`.*pip install 'eyespot\[style\]'"):
        serve(bundle, port=0, style=True)


def test_painting_at_once_needs_no_torch(bundle, shared_cache, files, tmp_path):
    for name in ("photo", "painting"):
        (tmp_path / name).write_bytes(files[name])
    code = f"""
import sys
sys.modules["torch"] = None  # cannot be imported
from pathlib import Path
from starlette.testclient import TestClient
from eyespot.serve.app import make_app
from eyespot.serve.painting import ServedPainter
from eyespot.serve.service import Service
files = {{name: (name, Path({str(tmp_path)!r}, name).read_bytes()) for name in ("photo", "painting")}}
service = Service({str(bundle)!r}, painter=ServedPainter(cache_folder=Path({str(shared_cache)!r})))
with TestClient(make_app(service), base_url="http://localhost") as client:
    print(client.get("/model").json()["paint"])
    print(client.post("/paint?strength=0.5", files=files).headers["content-type"])
    print(client.post("/paint/finer", files=files).json()["error"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "{'finer': False, 'seconds': 20}",
        "image/png",
        "painting in steps needs the extra `train`, which is not installed: pip install 'eyespot[train]'; POST /paint "
        "paints at once without it",
    ]


def test_only_so_many_paintings_are_remembered_and_the_one_used_last_longest(
    paints, painted_service, files, picture, monkeypatch
):
    read, small = [], painting.small_sent

    def watched(data, side, *, called):
        read.append(data)
        return small(data, side, called=called)

    monkeypatch.setattr(painting, "small_sent", watched)
    monkeypatch.setattr(painting, "KEPT", 2)
    one, two, three = (picture(size_wh=(40, 40), seed=seed) for seed in (20, 21, 22))
    for each in (one, two, one, three, one, two):
        assert ask(paints, files["photo"], each).status_code == 200
    assert [each for each in read if each != files["photo"]] == [one, two, three, two]
    assert len(painted_service.painter._styles) == 2
