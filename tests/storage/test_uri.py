"""Spellings of an object's place."""

from __future__ import annotations

import pytest

from emulator.storage import uri


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("s3://b/k", ("b", "k")),
        ("s3://b", ("b", "")),
        ("s3://b/a/b//c%20 d#e?f", ("b", "a/b//c%20 d#e?f")),
        ("https://b.s3.eu-west-1.amazonaws.com/a%20b/c", ("b", "a b/c")),
        ("https://s3-us-west-2.amazonaws.com/b/k", ("b", "k")),
        ("https://s3.amazonaws.com/b/k/l", ("b", "k/l")),
        ("https://a.b.s3.amazonaws.com/k", ("a.b", "k")),
    ],
)
def test_parse(text: str, place: tuple[str, str]) -> None:
    assert uri.parse(text) == place


@pytest.mark.parametrize("text", ["", "b/k", "s3:///k", "file:///etc/passwd", "https://example.com/b/k"])
def test_what_is_no_location_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"S3|bucket"):
        uri.parse(text)


def test_join_and_build() -> None:
    assert uri.join("s3://b/out/", "job", "/output/model.tar.gz") == "s3://b/out/job/output/model.tar.gz"
    assert uri.build("b", "k") == "s3://b/k"
