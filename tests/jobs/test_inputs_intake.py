"""File and FastFile: the right objects under the right names, nothing else, and failures that name what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.jobs.inputs import files
from emulator.jobs.inputs.channel import Channel, Source
from emulator.jobs.inputs.intake import Delivery, Place, Turn, deliver, mounts_of
from emulator.jobs.recipes.recipe import JobBroken
from emulator.ports import Mount
from tests.jobs.stored import Bucket, bucket

ALONE = Turn(0, 1)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Bucket]:
    with bucket("folder", tmp_path) as found:
        yield found


def place(tmp_path: Path, host: str = "algo-1") -> Place:
    return Place(tmp_path / "run" / host / "train", "/opt/ml/input/data/train")


def channel(location: str, kind: str = "prefix", mode: str = "File", sharded: bool = False) -> Channel:
    return Channel("train", Source(location, kind), mode, sharded=sharded)


def given(stored: Bucket, wanted: Channel, at: Place, turn: Turn = ALONE) -> Delivery:
    return deliver(stored.storage, wanted, at, turn, lambda: False)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("mode", ["File", "FastFile"])
def test_a_prefix_is_a_folder(stored: Bucket, tmp_path: Path, mode: str) -> None:
    for key in ("in/", "in/a.csv", "in/d/b.csv", "in/d/", "other/c.csv"):
        stored.put(key, key.encode())
    stored.put("in/large", bytes(9 << 20))
    at = place(tmp_path)
    delivery = given(stored, channel("s3://data/in", mode=mode), at)
    assert tree(at.outside) == {"a.csv": b"in/a.csv", "d/b.csv": b"in/d/b.csv", "large": bytes(9 << 20)}
    assert (delivery.objects, delivery.bytes, delivery.feeder) == (3, 18 + (9 << 20), None)
    fast = (Mount(at.outside, at.inside, read_only=True),)
    assert delivery.mounts == mounts_of(channel("s3://data/in", mode=mode), at) == (fast if mode == "FastFile" else ())


def test_only_files_are_the_programs_own(own: Bucket, tmp_path: Path) -> None:
    own.put("in/a", b"first")
    copied, linked = place(tmp_path, "algo-1"), place(tmp_path, "algo-2")
    given(own, channel("s3://data/in/"), copied)
    given(own, channel("s3://data/in/", mode="FastFile"), linked)
    assert (copied.outside / "a").stat().st_nlink == 1
    assert (linked.outside / "a").stat().st_nlink == 2, "no bytes were copied"


@pytest.mark.parametrize("mode", ["File", "FastFile"])
def test_a_manifest_lists_what_there_is(stored: Bucket, tmp_path: Path, mode: str) -> None:
    for key in ("x/one", "x/two/2", "x/three"):
        stored.put(key, key.encode())
    listed = [{"prefix": "s3://data/x/"}, "three", "two/2"]
    stored.put("m.json", json.dumps(listed).encode())
    at = place(tmp_path)
    delivery = given(stored, channel("s3://data/m.json", "manifest", mode), at)
    assert tree(at.outside) == {"three": b"x/three", "two/2": b"x/two/2"}
    assert (delivery.objects, delivery.bytes) == (2, 14)


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ([{"prefix": "s3://data/x/"}, "there", "gone", "there"], "no such object s3://data/x/gone"),
        ([{"prefix": "s3://data/x/"}, "there", "there"], "another object of the channel has that name"),
        ([{"prefix": "s3://data/x/"}, "../x/there"], "not usable as a file name"),
        ([{"prefix": "s3://data/x/"}, 7], "not a string: 7"),
        ([{"prefix": "s3://data/x/"}], 'No S3 objects found under S3 URL "s3://data/m.json" of channel "train"'),
        (["there"], 'is no JSON array that begins with {"prefix"'),
        ({"prefix": "s3://data/x/"}, 'is no JSON array that begins with {"prefix"'),
    ],
)
def test_a_bad_manifest_fails_and_says_why(stored: Bucket, tmp_path: Path, manifest: object, words: str) -> None:
    stored.put("x/there", b"1")
    stored.put("m.json", json.dumps(manifest).encode())
    with pytest.raises(JobBroken) as broken:
        given(stored, channel("s3://data/m.json", "manifest"), place(tmp_path))
    assert str(broken.value).startswith("ClientError: ") and words in str(broken.value)


@pytest.mark.parametrize("location", ["s3://data/none", "s3://nowhere/in", "s3://data/none.json"])
def test_nothing_there_fails(stored: Bucket, tmp_path: Path, location: str) -> None:
    kind = "manifest" if location.endswith("json") else "prefix"
    with pytest.raises(JobBroken, match=r"ClientError: Data download failed: .*(none|nowhere)"):
        given(stored, channel(location, kind), place(tmp_path))


@pytest.mark.parametrize("mode", ["File", "FastFile"])
@pytest.mark.parametrize("keys", [["d/a", "d/a/b"], ["d/x//y", "d/x/y"], ["d/./a", "d/a"]])
def test_names_that_collide_fail(stored: Bucket, tmp_path: Path, keys: list[str], mode: str) -> None:
    for key in keys:
        stored.put(key, b"1")
    with pytest.raises(JobBroken, match="has that name as a file or as a folder"):
        given(stored, channel("s3://data/d/", mode=mode), place(tmp_path))


def test_a_name_that_leaves_or_is_too_long_fails(own: Bucket, tmp_path: Path) -> None:
    own.put("d/../../x", b"1")
    with pytest.raises(JobBroken, match="not usable as a file name"):
        given(own, channel("s3://data/d/"), place(tmp_path))
    own.put("e/" + "x" * 300, b"1")
    with pytest.raises(JobBroken, match="too long for a file"):
        given(own, channel("s3://data/e/"), place(tmp_path, "algo-2"))


@pytest.mark.parametrize("kind", ["prefix", "manifest"])
def test_hosts_share_objects_in_key_order(stored: Bucket, tmp_path: Path, kind: str) -> None:
    names = [f"{number:02}" for number in range(5)]
    for name in names:
        stored.put(f"in/{name}", name.encode())
    stored.put("m.json", json.dumps([{"prefix": "s3://data/in/"}, *names]).encode())
    wanted = channel("s3://data/in/" if kind == "prefix" else "s3://data/m.json", kind, sharded=True)
    shares = []
    for index in range(7):
        at = place(tmp_path, f"algo-{index}")
        delivery = given(stored, wanted, at, Turn(index, 7 if index > 2 else 3))
        shares.append(sorted(tree(at.outside)))
        assert delivery.objects == len(shares[-1]) and delivery.bytes == 2 * len(shares[-1])
    assert shares == [["00", "03"], ["01", "04"], ["02"], ["03"], ["04"], [], []]
    alone = given(stored, channel("s3://data/in/"), place(tmp_path, "replica"), Turn(1, 3))
    assert alone.objects == 5, "replicated, every host has all"


def test_an_empty_share_of_nothing_fails_on_every_host(own: Bucket, tmp_path: Path) -> None:
    with pytest.raises(JobBroken, match="No S3 objects found"):
        given(own, channel("s3://data/none/", sharded=True), place(tmp_path), Turn(1, 2))


def test_a_halt_is_respected_between_objects(own: Bucket, tmp_path: Path) -> None:
    for number in range(200):
        own.put(f"in/{number:03}", b"1")
    at, asked = place(tmp_path), iter(range(10_000))
    delivery = deliver(own.storage, channel("s3://data/in/"), at, ALONE, lambda: next(asked) > 20)
    assert 0 < delivery.objects == len(tree(at.outside)) < 30
    assert deliver(own.storage, channel("s3://data/in/"), place(tmp_path, "x"), ALONE, lambda: True).objects == 0


def test_a_full_disk_is_not_the_jobs_fault(tmp_path: Path) -> None:
    with bucket("files", tmp_path) as stored:
        stored.put("in/a", b"1")
        stored.storage.full = True
        with pytest.raises(OSError, match="No space left"):
            given(stored, channel("s3://data/in/"), place(tmp_path))


def test_many_objects_need_few_batches_at_a_time(own: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(300):
        own.put(f"in/{number:03}", b"1" * number)
    monkeypatch.setattr(files, "BATCH_OBJECTS", 7)
    at = place(tmp_path)
    assert given(own, channel("s3://data/in/"), at).bytes == sum(range(300))
    assert tree(at.outside) == {f"{number:03}": b"1" * number for number in range(300)}
