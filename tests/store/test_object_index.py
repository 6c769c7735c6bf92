"""The index of S3's objects: listings in byte order, roll-up, versions, uploads, and which blobs become free."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator.store import DuplicateKey, open_store
from emulator.store.objects import Bucket, Listing, ObjectIndex, Part, Upload, Version


@pytest.fixture
def index() -> Iterator[ObjectIndex]:
    store = open_store()
    store.objects.create_bucket(Bucket("b", "111111111111", "eu-west-1", 1.0))
    yield store.objects
    store.close()


def put(index: ObjectIndex, key: str, blob: str = "", version: str = "null", marker: bool = False) -> list[str]:
    return index.put(Version("b", key, 3, "etag", 1.0, blob or f"blob-{key}", version, marker=marker))


def listed(index: ObjectIndex, **listing: object) -> list[str]:
    found = index.keys(Listing("b", **listing))  # type: ignore[arg-type]
    return [item if isinstance(item, str) else item.key for item in found]


def test_buckets_are_made_once_changed_and_emptied_before_they_go(index: ObjectIndex) -> None:
    with pytest.raises(DuplicateKey):
        index.create_bucket(Bucket("b", "2", "us-east-1", 2.0))
    index.update_bucket("b", {"policy": "p"}, "Enabled")
    assert index.bucket("b") == Bucket("b", "111111111111", "eu-west-1", 1.0, "Enabled", {"policy": "p"})
    assert [bucket.name for bucket in index.buckets("111111111111")] == ["b"]
    assert index.buckets("2") == []
    put(index, "k")
    assert not index.delete_bucket("b")
    index.delete("b", "k", "null")
    index.begin_upload(Upload("u", "b", "k", 1.0))
    index.put_part(Part("u", 1, 1, "e", 1.0, "p1"))
    assert index.delete_bucket("b")
    assert index.bucket("b") is None
    assert index.upload("u") is None
    assert index.blobs() == set()


def test_overwriting_frees_the_old_blob_unless_a_copy_shares_it(index: ObjectIndex) -> None:
    assert put(index, "k", "one") == []
    assert put(index, "copy", "one") == []
    assert put(index, "k", "two") == []
    assert put(index, "k", "three") == ["two"]
    assert index.delete("b", "copy", "null") == ["one"]
    assert index.delete("b", "copy", "null") == []
    assert index.blobs() == {"three"}


def test_keys_come_in_the_order_of_their_bytes(index: ObjectIndex) -> None:
    for key in ("z", "ä", "A", "a/1", "a", "a!", "\U0001f600", "\uffff"):
        put(index, key)
    expected = ["A", "a", "a!", "a/1", "z", "ä", "\uffff", "\U0001f600"]
    assert listed(index) == expected
    pages: list[str] = []
    while page := listed(index, after=pages[-1] if pages else "", limit=3):
        pages += page
    assert pages == expected


def test_a_delimiter_rolls_up_what_is_below_it(index: ObjectIndex) -> None:
    for folder in ("a", "b"):
        for number in range(50):
            put(index, f"x/{folder}/{number:03}")
    for key in ("x/", "x/top", "y"):
        put(index, key)
    assert listed(index, delimiter="/") == ["x/", "y"]
    assert listed(index, prefix="x/", delimiter="/") == ["x/", "x/a/", "x/b/", "x/top"]
    assert listed(index, prefix="x/", delimiter="/", limit=2) == ["x/", "x/a/"]
    assert listed(index, prefix="x/", delimiter="/", after="x/a/") == ["x/b/", "x/top"]
    assert listed(index, prefix="x/a/", delimiter="/", after="x/a/048") == ["x/a/049"]
    assert listed(index, prefix="none", delimiter="/") == []


def test_the_latest_version_is_listed_and_a_marker_hides_the_key(index: ObjectIndex) -> None:
    put(index, "k", "b1", "v1")
    put(index, "k", "b2", "v2")
    assert index.get("b", "k").version == "v2"  # type: ignore[union-attr]
    assert index.get("b", "k", "v1").latest is False  # type: ignore[union-attr]
    index.put(Version("b", "k", 0, "", 2.0, "", "v3", marker=True))
    assert listed(index) == []
    assert index.get("b", "k").marker  # type: ignore[union-attr]
    assert [v.version for v in index.versions("b", "", None, 10)] == ["v3", "v2", "v1"]
    assert [v.version for v in index.versions("b", "", ("k", "v3"), 1)] == ["v2"]
    assert index.delete("b", "k", "v3") == []
    assert listed(index) == ["k"]
    assert index.delete("b", "k", "v2") == ["b2"]
    assert index.get("b", "k").version == "v1"  # type: ignore[union-attr]
    assert index.get("b", "k").latest  # type: ignore[union-attr]


def test_facts_are_replaced_for_one_version(index: ObjectIndex) -> None:
    put(index, "k", "b1", "v1")
    assert index.replace_facts("b", "k", "v1", {"tags": {"a": "b"}})
    assert not index.replace_facts("b", "k", "v2", {})
    assert index.get("b", "k").facts == {"tags": {"a": "b"}}  # type: ignore[union-attr]


def test_an_upload_becomes_an_object_or_nothing(index: ObjectIndex) -> None:
    put(index, "k", "old")
    index.begin_upload(Upload("u1", "b", "k", 1.0, {"type": "text/csv"}))
    index.begin_upload(Upload("u2", "b", "other", 2.0))
    assert index.put_part(Part("u1", 2, 1, "e", 1.0, "p2")) == []
    assert index.put_part(Part("u1", 1, 1, "e", 1.0, "p1")) == []
    assert index.put_part(Part("u1", 1, 1, "e", 1.0, "p1b")) == ["p1"]
    assert [part.blob for part in index.parts("u1")] == ["p1b", "p2"]
    assert [upload.upload for upload in index.uploads("b")] == ["u1", "u2"]
    assert [upload.upload for upload in index.uploads("b", "ot")] == ["u2"]
    assert index.blobs() == {"old", "p1b", "p2"}
    assert sorted(index.finish_upload("u1", Version("b", "k", 2, "e", 1.0, "p2"))) == ["old", "p1b"]
    assert index.finish_upload("u2", None) == []
    assert index.uploads("b") == []
    assert index.blobs() == {"p2"}
