"""The extension API: described as it is, and closed to what a web page can send."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path

import botocore
import pytest
from openapi_spec_validator import validate

from api.pages import create_app
from emulator.house import House
from tests.api.described import FILE, Extension, description, routes
from tests.api.houses import opened

FLASK_TO_OPENAPI = str.maketrans("<>", "{}")


@pytest.fixture(scope="module")
def door():
    with opened() as door:
        yield door


@pytest.fixture
def ask(door):
    return Extension(door.url)


def test_the_description_is_a_valid_one():
    validate(json.loads(FILE.read_text()))


def test_every_route_is_described_and_every_description_is_a_route(door):
    app = create_app(door)
    found = set()
    for rule in app.url_map.iter_rules():
        path = rule.rule.translate(FLASK_TO_OPENAPI).replace("path:", "")
        found |= {(method, path) for method in rule.methods - {"HEAD", "OPTIONS"}}
    assert found == {(method, path) for method, path, _ in routes()}


def test_only_reading_is_done_by_get():
    names = {name: method for path in description()["paths"].values() for method, name in _named(path)}
    reading = {"health", "version", "status", "logs", "description", "requests", "clock", "faults", "saveSnapshot"}
    reading |= {"functionImages"}
    assert {name for name, method in names.items() if method == "get"} == reading


def _named(path):
    return [(method, operation["operationId"]) for method, operation in path.items()]


def test_the_server_serves_its_description(ask):
    assert ask.well("GET", "/_sagelet/openapi.json") == description()


def test_versions(ask):
    found = ask.well("GET", "/_sagelet/version")
    assert found["sagelet"] == metadata.version("sagelet")
    assert (found["botocore"], found["schema"]) == (botocore.__version__, 1)


def test_health_status_and_logs_are_as_described(ask):
    assert ask.well("GET", "/_sagelet/health") == {"status": "ok"}
    assert ask.well("GET", "/_sagelet/status")["executor"] == "stub"
    assert ask.well("GET", "/_sagelet/logs?job=nobody")["unknown"] is True


def test_the_decorators_of_moto_empty_the_house(door, ask):
    (Path(door.house.data_dir) / "logs").mkdir(exist_ok=True)
    assert ask.well("POST", "/moto-api/reset") == {"status": "ok"}
    assert not (Path(door.house.data_dir) / "logs").exists()


@pytest.mark.parametrize(("method", "path"), [("GET", "/moto-api/reset"), ("POST", "/moto-api/seed")])
def test_no_other_path_of_moto_is_taken_from_s3(ask, method, path):
    status, content = ask.ask(method, path)
    assert status in (403, 404, 405) and b"<Error>" in content


@pytest.mark.parametrize("path", ["/_sagelet/reset", "/moto-api/reset"])
@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}])
def test_a_web_page_empties_nothing(ask, path, headers):
    status, content = ask.ask("POST", path, b"", headers)
    assert status == 403 and json.loads(content)["__type"] == "AccessDeniedException"


def test_a_house_for_tests_has_what_the_door_needs():
    house = House.for_tests()
    try:
        assert house.schema == 1
    finally:
        house.close()
