"""Pictures at the same time: right answers for each, in batches, in a queue that has an end."""

import asyncio
import gc
import io
import threading

import numpy as np
import pytest
from color_bundle import color_probabilities, write_color_bundle
from PIL import Image

from eyespot import machine
from eyespot.bundle.files import read_bundle
from eyespot.bundle.many_threads import Answering
from eyespot.bundle.run import ClassAnswer, Classifier
from eyespot.data.pictures import read_image
from eyespot.errors import BundleError, RequestError
from eyespot.serve import batching as batching_module
from eyespot.serve import classification
from eyespot.serve.batching import MORE_WORKERS, Batching
from eyespot.serve.classification import ServedClassifier
from eyespot.serve.refusals import Busy, OurMistake
from eyespot.serve.served import Answer


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    return serve_bundle(write_color_bundle(tmp_path_factory.mktemp("a") / "bundle"))


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    return serve_bundle(write_color_bundle(tmp_path_factory.mktemp("b") / "bundle", sharpness=3))


def serve_bundle(folder):
    bundle = read_bundle(folder)
    return ServedClassifier.of(bundle, Answering(Classifier(bundle, cache_folder=None)))


@pytest.fixture
def batches():
    return []


@pytest.fixture
def batching(batches):
    made = Batching(workers=2, places=200, observe=batches.append)
    yield made
    made.stop()


def images(count: int, seed: int = 0) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8))


def rows(answers) -> np.ndarray:
    assert all(isinstance(each, Answer) for each in answers)
    return np.stack([each.probabilities for each in answers])


def test_each_of_many_pictures_gets_its_own_answer_whatever_the_batch(batching, batches, served):
    asked = [images(count, seed=count) for count in range(1, 18)]

    async def ask():
        return await asyncio.gather(*(batching.answers(each, served) for each in asked))

    for pictures, answers in zip(asked, asyncio.run(ask()), strict=True):
        expected = [color_probabilities(each) for each in pictures]
        np.testing.assert_allclose(rows(answers), expected, atol=1e-6)
    assert sum(batches) == sum(range(1, 18))
    assert max(batches) > 1
    assert batching.taken == 0


@pytest.mark.parametrize("where", ["read_sent", "np.stack"])
def test_our_mistake_is_answered_even_where_nobody_reads_the_log(batching, served, monkeypatch, where):
    class Gone:
        def write(self, text):
            raise BrokenPipeError

    def fail(*_):
        raise ZeroDivisionError

    file = io.BytesIO()
    Image.new("RGB", (32, 32)).save(file, "PNG")
    for _ in range(3):  # more than there are workers
        with monkeypatch.context() as patched:
            patched.setattr("sys.stderr", Gone())
            patched.setattr(f"eyespot.serve.classification.{where}", fail)
            [failed] = asyncio.run(asyncio.wait_for(batching.answers([file.getvalue()], served), 20))
        assert isinstance(failed, OurMistake)
    [answer] = asyncio.run(batching.answers([file.getvalue()], served))
    assert isinstance(answer, Answer)


def living_pictures():
    return sum(issubclass(type(each), Image.Image) for each in gc.get_objects())  # isinstance would ask lazy objects


def test_a_picture_that_is_refused_is_let_go_at_once(batching, served):
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(file, "PNG")
    gc.collect()
    gc.disable()  # it comes seldom, and pictures may be large
    try:
        before = living_pictures()
        [refused] = asyncio.run(batching.answers([file.getvalue()[:2000]], served))
        assert isinstance(refused, RequestError)
        assert living_pictures() == before
    finally:
        gc.enable()


def test_pictures_of_two_models_are_never_mixed(batching, served, other):
    pictures = images(20)

    async def ask():
        turns = [batching.answers([each], model) for each in pictures for model in (served, other)]
        return await asyncio.gather(*turns)

    answers = rows([answer for [answer] in asyncio.run(ask())])
    np.testing.assert_allclose(answers[::2], [color_probabilities(each) for each in pictures], atol=1e-6)
    np.testing.assert_allclose(answers[1::2], [color_probabilities(each, sharpness=3) for each in pictures], atol=1e-6)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 15, 16])
def test_an_answer_is_the_same_alone_and_beside_others(served, count):
    stacked = np.stack(images(count))
    beside = served.answering.answers(stacked, alone=False)
    alone = [answer for each in stacked for answer in served.answering.answers(each[None], alone=True)]
    for one, other in zip(beside, alone, strict=True):
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-6)


def test_a_lone_picture_is_a_batch_of_one_on_all_cores(batching, batches, served, monkeypatch, picture):
    asked_alone = []
    answers = served.answering.answers
    monkeypatch.setattr(
        type(served.answering),
        "answers",
        lambda self, images, *, alone: asked_alone.append(alone) or answers(images, alone=alone),
    )
    data = picture()
    [found] = asyncio.run(batching.answers([data], served))
    assert (asked_alone, batches) == ([True], [1])
    assert found.probabilities == pytest.approx(color_probabilities(read_image(data, served.preprocess)), abs=1e-6)
    asyncio.run(batching.answers([data, data], served))
    assert not all(asked_alone[1:])


@pytest.mark.parametrize(("decode_seconds", "sizes"), [(0.0, [16, 4]), (1.0, [2] * 10)])
def test_an_image_waits_for_a_file_but_not_for_many(served, batches, monkeypatch, decode_seconds, sizes):
    """Small files are decoded first, so that their images go together; after a long one nothing waits."""
    decode, decoded = batching_module._image, []
    monkeypatch.setattr(batching_module, "_image", lambda *given: decoded.append(given) or decode(*given))
    batching = Batching(workers=1, places=200, observe=batches.append, clock=lambda: len(decoded) * decode_seconds)
    asyncio.run(batching.answers(images(20), served))
    batching.stop()
    assert batches == sizes


def test_beyond_its_places_the_queue_takes_nothing(served, monkeypatch):
    batching = Batching(workers=1, places=3)
    go_on = threading.Event()
    answers = served.answering.answers
    monkeypatch.setattr(
        type(served.answering),
        "answers",
        lambda self, images, *, alone: go_on.wait(30) and answers(images, alone=alone),
    )

    async def ask():
        first = asyncio.ensure_future(batching.answers(images(2), served))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await batching.answers(images(2), served)
        second = asyncio.ensure_future(batching.answers(images(1), served))
        await asyncio.sleep(0)
        assert batching.is_full
        go_on.set()
        return [*await first, *await second]

    assert len(rows(asyncio.run(ask()))) == 3
    batching.stop()


def test_more_pictures_than_the_queue_ever_takes_are_refused_for_good(client, service, picture):
    service.batching.places = 2
    refused = client.post("/predict", files=[("a", ("a.png", picture()))] * 3)
    assert refused.status_code == 413
    assert refused.json() == {"error": "the server takes 2 pictures at a time: send fewer"}
    assert client.post("/predict", files=[("a", ("a.png", picture()))] * 2).status_code == 200


def test_what_was_taken_is_answered_before_the_workers_end(served):
    batching = Batching(workers=2, places=100)

    async def ask():
        asked = asyncio.ensure_future(batching.answers(images(50), served))
        await asyncio.sleep(0)
        await asyncio.to_thread(batching.stop)
        return await asked

    assert len(rows(asyncio.run(ask()))) == 50


def test_a_picture_that_takes_for_ever_does_not_hold_up_the_end(served, monkeypatch):
    monkeypatch.setattr(batching_module, "JOIN_SECONDS", 0.01)
    batching, go_on = Batching(workers=1, places=1), threading.Event()
    monkeypatch.setattr(classification, "read_sent", lambda data, preprocess: go_on.wait(30))

    async def ask():
        asked = asyncio.ensure_future(batching.answers([b"picture"], served))
        await asyncio.sleep(0)
        await asyncio.to_thread(batching.stop)
        assert not asked.done()
        go_on.set()
        await asked

    asyncio.run(ask())


def test_a_client_that_goes_leaves_the_others_their_answers(batching, served):
    async def ask():
        gone = asyncio.ensure_future(batching.answers(images(5), served))
        await asyncio.sleep(0)
        gone.cancel()
        return await batching.answers(images(5), served)

    assert len(rows(asyncio.run(ask()))) == 5


def test_a_picture_that_cannot_be_read_leaves_the_others_their_answers(batching, served, picture):
    answers = asyncio.run(batching.answers([picture(), b"text", picture()], served))
    assert [isinstance(each, RequestError) for each in answers] == [False, True, False]


def test_a_full_queue_answers_503_and_says_when_to_come_back(client, service, picture):
    service.batching.places = 0
    refused = client.post("/predict", content=picture())
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.json() == {"error": "the server is busy: try again in a moment"}
    assert client.get("/healthz").status_code == 200


def test_a_model_whose_answers_are_no_numbers_is_not_served(tmp_path):
    bundle = read_bundle(write_color_bundle(tmp_path / "bundle"))
    answering = Answering(Classifier(bundle, cache_folder=None))
    answering.answers = lambda images, *, alone: [ClassAnswer(np.full(3, np.nan), None)]
    with pytest.raises(BundleError, match="its answers are no numbers; copy it again"):
        ServedClassifier.of(bundle, answering)


def test_metrics_count_requests_pictures_and_batches(client, picture):
    client.post("/predict", content=picture())
    client.post("/predict", content=b"text")
    client.get("/../etc/passwd")
    said = client.get("/metrics")
    assert said.headers["content-type"].startswith("text/plain; version=0.0.4")
    for line in (
        'eyespot_requests_total{path="/predict",status="200"} 1.0',
        'eyespot_requests_total{path="/predict",status="415"} 1.0',
        'eyespot_requests_total{path="other",status="404"} 1.0',
        'eyespot_pictures_total{outcome="answered"} 1.0',
        'eyespot_pictures_total{outcome="refused"} 1.0',
        "eyespot_batch_pictures_count 1.0",
        "eyespot_queue_pictures 0.0",
    ):
        assert line in said.text.splitlines()


def png(seed, side=32):
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def reading(served, monkeypatch):
    """The files that are decoded, in their order, once an event is set."""
    go_on, begun, read = threading.Event(), [], type(served).read

    def waited(self, data):
        begun.append(data)
        go_on.wait(30)
        return read(self, data)

    monkeypatch.setattr(type(served), "read", waited)
    return go_on, begun


async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)


def test_a_clients_picture_does_not_wait_for_all_of_anothers(served, reading):
    go_on, begun = reading
    batching, much, little = Batching(workers=1, places=100), [png(seed) for seed in range(40)], png(99)

    async def ask():
        first = asyncio.ensure_future(batching.answers(much, served, client="much"))
        await until(lambda: begun)
        second = asyncio.ensure_future(batching.answers([little], served, client="little"))
        await until(lambda: batching.taken == 41)
        go_on.set()
        return [*await first, *await second]

    assert len(rows(asyncio.run(ask()))) == 41
    assert begun.index(little) < 10
    assert [each for each in begun if each != little] == much
    batching.stop()


def test_large_pictures_leave_workers_for_others(served, reading, monkeypatch):
    go_on, begun = reading
    monkeypatch.setattr(batching_module, "LARGE", 0)
    monkeypatch.setattr(batching_module, "cost_of", lambda picture: 1 if len(picture) > 1000 else -1)
    batching, large, small = Batching(workers=2, places=100), [png(seed) for seed in range(6)], png(0, side=4)

    async def ask():
        first = asyncio.ensure_future(batching.answers(large, served, client="one"))
        await until(lambda: begun)
        second = asyncio.ensure_future(batching.answers([small], served, client="one"))
        await until(lambda: len(begun) == 2)
        assert begun == [large[0], small]
        go_on.set()
        return [*await first, *await second]

    assert len(rows(asyncio.run(ask()))) == 7
    batching.stop()


def test_where_all_places_are_one_clients_another_gets_some(served, reading):
    go_on, begun = reading
    batching = Batching(workers=1, places=10)

    async def ask():
        hog = [asyncio.ensure_future(batching.answers([png(seed)] * 5, served, client="much")) for seed in range(2)]
        await until(lambda: begun)
        assert (batching.has_room("much"), batching.has_room("little")) == (False, True)
        with pytest.raises(Busy):
            await batching.answers([png(7)], served, client="much")
        little = asyncio.ensure_future(batching.answers([png(8)], served, client="little"))
        await until(lambda: batching.taken == 6)
        go_on.set()
        with pytest.raises(Busy):
            await hog[1]
        return [*await hog[0], *await little]

    assert len(rows(asyncio.run(ask()))) == 6
    assert batching.taken == 0
    batching.stop()


def test_a_request_whose_time_is_over_is_told_so_and_the_rest_of_it_is_forgotten(client, service, picture, monkeypatch):
    go_on, begun, read = threading.Event(), [], type(service.served).read
    monkeypatch.setattr(service, "_deadline", 0.05)
    monkeypatch.setattr(
        type(service.served), "read", lambda self, data: begun.append(data) or (go_on.wait(30) and read(self, data))
    )
    late = client.post("/predict", files=[("a", ("a.png", picture(seed=seed))) for seed in range(20)])
    assert (late.status_code, late.headers["retry-after"]) == (503, "1")
    assert late.json()["error"].startswith("there was no answer within 0.05 s, and what was not begun is dropped")
    assert service.batching.taken == len(begun) <= machine.cores() + MORE_WORKERS
    go_on.set()
    monkeypatch.undo()
    assert client.post("/predict", content=picture()).status_code == 200


def test_a_request_of_too_many_pixels_is_refused_before_anything_is_decoded(client, service, monkeypatch):
    def never(self, data):
        raise AssertionError

    monkeypatch.setattr(type(service.served), "read", never)
    file = io.BytesIO()
    Image.new("1", (7000, 7000)).save(file, "PNG")
    refused = client.post("/predict", files=[("a", ("a.png", file.getvalue()))] * 6)
    assert refused.status_code == 413
    assert "294 megapixels together, more than the 200" in refused.json()["error"]
