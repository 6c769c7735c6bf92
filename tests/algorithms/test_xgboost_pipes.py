"""XGBoost reading its channels from pipes, which a process of the service fills once for each epoch."""

import contextlib
import io
import os
import re
import threading

import numpy
import pytest

from algorithms.common import channels, csv_table, parquet_table, recordio
from algorithms.common.faults import UserError
from tests.algorithms.job import Job

LOGISTIC = {"num_round": "4", "objective": "binary:logistic", "max_depth": "3", "nthread": "1"}


def table(rows=200, seed=0):
    features = numpy.random.default_rng(seed).normal(size=(rows, 4)).round(4)
    return numpy.column_stack([features[:, 0] + features[:, 1] > 0, features])


def text(values):
    return "".join(",".join(map(repr, row)) + "\n" for row in values.tolist()).encode()


def piped(folder, given, **kinds):
    job = Job(folder, "xgboost")
    job.prepare(given, **kinds)
    configuration = {name: {"TrainingInputMode": "Pipe", "ContentType": kind} for name, kind in kinds.items()}
    job.configure("inputdataconfig", configuration)
    for name in kinds:
        (folder / "input/data" / name).rmdir()
    return job


@contextlib.contextmanager
def fed(job, **contents):
    """Each channel's epochs, one pipe after the other; the objects of an epoch follow each other without a mark."""
    feeders = []
    for name, epochs in contents.items():
        pipes = [job.base / "input/data" / f"{name}_{number}" for number in range(len(epochs))]
        os.mkfifo(pipes[0])
        feeders.append(threading.Thread(target=feed, args=(pipes, epochs), daemon=True))
        feeders[-1].start()
    yield
    for feeder in feeders:
        feeder.join(20)
        assert not feeder.is_alive()


def feed(pipes, epochs):
    for number, (pipe, objects) in enumerate(zip(pipes, epochs, strict=True)):
        with contextlib.suppress(BrokenPipeError), pipe.open("wb") as stream:
            if number + 1 < len(pipes):
                os.mkfifo(pipes[number + 1])
            for one in objects:
                stream.write(one)


def parquet(values):
    pyarrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet as writer

    out = io.BytesIO()
    writer.write_table(pyarrow.table({f"c{i}": values[:, i] for i in range(5)}), out)
    return out.getvalue()


def protobuf(values):
    return recordio.write_features(values[:, 1:].tolist(), values[:, 0].tolist())


@pytest.mark.parametrize(
    ("kind", "encode"), [("text/csv", text), ("application/x-recordio-protobuf", protobuf), ("parquet", parquet)]
)
def test_a_pipe_makes_the_model_that_files_make(tmp_path, kind, encode):
    values, held = table().astype("float32"), table(60, seed=1).astype("float32")
    files = Job(tmp_path / "files", "xgboost")
    files.prepare(LOGISTIC, train=kind, validation=kind)
    for number, part in enumerate(numpy.array_split(values, 3)):
        files.put(f"train/{number}", encode(part))
    files.put("validation/0", encode(held))
    expected = files.train()
    assert expected.code == 0, expected.output
    job = piped(tmp_path / "pipes", LOGISTIC, train=kind, validation=kind)
    with fed(job, train=[[encode(part) for part in numpy.array_split(values, 3)]], validation=[[encode(held)]]):
        ended = job.train()
    assert ended.code == 0, ended.output
    assert (job.model / "xgboost-model").read_bytes() == (files.model / "xgboost-model").read_bytes()
    lines = [re.findall(r"^\[\d+\].*$", one.output, re.MULTILINE) for one in (ended, expected)]
    assert lines[0] == lines[1]


def test_cross_validation_reads_the_pipes_of_the_second_epoch(tmp_path):
    job = piped(tmp_path, LOGISTIC | {"_kfold": "2"}, train="text/csv", validation="csv")
    with fed(job, train=[[text(table(60))]] * 2, validation=[[text(table(20, seed=1))]] * 2):
        ended = job.train()
    assert ended.code == 0, ended.output
    assert "cross validation with 80 rows" in ended.output
    assert numpy.loadtxt(tmp_path / "output/data/predictions.csv", delimiter=",").shape[0] == 80


def test_fast_file_is_a_folder(tmp_path):
    job = Job(tmp_path, "xgboost")
    job.prepare(LOGISTIC, train="text/csv")
    job.configure("inputdataconfig", {"train": {"TrainingInputMode": "FastFile", "ContentType": "text/csv"}})
    path = job.put("train/a.csv", text(table()))
    path.chmod(0o444)
    path.parent.chmod(0o555)
    assert job.train().code == 0


def test_an_empty_pipe_and_bad_rows_end_the_job_with_a_sentence(tmp_path):
    job = piped(tmp_path / "empty", LOGISTIC, train="text/csv")
    with fed(job, train=[[b""]]):
        assert "No data in training channel path" in job.train().failure
    job = piped(tmp_path / "bad", LOGISTIC, train="text/csv")
    with fed(job, train=[[text(table()), b"1,2,red,4,5\n"]]):
        failure = job.train().failure
    assert "column 2 in line 201 of pipe 'train_0' is not a number: 'red'" in failure


def test_libsvm_is_not_piped(tmp_path):
    for kind in ("text/libsvm", ""):
        job = piped(tmp_path, LOGISTIC, train=kind)
        failure = job.train().failure
        assert failure.startswith("ClientError: Channel configuration for 'train' channel is not supported: ")
        assert (
            "Set TrainingInputMode to 'File' or 'FastFile': Pipe mode takes csv, parquet, recordio-protobuf" in failure
        )


def test_a_pipe_that_does_not_come_is_missed(tmp_path, monkeypatch):
    monkeypatch.setattr(channels, "NEXT_PIPE_SECONDS", 0.02)
    with pytest.raises(RuntimeError, match=r"No pipe .*/train_1 has come"):
        channels.pipe(tmp_path / "train", 1)


class TestStreamsOfCsv:
    def read(self, data, monkeypatch, block=64):
        monkeypatch.setattr(csv_table, "BLOCK", block)
        return csv_table.read_stream(io.BytesIO(data), "pipe 'p'")

    @pytest.mark.parametrize("block", [1, 7, 64, 10000])
    def test_blocks_do_not_show(self, monkeypatch, block):
        values = table(50)
        assert numpy.array_equal(self.read(text(values), monkeypatch, block), values.astype("float32"))
        assert numpy.array_equal(self.read(text(values)[:-1], monkeypatch, block), values.astype("float32"))

    def test_missing_values_quotes_and_blank_lines(self, monkeypatch):
        found = self.read(b'1;NA;3\n\n\n"4";;6\n', monkeypatch, 6)
        assert numpy.array_equal(found, [[1, numpy.nan, 3], [4, numpy.nan, 6]], equal_nan=True)
        assert self.read(b"\n \n", monkeypatch) is None

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (b"label,a,b\n1,2,3\n", "line 1 of pipe 'p' looks like a header"),
            (b"1,2,3\n" * 20 + b"1,2\n" * 20, "line 21 of pipe 'p' has 2 columns, but the lines before have 3"),
            (b"1,2,3\n" * 20 + b"x,2,3\n", "the label in line 21 of pipe 'p' is not a number: 'x'"),
            (b"hello\n", r"\(line 1 of pipe 'p'\)"),
        ],
    )
    def test_what_is_wrong_is_said_with_its_line(self, monkeypatch, data, said):
        with pytest.raises(UserError, match=said):
            self.read(data, monkeypatch, 12)


def test_files_of_parquet_behind_each_other_are_told_apart(tmp_path):
    parts = [parquet(table(10, seed)) for seed in range(3)]
    unpacked = parquet_table.unpack(io.BytesIO(b"".join(parts)), tmp_path)
    assert [path.read_bytes() for path in unpacked] == parts


def test_a_stream_of_recordio_is_read_record_by_record():
    frames = recordio.write_features([[1.0, 2.0], [3.0, 4.0]], [0.0, 1.0])
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb", buffering=0) as source, os.fdopen(reading, "rb") as stream:
        records = recordio.read(stream)
        source.write(frames[: len(frames) // 2])
        features, _ = next(records)
        assert features["values"][0].tolist() == [1.0, 2.0]
        source.write(frames[len(frames) // 2 :])
        source.close()
        assert len(list(records)) == 1


def test_memory_for_a_pipe_is_no_more_than_for_a_file(tmp_path):
    """Peak beyond the interpreter's own, for 40 MB of text."""
    row = ",".join(["0.123456"] * 40).encode() + b"\n"
    data = (b"1," + row + b"0," + row) * 56000
    assert len(data) > 40e6
    peaks = {}
    for mode in ("files", "pipes"):
        given = LOGISTIC | {"num_round": "1"}
        job = piped(tmp_path / mode, given, train="text/csv") if mode == "pipes" else Job(tmp_path / mode, "xgboost")
        if mode == "pipes":
            with fed(job, train=[[data]]):
                peaks[mode] = peak(job)
        else:
            job.prepare(given, train="text/csv")
            job.put("train/a.csv", data)
            peaks[mode] = peak(job)
    assert peaks["pipes"] < 1.15 * peaks["files"], peaks


def peak(job):
    with job.start("train") as process:
        process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert status == 0
    return usage.ru_maxrss
