"""A run's own pictures in the studio: found by their content, its mistakes as it wrote them, what excites a map."""

from __future__ import annotations

import csv
import io
import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from eyespot.data.read_as import AS_IT_IS
from eyespot.data.sources import open_data_set
from eyespot.errors import RequestError
from eyespot.evaluate.metrics import part_metrics
from eyespot.runs.pictures import draw_of_each_class
from eyespot.studio.app import make_app
from eyespot.studio.desk import MOST_PICTURES, Desk
from eyespot.studio.errors_endpoints import FEW_CLASSES, MOST_SHOWN, PAGE
from eyespot.studio.own_pictures import OwnPictures
from eyespot.studio.subject import Subject, opened

Row = dict[str, str]


@pytest.fixture(scope="module")
def run(digits_run) -> Path:
    """What two epochs made of the embedded digits: it makes mistakes."""
    return Path(digits_run.run)


@pytest.fixture(scope="module")
def desk(run) -> Desk:
    return Desk(opened(run))


@pytest.fixture(scope="module")
def client(desk) -> Iterator[TestClient]:
    with TestClient(make_app(desk), base_url="http://127.0.0.1") as client:
        found(client)
        yield client


@pytest.fixture(scope="module")
def rows(run) -> list[Row]:
    """Its predictions.csv."""
    with (run / "predictions.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def found(client: TestClient) -> dict[str, Any]:
    return waited(lambda: ask(client, "own"), until=lambda said: said["state"] != "looking")


def waited(asked: Callable[[], Any], *, until: Callable[[Any], bool]) -> Any:
    for _ in range(1200):
        said = asked()
        if until(said):
            return said
        time.sleep(0.05)
    pytest.fail("it does not come to an end")


def ask(client: TestClient, address: str) -> Any:
    answer = client.get(f"/studio/{address}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def copied(run: Path, folder: Path, data: str) -> Subject:
    """The run in another place, as if it had been made on other data."""
    shutil.copytree(run, folder / "train" / "copy")
    args = folder / "train" / "copy" / "args.json"
    args.write_text(json.dumps(json.loads(args.read_text("utf-8")) | {"data": data}), "utf-8")
    return opened(folder / "train" / "copy")


def served(subject: Subject) -> TestClient:
    return TestClient(make_app(Desk(subject)), base_url="http://127.0.0.1")


def test_the_runs_pictures_are_found_by_part(client, rows):
    own = found(client)
    assert (own["state"], own["why"], own["answered"]) == ("found", None, ["test", "val"])
    counts = {each["part"]: each["count"] for each in own["parts"]}
    assert counts == {**Counter(row["part"] for row in rows), "train": 1797 - len(rows)}
    assert own["first"] == min((row["picture"], row["content_hash"]) for row in rows if row["part"] == "test")[1]


def test_a_picture_of_the_run_is_known_after_a_restart_and_answered_as_it_was(run, rows):
    with TestClient(make_app(Desk(opened(run))), base_url="http://127.0.0.1") as client:
        names = ask(client, "network")["classes"]
        for row in rows[:3]:
            address = f"/studio/answer?picture={row['content_hash']}"
            said = waited(lambda address=address: client.get(address), until=lambda answer: answer.status_code != 503)
            chances = said.json()["probabilities"]
            assert names[int(np.argmax(chances))] == row["answer"]
            assert max(chances) == pytest.approx(float(row["probability"]), abs=1e-3)


@pytest.mark.parametrize("part", ["test", "val"])
def test_the_confusion_matrix_is_that_of_the_report(client, run, part):
    said, manifest = ask(client, f"confusion?part={part}"), opened(run).bundle.manifest
    metrics = manifest.test if part == "test" else manifest.validation
    assert said["accuracy"] == metrics.overall.model_dump()
    assert said["matrix"] == [list(row) for row in metrics.confusion]
    assert said["support"] == [sum(row) for row in said["matrix"]]


def test_a_cell_has_the_pictures_that_it_counts_the_surest_first(client, rows):
    said = ask(client, "confusion?part=test")
    truth, answer, count = said["most"][0]
    names = ask(client, "network")["classes"]
    cell = ask(client, f"mistakes?part=test&truth={truth}&answer={answer}")
    expected = [
        row for row in rows if (row["part"], row["class"], row["answer"]) == ("test", names[truth], names[answer])
    ]
    assert len(expected) == count == cell["of"] == len(cell["pictures"]) + cell["more"]
    assert {each["picture"] for each in cell["pictures"]} <= {row["content_hash"] for row in expected}
    chances = [each["probability"] for each in cell["pictures"]]
    assert chances == sorted((float(row["probability"]) for row in expected), reverse=True)[: len(chances)]


def test_all_mistakes_and_no_more_than_can_be_looked_at(client, rows):
    said = ask(client, "mistakes?part=test")
    wrong = [row for row in rows if row["part"] == "test" and row["right"] == "0"]
    assert len(said["pictures"]) == min(len(wrong), MOST_SHOWN)
    assert said["more"] == len(wrong) - len(said["pictures"])
    assert all(each["truth"] != each["answer"] for each in said["pictures"])


def test_pictures_come_page_by_page_mistakes_first(client):
    pages = [ask(client, f"own_pictures?part=val&first={first}") for first in range(0, 300, PAGE)]
    all_of_them = [each for page in pages for each in page["pictures"]]
    assert len({each["picture"] for each in all_of_them}) == len(all_of_them) == pages[0]["of"]
    right = [each["truth"] == each["answer"] for each in all_of_them]
    assert right == sorted(right)
    assert ask(client, "own_pictures?part=train")["pictures"][0]["answer"] is None


def test_a_thumbnail_is_small_and_takes_nobodys_place_on_the_desk(client, desk, rows):
    own = desk.lay(np.full((32, 32, 1), 7, np.uint8))
    for row in rows[: MOST_PICTURES + 4]:
        content = client.get(f"/studio/thumbnail?picture={row['content_hash']}").content
    assert max(Image.open(io.BytesIO(content)).size) <= 96
    assert desk.image(own).max() == 7


@pytest.mark.parametrize(("layer", "map_index"), [("stage2.conv", 7), ("stage1.act", 2), ("head.fc", 3)])
def test_what_excites_a_map_most_is_what_walking_through_each_picture_finds(client, desk, layer, map_index):
    address = f"exciting?layer={layer}&map={map_index}"
    said = waited(lambda: ask(client, address), until=lambda said: said["state"] == "found")
    assert (said["looked"] <= 300, said["of"], len(said["pictures"])) == (True, 538, 9)
    held_out = [each for part in ("val", "test") for each in desk.own.found.of_part[part]]
    drawn = [each.content for each in draw_of_each_class(held_out, most=300, seed=0)]
    assert len(drawn) == said["looked"]
    maps = {each: desk.walk(each).steps[layer].output[map_index].numpy() for each in drawn}
    largest = sorted((float(each.max()) for each in maps.values()), reverse=True)
    assert [each["value"] for each in said["pictures"]] == pytest.approx(largest[:9], rel=1e-4)
    for each in said["pictures"]:
        own = maps[each["picture"]]
        assert float(own[tuple(each["place"])] if own.ndim else own) == pytest.approx(each["value"], rel=1e-4)


def test_the_same_pictures_are_looked_at_again(run, client):
    address = "exciting?layer=stage2.conv&map=0"
    before = waited(lambda: ask(client, address), until=lambda said: said["state"] == "found")
    with TestClient(make_app(Desk(opened(run))), base_url="http://127.0.0.1") as other:
        found(other)
        after = waited(lambda: ask(other, address), until=lambda said: said["state"] == "found")
    assert [each["picture"] for each in after["pictures"]] == [each["picture"] for each in before["pictures"]]


def test_a_bundle_alone_has_a_matrix_and_no_pictures(run, tmp_path):
    shutil.copytree(run / "bundle", tmp_path / "alone")
    with served(opened(tmp_path / "alone")) as client:
        own = found(client)
        assert (own["state"], own["why"], own["first"]) == ("missing", "bundle", None)
        assert own["answered"] == ["test", "val"]
        assert sum(map(sum, ask(client, "confusion?part=test")["matrix"])) == 269
        assert ask(client, "mistakes?part=test") | {"of": 0} == {"pictures": [], "more": 0, "of": 0}
        assert ask(client, "mistakes?part=test")["of"] > 0
        assert "open the whole folder" in client.get("/studio/exciting?layer=head.fc&map=0").json()["error"]


def test_pictures_that_were_moved_away_are_told_and_their_names_stay(run, tmp_path):
    with served(copied(run, tmp_path, str(tmp_path / "gone"))) as client:
        own = found(client)
        assert (own["state"], own["why"]) == ("missing", "moved")
        assert "gone" in own["said"]
        [first, *_] = ask(client, "mistakes?part=test")["pictures"]
        assert first["picture"] is None
        assert first["name"].endswith(".png")
        assert client.get(f"/studio/thumbnail?picture={'0' * 32}").status_code == 404


def test_pictures_that_are_gone_or_changed_are_told(run, rows, tmp_path):
    data = {each.name: each.read() for each in open_data_set("digits", AS_IT_IS).pictures}
    tested = [row for row in rows if row["part"] == "test"]
    for name, content in data.items():
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "data" / tested[0]["picture"]).unlink()
    with served(copied(run, tmp_path, str(tmp_path / "data"))) as client:
        [counts] = [each for each in found(client)["parts"] if each["part"] == "test"]
        assert (counts["count"], counts["missing"]) == (268, 1)
        assert client.get(f"/studio/image?picture={tested[0]['content_hash']}").status_code == 404
        (tmp_path / "data" / tested[1]["picture"]).write_bytes(data[tested[2]["picture"]])
        assert "was changed" in client.get(f"/studio/answer?picture={tested[1]['content_hash']}").json()["error"]
        (tmp_path / "data" / tested[1]["picture"]).unlink()
        assert "not there any more" in client.get(f"/studio/answer?picture={tested[1]['content_hash']}").json()["error"]


def test_what_an_audit_found_stands_by_the_picture(run, rows, tmp_path):
    wrong = next(row for row in rows if row["part"] == "test" and row["right"] == "0")
    audit = tmp_path / "audit" / "digits"
    audit.mkdir(parents=True)
    cells = f"{wrong['content_hash']},{wrong['picture']},{wrong['class']},label doubtful,{wrong['answer']},"
    (audit / "exclude.csv").write_text(f"content_hash,picture,class,why,likelier_class,do\n{cells}\n", "utf-8")
    (tmp_path / "audit" / "broken").mkdir()
    (tmp_path / "audit" / "broken" / "exclude.csv").write_bytes(b"\xff\xfe no list")
    with served(copied(run, tmp_path, "digits")) as client:
        found(client)
        [said] = [each for each in ask(client, "mistakes?part=test")["pictures"] if each["why"]]
        assert (said["name"], said["likelier"]) == (wrong["picture"], wrong["answer"])


def test_of_many_classes_those_that_are_mixed_up_are_shown(run):
    names, subject = tuple(f"class {number:02}" for number in range(FEW_CLASSES + 10)), opened(run)
    labels = np.arange(len(names)).repeat(4)
    answers = labels.copy()
    answers[[9, 10, 21]] = 7, 7, 29
    assert subject.bundle is not None
    test = part_metrics(labels, np.eye(len(names))[answers], names)
    manifest = subject.bundle.manifest.model_copy(update={"classes": names, "test": test})
    many = replace(subject, classes=names, bundle=replace(subject.bundle, manifest=manifest))
    with served(many) as client:
        said = ask(client, "confusion?part=test")
    assert said["shown"] == [2, 5, 7, 29]
    assert said["matrix"] == [[2, 0, 2, 0], [0, 3, 0, 1], [0, 0, 4, 0], [0, 0, 0, 4]]
    assert (said["support"], said["mixed_up"], said["most"]) == ([4, 4, 4, 4], 4, [[2, 7, 2], [5, 29, 1]])


def test_a_network_that_is_no_run_has_no_pictures():
    own = OwnPictures(None)
    waited(lambda: own.state, until=lambda state: state != "looking")
    assert (own.why, own.first, own.answers) == ("catalogue", None, [])
    with pytest.raises(RequestError, match="open a run"):
        own.image("0" * 32)


def test_the_search_ends_with_the_studio(run):
    own = OwnPictures(opened(run).bundle)
    own.begin()
    own.stop()
    assert own.state in {"looking", "found"}


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("own_pictures", 400, "the parameter part is missing"),
        ("own_pictures?part=all", 400, "part must be one of test, val, train"),
        ("own_pictures?part=test&first=-1", 400, "first must be a number from 0"),
        ("own_pictures?part=test&path=/etc", 400, "there is no parameter 'path'"),
        ("confusion?part=train", 404, "no answers to pictures of the part train"),
        ("mistakes?part=test&truth=10&answer=0", 400, "truth must be a number from 0 to 9"),
        ("mistakes?part=test&truth=1", 400, "both a truth and an answer"),
        ("thumbnail?picture=../../etc/passwd", 404, "not on the desk any more"),
        ("thumbnail?picture=" + "0" * 32, 404, "not where the run's pictures are"),
        ("exciting?layer=stage9&map=0", 404, "no layer 'stage9'"),
        ("exciting?layer=stage2.conv&map=16", 400, "map must be a number from 0 to 15"),
    ],
)
def test_what_cannot_be_asked_is_told_in_a_sentence(client, address, status, words):
    answer = client.get(f"/studio/{address}")
    assert answer.status_code == status
    assert words in answer.json()["error"]
    assert "\n" not in answer.json()["error"]
