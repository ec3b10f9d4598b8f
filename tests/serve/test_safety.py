"""Who may ask: names of this computer, pages of this server, and those who know the token."""

import socket
import sys

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from eyespot.cli.main import main
from eyespot.errors import MachineError, MissingExtra, OptionError
from eyespot.serve import run
from eyespot.serve.app import make_app
from eyespot.serve.run import listening, serve
from eyespot.serve.safety import require_token

TOKEN = "a-token-that-is-long-enough"
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def guarded(service):
    with TestClient(make_app(service, token=TOKEN), base_url="http://models.example") as client:
        yield client


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:8000", "127.8.9.1", "[::1]:8000", "[::1]"])
def test_names_of_this_computer_are_answered_to(client, host):
    assert client.get("/model", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1"),
        *("0.0.0.0", "", "[::2]", "127.0.0.1@evil.example", "2130706433"),
    ],
)
@pytest.mark.parametrize("path", ["/", "/model", "/healthz", "/page/index.html"])
def test_another_name_is_refused_so_that_no_rebound_name_leads_here(client, host, path):
    refused = client.get(path, headers={"host": host})
    assert refused.status_code == 403
    assert "is no name of this computer" in refused.json()["error"]


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "http://localhost:9000",
        "http://localhost",
        "",
        *(
            "https://localhost:8000",
            "ftp://localhost:8000",
            "localhost:8000",
            "http://localhost:8000/",
            "//localhost:8000",
        ),
    ],
)
def test_another_sites_page_is_refused(client, picture, origin):
    refused = client.post("/predict", content=picture(), headers={"origin": origin})
    assert refused.status_code == 403
    assert "another site's page" in refused.json()["error"]


def test_the_own_page_and_programs_without_origin_may_ask(client, picture):
    assert client.post("/predict", content=picture(), headers={"origin": "http://localhost:8000"}).status_code == 200
    assert client.post("/predict", content=picture()).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": TOKEN},
        {"authorization": "Bearer "},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": "Bearer \xff"},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/model"), ("POST", "/predict"), ("GET", "/metrics"), ("GET", "/v2")]
)
def test_without_the_token_nothing_is_said(guarded, headers, method, path):
    refused = guarded.request(method, path, headers={key: value.encode("latin-1") for key, value in headers.items()})
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert "Authorization: Bearer TOKEN" in refused.json()["error"]


def test_with_the_token_any_name_may_be_used(guarded, picture):
    assert guarded.get("/model", headers=BEARER).status_code == 200
    assert guarded.post("/predict", content=picture(), headers=BEARER).status_code == 200


def test_with_a_token_another_sites_page_is_refused_all_the_same(guarded):
    refused = guarded.get("/model", headers={**BEARER, "origin": "https://evil.example"})
    assert refused.status_code == 403
    assert guarded.get("/model", headers={**BEARER, "origin": "https://models.example"}).status_code == 200


def test_a_page_that_came_over_http_may_not_ask_a_server_of_https(service):
    with TestClient(make_app(service, token=TOKEN), base_url="https://models.example") as client:
        assert client.get("/model", headers={**BEARER, "origin": "http://models.example"}).status_code == 403
        assert client.get("/model", headers={**BEARER, "origin": "https://models.example"}).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site", "Cross-Site", "", "other"])
def test_what_a_browser_sends_for_another_site_is_refused(client, guarded, picture, site):
    headers = {"sec-fetch-site": site}
    for path in ("/", "/model", "/healthz", "/page/main.js"):
        assert client.get(path, headers=headers).status_code == 403
    refused = client.post("/predict", content=picture(), headers={**headers, "sec-fetch-mode": "navigate"})
    assert refused.status_code == 403
    assert "another site's page" in refused.json()["error"]
    assert guarded.get("/model", headers={**BEARER, **headers}).status_code == 403


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_what_a_browser_sends_for_the_own_page_or_a_person_is_answered(client, picture, site):
    assert client.post("/predict", content=picture(), headers={"sec-fetch-site": site}).status_code == 200


def test_a_link_on_another_site_leads_to_the_page_and_nowhere_else(client):
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert client.get("/", headers=headers).status_code == 200
    assert client.get("/model", headers=headers).status_code == 403
    assert client.get("/", headers={**headers, "sec-fetch-dest": "iframe"}).status_code == 403


@pytest.mark.parametrize("path", ["/healthz", "/v2/health/live", "/v2/health/ready"])
def test_health_needs_no_token(guarded, path):
    assert guarded.get(path).status_code == 200


def test_health_says_no_more_than_that_without_the_token(guarded, client, service):
    assert guarded.get("/healthz").json() == {"status": "ok"}
    assert guarded.get("/healthz", headers={"authorization": "Bearer wrong"}).json() == {"status": "ok"}
    named = {"status": "ok", "model": service.name, "fingerprint": service.served.fingerprint}
    assert guarded.get("/healthz", headers=BEARER).json() == named
    assert client.get("/healthz").json() == named


ANYWHERE = ("/model", "/nothing", "/predict", "/v2/models/other", "/v2/models/bundle/infer", "/model/", "/%2e%2e/x")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"])
def test_without_the_token_every_address_is_answered_alike(guarded, method):
    """So that nobody learns which there are, or the model's name."""
    answers = [guarded.request(method, path) for path in ANYWHERE]
    assert {each.status_code for each in answers} == {401}
    assert len({each.content for each in answers}) == 1


@pytest.mark.parametrize("path", ["/healthz/", "/model/", "/predict/", "/page/", "/v2/", "/v2/health/live/"])
def test_nobody_is_sent_to_another_address(client, path):
    """Where to would be made of the Host, which the client wrote."""
    answer = client.get(path, follow_redirects=False)
    assert answer.status_code == 404
    assert "location" not in answer.headers


def test_an_address_that_others_reach_needs_a_token():
    with pytest.raises(OptionError, match=r"on the address 0\.0\.0\.0 others can reach the server: give a token"):
        require_token(None, ["127.0.0.1", "0.0.0.0"])
    require_token(TOKEN, ["0.0.0.0", "fe80::1%eth0"])
    require_token(None, ["127.0.0.1", "::1"])


@pytest.mark.parametrize("token", ["", "short", "long enough but näh", "x" * 15, "with a\nline break in it"])
def test_a_token_that_can_be_guessed_or_cannot_be_sent_is_refused(token):
    with pytest.raises(OptionError, match="at least 16 characters"):
        require_token(token, ["127.0.0.1"])


@pytest.mark.enable_socket
def test_a_host_that_is_not_here_is_refused():
    with pytest.raises(OptionError, match=r"host cannot be '203\.0\.113\.7'"):
        listening("203.0.113.7", 0, token=TOKEN)


@pytest.mark.enable_socket
def test_a_port_in_use_is_one_sentence():
    [taken] = listening("127.0.0.1", 0, token=None)
    taken.listen()
    port = taken.getsockname()[1]
    with taken, pytest.raises(MachineError, match=f"port {port} of 127.0.0.1 is in use: stop what listens there"):
        listening("127.0.0.1", port, token=None)


@pytest.mark.enable_socket
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the second is refused at once")
def test_a_port_that_another_server_takes_meanwhile_is_one_sentence(bundle, shared_cache, monkeypatch, capfd):
    def taken_meanwhile(*arguments, **options):
        sockets = listening(*arguments, **options)
        others.append(run._bound(socket.AF_INET, sockets[0].getsockname()))
        others[0].listen()
        return sockets

    others = []
    monkeypatch.setattr(run, "listening", taken_meanwhile)
    with pytest.raises(MachineError, match=r"port \d+ of 127.0.0.1 is in use"):
        serve(bundle, port=0, say=lambda words: None)
    others[0].close()
    assert capfd.readouterr().err == ""


def test_without_the_extra_its_install_command_is_said(monkeypatch, bundle):

    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(MissingExtra, match=r"pip install 'eyespot\[serve\]'"):
        serve(bundle)


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["nowhere"], "there is no model at nowhere"),
        (["nowhere", "--host", "0.0.0.0"], "give a token with --token"),
        (["nowhere", "--port", "70000"], "the option port must lie between 0 and 65535"),
    ],
)
def test_the_command_says_what_is_wrong_in_a_sentence(given, words):
    done = CliRunner().invoke(main, ["serve", *given, *([] if "--port" in given else ["--port", "0"])])
    assert done.exit_code == (1 if given == ["nowhere"] else 2)
    assert words in done.stderr
    assert done.stderr.startswith("eyespot: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("options", [{"queue": 0}, {"port": -1}, {"port": 70_000}])
def test_options_that_cannot_be_are_refused(bundle, options):
    with pytest.raises(OptionError, match=f"the option {next(iter(options))} must"):
        serve(bundle, **options)
