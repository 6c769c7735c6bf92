"""Archives that cannot be used: refused by name, the house as it was. And servers that are killed over good ones."""

from __future__ import annotations

import errno
import io
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from emulator.errors import CallerFault, Validation
from emulator.house import House
from emulator.snapshot import loading
from tests.snapshot.conftest import (
    ENDLESS,
    MODEL,
    SCOPE,
    body,
    call,
    loaded,
    members,
    packed,
    s3,
    script,
    taken,
    train,
    until,
)


@pytest.fixture
def archive(house: House) -> dict[str, bytes]:
    """The members of a good one, which holds a finished job."""
    script(house, {"*": MODEL})
    s3(house, "CreateBucket", Bucket="bucket")
    s3(house, "PutObject", Bucket="bucket", Key="train/a.csv", Body=b"1,2\n")
    train(house)
    assert house.jobs.idle(10)
    return members(taken(house))


def refused(other: House, source: bytes) -> str:
    """What the refusal says; the house is as it was."""
    call(other, "CreateModelPackageGroup", ModelPackageGroupName="mine")
    with pytest.raises(Validation) as refusal:
        loaded(other, source)
    assert call(other, "DescribeModelPackageGroup", ModelPackageGroupName="mine")
    assert not list(other.data_dir.glob("arriv*"))
    return refusal.value.message


@pytest.mark.parametrize("source", [b"", b"PK\x03\x04", b"no zip at all", b"\x1f\x8b" + bytes(100)])
def test_what_is_no_snapshot(other, source):
    assert "no snapshot" in refused(other, source)


def test_one_that_is_not_whole(other, archive):
    whole = packed(archive)
    assert "not whole" in refused(other, whole[: len(whole) // 2])


def test_a_zip_of_something_else(other):
    assert "no manifest" in refused(other, packed({"a.txt": b"a"}))


@pytest.mark.parametrize("number", [2, 0, "1", None])
def test_a_form_of_another_time(other, archive, number):
    manifest = json.loads(archive["manifest.json"])
    archive["manifest.json"] = json.dumps({**manifest, "format": number, "sagelet": "9.9"}).encode()
    told = refused(other, packed(archive))
    assert repr(number) in told and "9.9" in told and "form 1" in told


def test_members_of_the_manifest_that_come_later_are_no_harm(other, archive):
    manifest = json.loads(archive["manifest.json"])
    archive["manifest.json"] = json.dumps({**manifest, "colour": "red"}).encode()
    assert loaded(other, packed(archive))["records"]["TrainingJob"] == 1


@pytest.mark.parametrize(
    "name",
    [
        "../outside",
        "/etc/outside",
        "s3/blobs/../../../outside",
        "house.db",
        "work/job-1/x",
        "lock",
        "logs/.hidden/a/b/c.log",
        "logs/a/b/c/d/e.log",
        "neighbours/a/b",
        "s3/blobs/short",
        "records/../x.jsonl",
        "records/Some-Thing.jsonl",
        "surprise.jsonl",
    ],
)
def test_members_that_are_no_part_of_one(other, archive, name):
    archive[name] = b"x"
    assert "cannot be used" in refused(other, packed(archive))
    assert not (other.data_dir.parent / "outside").exists() and not Path("/etc/outside").exists()


def test_links(other, archive):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as zipped:
        for name, content in archive.items():
            zipped.writestr(name, content)
        link = zipfile.ZipInfo("logs/1/r/g/link.log")
        link.external_attr = 0o120777 << 16
        zipped.writestr(link, "../../../../house.db")
    assert "link" in refused(other, made.getvalue())


def test_what_unpacks_to_more_than_the_disk_has(other, archive, monkeypatch):
    archive["logs/1/r/g/zeros.log"] = bytes(2_000_000)
    usage = shutil.disk_usage("/")
    left = loading.LEFT_FREE + 1_000_000
    monkeypatch.setattr(loading.shutil, "disk_usage", lambda path: usage._replace(free=left))
    assert "1000000" in refused(other, packed(archive))


def test_a_full_disk_is_told_as_what_it_is(other):
    class Full(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(CallerFault, match="too full") as refusal:
        other.load(Full())
    assert refusal.value.code == "InsufficientStorage"
    assert not list(other.data_dir.glob("arriv*"))


def changed(archive: dict[str, bytes], name: str, change: Any) -> bytes:
    rows = [json.loads(line) for line in archive[name].splitlines()]
    for row in rows:
        change(row)
    return packed({**archive, name: b"".join(json.dumps(row).encode() + b"\n" for row in rows)})


def test_a_line_that_cannot_be_read_is_named(other, archive):
    archive["tags.jsonl"] += b'["a", "b", "c"]\n{"half": \n'
    told = refused(other, packed(archive))
    number = len(archive["tags.jsonl"].splitlines())
    assert "tags.jsonl" in told and f"line {number}" in told


@pytest.mark.parametrize(
    ("name", "change", "word"),
    [
        ("records/TrainingJob.jsonl", lambda row: row.update(kind="Model"), "Model"),
        ("records/TrainingJob.jsonl", lambda row: row.pop("body"), "body"),
        ("records/TrainingJob.jsonl", lambda row: row.update(colour="red"), "colour"),
        ("records/TrainingJob.jsonl", lambda row: row["hidden"].update(run_id="../../home"), "run"),
        ("records/TrainingJob.jsonl", lambda row: row.update(hidden={}), "run"),
        ("s3/versions.jsonl", lambda row: row.update(blob="0" * 32), "train/a.csv"),
        ("s3/versions.jsonl", lambda row: row.update(blob="../../house.db"), "train/a.csv"),
        ("s3/versions.jsonl", lambda row: row.update(size=5), "train/a.csv"),
        ("s3/buckets.jsonl", lambda row: row.pop("account"), "account"),
        ("s3/buckets.jsonl", lambda row: row.update(name="bucket"), "buckets.name"),
        ("records/TrainingJob.jsonl", lambda row: row.update(created={"no": "time"}), "parameter"),
    ],
)
def test_what_does_not_fit_together_is_named(other, archive, name, change, word):
    told = refused(other, changed(archive, name, change))
    assert "damaged" in told and name in told and word in told


def test_kinds_that_nobody_knows_here_are_left_out_and_told(other, archive):
    rows = archive["records/TrainingJob.jsonl"].replace(b'"TrainingJob"', b'"QuantumJob"')
    archive["records/QuantumJob.jsonl"] = rows
    told = loaded(other, packed(archive))
    assert told["left_out"] == {"QuantumJob": 1} and told["records"] == {"TrainingJob": 1}


# --- kill -9 --------------------------------------------------------------------------------------------------------


def reopened(house: House) -> House:
    """The next life of a house whose server was killed."""
    house._lock.close()
    house = House(house.settings, house.clock)
    house.start()
    return house


@pytest.mark.parametrize("moved", range(len(loading.STATE) + 1))
def test_a_server_that_is_killed_over_it_has_the_whole_of_it_in_its_next_life(other, archive, moved, tmp_path):
    call(other, "CreateModelPackageGroup", ModelPackageGroupName="old")
    s3(other, "CreateBucket", Bucket="old")
    s3(other, "PutObject", Bucket="old", Key="k", Body=b"old")
    with loading.spooled(other.data_dir, io.BytesIO(packed(archive))) as spool:
        loading.prepare(other.data_dir, spool, other.clock.now())
    for name in list(reversed(loading.STATE))[:moved]:  # as far as it came
        loading._remove(other.data_dir / name)
        (other.data_dir / "arrived" / name).rename(other.data_dir / name)
    next_life = reopened(other)
    try:
        job = call(next_life, "DescribeTrainingJob", TrainingJobName="job")
        assert job["TrainingJobStatus"] == "Completed"
        assert body(next_life, "train/a.csv") == b"1,2\n"
        assert "epoch 2" in next_life.log_lines("job")["lines"]
        assert call(next_life, "ListModelPackageGroups")["ModelPackageGroupSummaryList"] == []
        assert not list(next_life.data_dir.glob("arriv*"))
    finally:
        next_life.close()


def test_a_server_that_is_killed_before_it_is_ready_has_the_old_state_and_no_rest(other, archive):
    call(other, "CreateModelPackageGroup", ModelPackageGroupName="old")
    half = other.data_dir / "arriving-half"
    half.mkdir()
    (half / "snapshot").write_bytes(b"half")
    next_life = reopened(other)
    try:
        assert call(next_life, "DescribeModelPackageGroup", ModelPackageGroupName="old")
        assert not half.exists()
    finally:
        next_life.close()


def test_jobs_of_the_old_state_do_not_disturb_the_new_one(other, archive):
    script(other, {"*": ENDLESS})
    s3(other, "CreateBucket", Bucket="bucket")
    s3(other, "PutObject", Bucket="bucket", Key="train/a.csv", Body=b"old")
    train(other)
    until(lambda: call(other, "DescribeTrainingJob", TrainingJobName="job")["SecondaryStatus"] == "Training")
    loaded(other, packed(archive))
    other.clock.advance(100_000)
    job = call(other, "DescribeTrainingJob", TrainingJobName="job")
    assert job["TrainingJobStatus"] == "Completed" and body(other, "train/a.csv") == b"1,2\n"


def test_the_secrets_in_it_are_nobody_elses(other, archive):
    loaded(other, packed({**archive, "neighbours/journal": b"", "neighbours/identities": b""}))
    for name in ("journal", "identities"):
        assert (other.data_dir / "neighbours" / name).stat().st_mode & 0o077 == 0
    assert call(other, "ListTrainingJobs", SCOPE)["TrainingJobSummaries"]
