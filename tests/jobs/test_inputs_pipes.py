"""Pipe mode: what flows through the FIFOs to real reader processes, epoch by epoch, and how a feeder ends."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from algorithms.common import recordio
from emulator.jobs.inputs import stream
from emulator.jobs.inputs.channel import Channel, Source
from emulator.jobs.inputs.feeder import Feeder
from emulator.jobs.inputs.intake import Place, Turn, deliver
from emulator.jobs.recipes.recipe import JobBroken
from tests.jobs.stored import Bucket, bucket

ALONE = Turn(0, 1)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Bucket]:
    """And nothing is left behind by its feeders: no thread, no descriptor."""
    with bucket("folder", tmp_path) as found:
        next(iter(found.storage.list("data", "")), None)
        before = open_files()
        yield found
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("feed:")]
        assert open_files() == before


def open_files() -> list[str]:
    """Those that could be ours; the database opens its own."""
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    names = [str(link.readlink()) for link in links]
    return sorted(name for name in names if name.startswith("pipe:") or "/run/" in name or "deleted" in name)


def channel(location: str, kind: str = "prefix", **members: object) -> Channel:
    attributes = members.pop("attributes", ())
    return Channel("train", Source(location, kind, attributes), "Pipe", **members)  # type: ignore[arg-type]


@contextmanager
def fed(stored: Bucket, wanted: Channel, tmp_path: Path, turn: Turn = ALONE) -> Iterator[tuple[Path, Feeder]]:
    """The folder of the pipes while they are fed."""
    folder = tmp_path / "run" / f"data{turn.index}"
    place = Place(folder / "train", "/opt/ml/input/data/train")
    delivery = deliver(stored.storage, wanted, place, turn, lambda: False)
    assert delivery.feeder is not None and not place.outside.exists()
    assert stat.S_ISFIFO((folder / "train_0").stat().st_mode), "there before the program is"
    delivery.feeder.start()
    try:
        yield folder, delivery.feeder
    finally:
        began = time.monotonic()
        delivery.feeder.close()
        assert time.monotonic() - began < 4.5, "it gives up waiting for its thread after 5 s"


def run(program: str, folder: Path) -> bytes:
    """What a program of its own process prints, started in the folder of the pipes."""
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def epochs(folder: Path, count: int) -> list[bytes]:
    """Whole epochs as a program reads them."""
    program = f"import sys\nfor n in range({count}): sys.stdout.buffer.write(open(f'train_{{n}}', 'rb').read() + b'|')"
    return run(program, folder).split(b"|")[:-1]


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_every_epoch_has_all_objects_in_order(stored: Bucket, tmp_path: Path) -> None:
    big = random.Random(1).randbytes(3 << 20).replace(b"|", b"!")
    for key, content in (("in/b", big), ("in/a", b"first,"), ("in/c/", b""), ("in/d", b",last")):
        stored.put(key, content)
    with fed(stored, channel("s3://data/in/"), tmp_path) as (folder, feeder):
        assert epochs(folder, 3) == [b"first," + big + b",last"] * 3
        until(lambda: not (folder / "train_2").exists())
        assert feeder.failure == "" and sorted(p.name for p in folder.iterdir()) == ["train_3", "train_4"]


def test_the_next_pipe_is_there_before_an_epoch_ends(own: Bucket, tmp_path: Path) -> None:
    own.put("in/a", bytes(4 << 20))
    program = "import os\npipe = open('train_0', 'rb')\npipe.read(10)\nassert os.path.exists('train_1')"
    with fed(own, channel("s3://data/in/"), tmp_path) as (folder, _feeder):
        run(program, folder)


def test_who_has_enough_goes_on_with_the_next_epoch(own: Bucket, tmp_path: Path) -> None:
    own.put("in/a", b"0123456789" * (1 << 20))
    program = """
import sys
for n in range(3):
    with open(f'train_{n}', 'rb', buffering=0) as pipe:
        sys.stdout.buffer.write(pipe.read(10))
print(len(open('train_3', 'rb').read()))
"""
    with fed(own, channel("s3://data/in/"), tmp_path) as (folder, feeder):
        assert run(program, folder) == b"0123456789" * 3 + b"10485760\n"
        assert feeder.failure == ""


def test_a_slow_reader_gets_all(own: Bucket, tmp_path: Path) -> None:
    content = random.Random(2).randbytes(5 << 20)
    own.put("in/a", content)
    program = """
import hashlib, time
hashed = hashlib.sha256()
with open('train_0', 'rb', buffering=0) as pipe:
    while data := pipe.read(200_000):
        hashed.update(data)
        time.sleep(0.01)
print(hashed.hexdigest())
"""
    with fed(own, channel("s3://data/in/"), tmp_path) as (folder, _feeder):
        import hashlib

        assert run(program, folder).decode().strip() == hashlib.sha256(content).hexdigest()


def test_a_stop_in_the_middle_ends_the_pipe_and_the_thread(own: Bucket, tmp_path: Path) -> None:
    own.put("in/a", bytes(32 << 20))
    with fed(own, channel("s3://data/in/"), tmp_path) as (folder, feeder):
        reader = subprocess.Popen(["cat", "train_0"], cwd=folder, stdout=subprocess.PIPE)
        assert reader.stdout is not None and len(reader.stdout.read(100)) == 100
        feeder.close()
        assert len(reader.stdout.read()) < 32 << 20
        assert reader.wait(10) == 0
        reader.stdout.close()
        feeder.close()
        assert feeder.failure == ""


def test_nobody_reads_and_nothing_happens(own: Bucket, tmp_path: Path) -> None:
    own.put("in/a", b"1")
    with fed(own, channel("s3://data/in/"), tmp_path) as (_folder, feeder):
        until(lambda: any(thread.name == "feed:train" for thread in threading.enumerate()))
        before = time.process_time()
        threading.Event().wait(0.5)
        assert time.process_time() - before < 0.1
        assert feeder.failure == ""


def test_a_feeder_that_never_started_is_closed_too(own: Bucket, tmp_path: Path) -> None:
    own.put("in/a", b"1")
    place = Place(tmp_path / "run" / "train", "/x")
    feeder = deliver(own.storage, channel("s3://data/in/"), place, ALONE, lambda: False).feeder
    assert feeder is not None
    feeder.close()
    feeder.close()
    feeder.start()


def test_hosts_share_and_an_empty_share_is_an_empty_epoch(own: Bucket, tmp_path: Path) -> None:
    for name in "abc":
        own.put(f"in/{name}", name.encode())
    for index, expected in enumerate([b"ac", b"b"]):
        with fed(own, channel("s3://data/in/", sharded=True), tmp_path, Turn(index, 2)) as (folder, _feeder):
            assert epochs(folder, 2) == [expected] * 2
    with fed(own, channel("s3://data/in/", sharded=True), tmp_path, Turn(4, 5)) as (folder, _feeder):
        assert epochs(folder, 2) == [b"", b""]


def test_shuffled_epochs_differ_and_hosts_agree(own: Bucket, tmp_path: Path) -> None:
    names = "abcdefghijklmnop"
    for name in names:
        own.put(f"in/{name}", name.encode())
    with fed(own, channel("s3://data/in/", seed=5), tmp_path) as (folder, _feeder):
        found = epochs(folder, 3)
    assert len(set(found)) == 3 and {bytes(sorted(each)) for each in found} == {names.encode()}
    halves = []
    for index in range(2):
        with fed(own, channel("s3://data/in/", seed=5, sharded=True), tmp_path, Turn(index, 2)) as (folder, _feeder):
            halves.append(epochs(folder, 3))
    for epoch, (left, right) in enumerate(zip(*halves, strict=True)):
        assert left == found[epoch][::2] and right == found[epoch][1::2], "the same order, shared out anew"
    with fed(own, channel("s3://data/in/", seed=6), tmp_path) as (folder, _feeder):
        assert epochs(folder, 1) != found[:1]


def test_gzip_is_unpacked_on_the_way(stored: Bucket, tmp_path: Path) -> None:
    stored.put("in/a.gz", gzip.compress(b"1,2\n") + gzip.compress(b"3,4\n"))
    stored.put("in/b.gz", gzip.compress(b"x" * (2 << 20)))
    with fed(stored, channel("s3://data/in/", gzip=True), tmp_path) as (folder, _feeder):
        assert epochs(folder, 2) == [b"1,2\n3,4\n" + b"x" * (2 << 20)] * 2


@pytest.mark.parametrize("packed", [False, True])
def test_objects_are_wrapped_as_records(
    own: Bucket, tmp_path: Path, packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "SPOOL", 1000)
    contents = [b"", b"1", b"12", b"1234", random.Random(3).randbytes(700_001).replace(b"|", b"!")]
    for number, content in enumerate(contents):
        own.put(f"in/{number}", gzip.compress(content) if packed else content)
    with fed(own, channel("s3://data/in/", records=True, gzip=packed), tmp_path) as (folder, _feeder):
        found = epochs(folder, 1)[0]
    assert list(recordio.frames(found)) == contents and len(found) % 4 == 0
    assert found[:8] == b"\x0a\x23\xd7\xce\0\0\0\0"


def test_too_much_for_a_record_is_said(own: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "RECORD_LIMIT", 10)
    own.put("in/a", b"01234567890")
    with fed(own, channel("s3://data/in/", records=True), tmp_path) as (folder, feeder):
        reader = subprocess.Popen(["cat", "train_0"], cwd=folder)
        until(lambda: feeder.failure)
        assert "exceeds the 10 bytes of a RecordIO record" in feeder.failure
        assert reader.poll() is None, "it waits: half an epoch must not look like a whole one"
        feeder.close()
        assert reader.wait(10) == 0


LINES = [
    {
        "source-ref": "s3://data/img/1",
        "label": 1,
        "label-metadata": {"x": 1},
        "text": "süß",
        "boxes": [{"a": 1.5}, None],
    },
    {"text": "2", "label": True, "source-ref": "s3://data/img/2", "boxes": []},
]


def augmented(stored: Bucket, **members: object) -> Channel:
    stored.put("img/1", b"one!!")
    stored.put("img/2", b"two")
    text = "\n".join(json.dumps(line) for line in LINES)
    location = stored.put("m.manifest", text.replace("\n", "\n\n").encode())
    attributes = ("source-ref", "label", "text", "boxes")
    return channel(location, "augmented", attributes=attributes, **members)


EXPECTED = [b"one!!", b"1", "süß".encode(), b'[{"a":1.5},null]', b"two", b"true", b"2", b"[]"]


def test_augmented_manifests_stream_their_attributes(stored: Bucket, tmp_path: Path) -> None:
    with fed(stored, augmented(stored, records=True), tmp_path) as (folder, _feeder):
        assert [list(recordio.frames(each)) for each in epochs(folder, 2)] == [EXPECTED] * 2


def test_augmented_manifests_may_do_without_records(own: Bucket, tmp_path: Path) -> None:
    with fed(own, augmented(own), tmp_path) as (folder, _feeder):
        assert epochs(folder, 1) == [b"".join(EXPECTED)]


def test_lines_are_shuffled_and_shared(own: Bucket, tmp_path: Path) -> None:
    lines = b"".join(json.dumps({"a": letter}).encode() + b"\r\n" for letter in "abcdefgh")
    wanted = channel(own.put("m", lines), "augmented", attributes=("a",), seed=1, sharded=True)
    found = []
    for index in range(2):
        with fed(own, wanted, tmp_path, Turn(index, 2)) as (folder, _feeder):
            found.append(epochs(folder, 2))
    firsts, seconds = zip(*found, strict=True)
    assert sorted(b"".join(firsts)) == sorted(b"".join(seconds)) == list(b"abcdefgh")
    assert found[0][0] != found[0][1]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"{", "Line 2 of the augmented manifest"),
        (b"[1]", "is not a JSON object"),
        (b'{"a": 1}', "has no attribute 'b-ref', which AttributeNames lists"),
        (b'{"a": 1, "b-ref": 3}', "has no S3 location in 'b-ref'"),
        (b'{"a": 1, "b-ref": "s3://data/gone"}', "no such object s3://data/gone of channel 'train'"),
    ],
)
def test_a_bad_line_is_named(own: Bucket, tmp_path: Path, line: bytes, words: str) -> None:
    own.put("x", b"x")
    location = own.put("m", b'{"a": 0, "b-ref": "s3://data/x"}\n' + line)
    wanted = channel(location, "augmented", attributes=("a", "b-ref"))
    with fed(own, wanted, tmp_path) as (folder, feeder):
        reader = subprocess.Popen(["cat", "train_0"], cwd=folder, stdout=subprocess.DEVNULL)
        until(lambda: feeder.failure)
        assert feeder.failure.startswith("ClientError: ") and words in feeder.failure
        feeder.close()
        reader.wait(10)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (channel("s3://data/m.json", "manifest"), "no such object s3://data/in/gone"),
        (channel("s3://data/in/", gzip=True), "s3://data/in/a of channel 'train' is not gzip"),
    ],
)
def test_what_cannot_be_read_is_named(own: Bucket, tmp_path: Path, wanted: Channel, words: str) -> None:
    own.put("in/a", b"no gzip at all")
    own.put("m.json", json.dumps([{"prefix": "s3://data/in/"}, "a", "gone"]).encode())
    with fed(own, wanted, tmp_path) as (folder, feeder):
        reader = subprocess.Popen(["cat", "train_0"], cwd=folder, stdout=subprocess.DEVNULL)
        until(lambda: feeder.failure)
        assert words in feeder.failure
        feeder.close()
        reader.wait(10)


@pytest.mark.parametrize("wanted", [channel("s3://data/none/"), channel("s3://data/m", "augmented", attributes=("a",))])
def test_nothing_to_stream_fails_before_anything_runs(own: Bucket, tmp_path: Path, wanted: Channel) -> None:
    own.put("m", b"\n \n")
    with pytest.raises(JobBroken, match="No S3 objects found under S3 URL"):
        deliver(own.storage, wanted, Place(tmp_path / "run" / "train", "/x"), ALONE, lambda: False)


def test_a_file_that_is_no_json_lines_is_not_read_for_ever(own: Bucket, tmp_path: Path) -> None:
    wanted = channel(own.put("m", bytes(17 << 20)), "augmented", attributes=("a",))
    with pytest.raises(JobBroken, match="is not JSON Lines"):
        deliver(own.storage, wanted, Place(tmp_path / "run" / "train", "/x"), ALONE, lambda: False)


@pytest.mark.parametrize("trick", ["link", "file"])
def test_a_program_cannot_have_the_house_write_elsewhere(own: Bucket, tmp_path: Path, trick: str) -> None:
    own.put("in/a", b"payload")
    victim = tmp_path / "victim"
    victim.write_bytes(b"untouched")
    with fed(own, channel("s3://data/in/"), tmp_path) as (folder, feeder):
        (folder / "train_0").unlink()
        if trick == "link":
            (folder / "train_0").symlink_to(victim)
        else:
            os.link(victim, folder / "train_0")
        until(lambda: feeder.failure)
        assert "train_0" in feeder.failure and feeder.failure.startswith("AlgorithmError: ")
    assert victim.read_bytes() == b"untouched"


def test_names_that_are_taken_fail(own: Bucket, tmp_path: Path) -> None:
    own.put("in/a", b"1")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "train_0").write_bytes(b"")
    with pytest.raises(JobBroken, match="something else has that name"):
        deliver(own.storage, channel("s3://data/in/"), Place(tmp_path / "run" / "train", "/x"), ALONE, lambda: False)


def test_a_fault_of_the_house_is_no_silence(own: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own.put("in/a", b"1")

    def broken(bucket: str, key: str) -> io.BytesIO:
        raise BrokenPipeError("the far S3 hung up")

    with fed(own, channel("s3://data/in/"), tmp_path) as (folder, feeder):
        monkeypatch.setattr(own.storage, "open", broken)
        reader = subprocess.Popen(["cat", "train_0"], cwd=folder)
        until(lambda: feeder.failure)
        assert "hung up" in feeder.failure
        feeder.close()
        reader.wait(10)


def test_memory_does_not_grow_with_the_objects(own: Bucket, tmp_path: Path) -> None:
    import tracemalloc

    own.put("in/a", bytes(64 << 20))
    tracemalloc.start()
    try:
        with fed(own, channel("s3://data/in/"), tmp_path) as (folder, _feeder):
            assert run("print(len(open('train_0', 'rb').read()))", folder) == b"67108864\n"
            assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
