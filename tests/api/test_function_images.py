"""Function images in the extension API: added, shown without their secret, taken back, forgotten by a reset."""

from __future__ import annotations

import json
import socket

import pytest

from tests.api.described import Extension
from tests.api.houses import opened

PATH = "/_sagelet/functions"


@pytest.fixture(scope="module")
def door():
    with opened() as door:
        yield door


@pytest.fixture
def ask(door):
    extension = Extension(door.url)
    extension.well("POST", "/_sagelet/reset")
    return extension


@pytest.fixture
def port():
    """Where somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def given(port, **more):
    return {"image": "my-image", "port": port, "token": "secret", "train": True, **more}


def test_they_are_added_shown_and_forgotten(ask, port):
    kept = ask.well("POST", PATH, given(port, pid=7))
    assert (kept["image"], kept["train"], kept["serve"], kept["pid"]) == ("my-image", True, False, 7)
    assert "token" not in kept
    assert ask.well("GET", PATH)["functions"] == [kept]
    assert ask.well("DELETE", f"{PATH}/{kept['id']}") == kept
    assert ask.well("GET", PATH)["functions"] == []
    status, content = ask.ask("DELETE", f"{PATH}/{kept['id']}")
    assert status == 400 and "there are: none" in json.loads(content)["message"]


def test_a_reset_forgets_those_of_the_account(ask, port):
    mine = ask.well("POST", PATH, given(port, account="111111111111"))
    everybodys = ask.well("POST", PATH, given(port))
    ask.well("POST", "/_sagelet/reset", {"account": "222222222222"})
    assert ask.well("GET", PATH)["functions"] == [mine, everybodys]
    ask.well("POST", "/_sagelet/reset", {"account": "111111111111"})
    assert ask.well("GET", PATH)["functions"] == [everybodys]
    ask.well("POST", "/_sagelet/reset")
    assert ask.well("GET", PATH)["functions"] == []


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}])
def test_a_web_page_adds_none(ask, port, headers):
    body, json_too = json.dumps(given(port)).encode(), {"Content-Type": "application/json", **headers}
    status, content = ask.ask("POST", PATH, body, json_too)
    assert status == 403 and json.loads(content)["__type"] == "AccessDeniedException"
    assert ask.well("GET", PATH)["functions"] == []


def test_a_member_that_is_not_known_is_named(ask, port):
    body = json.dumps(given(port, host="10.0.0.1")).encode()
    status, content = ask.ask("POST", PATH, body, {"Content-Type": "application/json"})
    assert status == 400 and "'host' is unknown here. Known are: image, port" in json.loads(content)["message"]
