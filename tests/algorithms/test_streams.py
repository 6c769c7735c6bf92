"""What gzip has packed is read as if it had not: files and pipes of CSV and of recordio-protobuf."""

import gzip
import os
import threading

import numpy
import pytest

from algorithms.common import csv_table, recordio, stacking, streams
from algorithms.common.faults import UserError
from tests.algorithms.job import Job

VALUES = numpy.random.default_rng(0).normal(size=(3000, 4)).astype("f4")
TEXT = "".join(",".join(map(repr, row)) + "\n" for row in VALUES.tolist()).encode()
RECORDS = recordio.write_features(VALUES)


def test_files_are_told_by_their_first_bytes(tmp_path):
    plain, packed, named = tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.csv.gz"
    plain.write_bytes(TEXT)
    packed.write_bytes(gzip.compress(TEXT))
    named.write_bytes(gzip.compress(TEXT[: len(TEXT) // 2]) + gzip.compress(TEXT[len(TEXT) // 2 :]))
    assert numpy.array_equal(csv_table.read([plain, packed, named]), numpy.concatenate([VALUES] * 3))
    for path, content in ((plain, RECORDS), (packed, gzip.compress(RECORDS))):
        path.write_bytes(content)
    assert numpy.array_equal(recordio.load([plain, packed]).features, numpy.concatenate([VALUES] * 2))


@pytest.mark.parametrize("first", [1, 2, 1000])
@pytest.mark.parametrize("packed", [False, True])
def test_pipes_are_too_however_slowly_they_begin(tmp_path, packed, first):
    pipe = tmp_path / "train_0"
    os.mkfifo(pipe)
    data = gzip.compress(RECORDS) * 2 if packed else RECORDS * 2

    def feed():
        with pipe.open("wb", buffering=0) as stream:
            stream.write(data[:first])
            stream.write(data[first:])

    feeder = threading.Thread(target=feed)
    feeder.start()
    assert numpy.array_equal(recordio.load([pipe]).features, numpy.concatenate([VALUES] * 2))
    feeder.join()


@pytest.mark.parametrize(
    "broken", [lambda data: data[:-9], lambda data: data[:50] + b"???" + data[53:], lambda data: data + b"1,2\n"]
)
def test_broken_gzip_is_named(tmp_path, broken):
    path = tmp_path / "a.gz"
    for content, read in ((TEXT, lambda: csv_table.read([path])), (RECORDS, lambda: recordio.load([path]))):
        path.write_bytes(broken(gzip.compress(content)))
        with pytest.raises(UserError, match=r"The gzip data of file 'a\.gz' cannot be unpacked"):
            read()


def test_an_empty_stream_is_none(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(b""))
    assert csv_table.read([path]) is None and recordio.load([path]) is None
    with streams.reading(path) as stream:
        assert stream.read() == b""


@pytest.mark.parametrize(("kind", "content"), [("text/csv", TEXT), ("application/x-recordio-protobuf", None)])
def test_xgboost_trains_on_gzip_what_it_trains_on_plain_files(tmp_path, kind, content):
    content = content or recordio.write_features(VALUES[:, 1:], VALUES[:, 0])
    models = []
    for name, data in (("plain", content), ("packed", gzip.compress(content))):
        job = Job(tmp_path / name, "xgboost")
        job.prepare({"num_round": "2", "nthread": "1"}, train=kind)
        job.put("train/data", data)
        ended = job.train()
        assert ended.code == 0, ended.output
        models.append((job.model / "xgboost-model").read_bytes())
    assert models[0] == models[1]


def test_blocks_are_stacked_in_their_order():
    parts = [numpy.full((size, 2), size, kind) for size, kind in ((1, "f4"), (3, "f8"), (0, "f4"), (2, "f4"))]
    expected = numpy.concatenate(parts)
    whole = stacking.stacked(parts)
    assert parts == [] and whole.dtype == "f8" and numpy.array_equal(whole, expected)
