"""Which names the server answers to, and whose pages may ask."""

import urllib.error
import urllib.request

import pytest

from api.guard import Guard
from emulator.errors import CallerFault
from tests.api.houses import opened

GUARD = Guard("127.0.0.1", 4577, ("box.example", "named.example:8000"))


@pytest.mark.parametrize(
    "host",
    [
        None,
        "127.0.0.1:4577",
        "localhost:4577",
        "LOCALHOST:4577",
        "localhost.:4577",
        "[::1]:4577",
        "127.0.0.2:4577",
        "bucket.localhost:4577",
        "bucket.localhost",
        "api.sagemaker.us-east-1.amazonaws.com",
        "b.s3.amazonaws.com:80",
        "box.example",
        "box.example:9",
        "named.example:8000",
    ],
)
def test_names_that_are_answered(host):
    GUARD.check({"host": host} if host else {})


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:4577",
        "localhost",
        "localhost:80",
        "127.0.0.1:4578",
        "127.0.0.1",
        "127.evil.example:4577",
        "localhost.evil.example:4577",
        "amazonaws.com.evil.example",
        "evilamazonaws.com",
        "notlocalhost:4577",
        "named.example",
        "10.0.0.1:4577",
        "127.0.0.1:4577x",
        "",
    ],
)
def test_names_that_are_refused(host):
    with pytest.raises(CallerFault, match="--allow-host") as raised:
        GUARD.check({"host": host})
    assert raised.value.code == "AccessDeniedException" and repr(host) in raised.value.message


@pytest.mark.parametrize(
    "origin",
    [
        "http://127.0.0.1:4577",
        "http://localhost:4577",
        "http://b.localhost:4577",
        "http://[::1]:4577",
        "https://box.example",
    ],
)
def test_our_own_pages_may_ask(origin):
    GUARD.check({"host": "localhost:4577", "origin": origin})


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://evil.example",
        "http://evil.example:4577",
        "http://localhost:3000",
        "http://localhost",
        "http://evil.s3.amazonaws.com",
        "file://localhost:4577",
        "chrome-extension://localhost:4577",
        "http://localhost:4577.evil.example",
        "http://user@evil.example:4577",
        "http://[:4577",
    ],
)
def test_other_pages_may_not(origin):
    with pytest.raises(CallerFault, match="web pages") as raised:
        GUARD.check({"host": "localhost:4577", "origin": origin})
    assert raised.value.code == "AccessDeniedException"


def asked_for(url: str, headers: dict[str, str]) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_a_picture_or_link_of_a_page_is_no_operation_of_a_service():
    """A browser asks for them without an Origin; it says that the page is another one's."""
    create = "/?Action=CreateUser&Version=2010-05-08&X-Amz-Credential=a/20260101/us-east-1/iam/aws4_request&UserName="
    with opened() as door:
        assert asked_for(door.url + create + "ours", {})[0] == 200
        for site in ("cross-site", "same-site"):
            status, told = asked_for(door.url + create + "theirs", {"Sec-Fetch-Site": site})
            assert status == 403 and b"AccessDenied" in told
        assert b"theirs" not in asked_for(door.url + create.replace("CreateUser", "ListUsers"), {})[1]
