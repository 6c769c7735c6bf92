"""The transform recipe against a model that is a function: objects, requests, joins, failures, stops, restarts."""

from __future__ import annotations

import bz2
import gzip
import json
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from emulator.call import Scope
from emulator.jobs.lifecycle import Job
from emulator.jobs.record import hidden_life
from emulator.ports import Usage
from emulator.servers import InvokeFailure, Reply, ServerFailed, ServerSpec
from emulator.store.records import Record

SCOPE = Scope("123456789012", "eu-west-1")
CSV = "text/csv"
LINES = "application/jsonlines"


class FakeServer:
    """A model server whose model is `answer(body) -> (status, body)`; it notes what it was asked."""

    def __init__(self, spec: ServerSpec, house: FakeServers) -> None:
        self.spec = spec
        self.house = house
        self.executor_name = "scripted"
        self.stopped = threading.Event()
        self.orphaned = False
        """Whether its folder was gone before it had ended."""

    def wait_healthy(self, timeout: float) -> None:
        if self.house.sick:
            raise ServerFailed(self.house.sick)

    def wait(self, timeout: float | None = None) -> object | None:
        return object() if self.house.sick or self.stopped.is_set() else None

    def get(self, path: str, timeout: float = 10.0) -> Reply:
        body = json.dumps(self.house.wishes).encode() if self.house.wishes else b""
        return Reply(200 if self.house.wishes else 404, {}, body)

    def invoke_stream(self, body: bytes, headers: Mapping[str, str], timeout: float) -> tuple[Reply, Iterator[bytes]]:
        with self.house.lock:
            self.house.asked.append(bytes(body))
            self.house.headers.append(dict(headers))
        status, answer = self.house.answer(bytes(body))
        return Reply(status, {}, b""), iter([answer[:3], answer[3:]])

    def usage(self) -> Usage | None:
        return self.house.uses

    def stop(self, grace: float = 30.0) -> None:
        self.house.ending.set()
        self.house.may_end.wait(10)
        self.orphaned = not self.spec.folder.exists()
        self.stopped.set()


class FakeServers:
    def __init__(self) -> None:
        self.answer: Callable[[bytes], tuple[int, bytes]] = doubled
        self.asked: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.wishes: dict[str, Any] = {}
        self.sick = ""
        self.uses: Usage | None = None
        self.started: list[FakeServer] = []
        self.lock = threading.Lock()
        self.ending, self.may_end = threading.Event(), threading.Event()
        self.may_end.set()

    def start(self, spec: ServerSpec) -> FakeServer:
        spec.folder.mkdir(parents=True, exist_ok=True)
        self.started.append(FakeServer(spec, self))
        return self.started[-1]

    def adopt(self, spec: ServerSpec) -> FakeServer | None:
        return next((s for s in self.started if s.spec.run_id == spec.run_id and not s.stopped.is_set()), None)


def doubled(body: bytes) -> tuple[int, bytes]:
    """Answers the sum of each row, doubled, one line each."""
    rows = body.decode().splitlines()
    return 200, "\n".join(str(2 * sum(float(cell) for cell in row.split(","))) for row in rows).encode() + b"\n"


@pytest.fixture
def batch(mini: Any) -> Any:
    mini.servers = FakeServers()
    mini.start()
    return mini


def run(mini: Any, source: dict[str, Any] | None = None, target: dict[str, Any] | None = None, **members: Any) -> Any:
    submit(mini, source, target, **members)
    assert mini.engine.idle(10)
    return described(mini)


def submit(mini: Any, source: dict[str, Any] | None, target: dict[str, Any] | None, **members: Any) -> None:
    source = dict(source or {})
    place = {"S3DataType": source.pop("kind", "S3Prefix"), "S3Uri": source.pop("uri", "s3://b/in/")}
    body = {
        "TransformJobStatus": "InProgress",
        "TransformInput": {"DataSource": {"S3DataSource": place}, "ContentType": CSV, "SplitType": "Line", **source},
        "TransformOutput": {"S3OutputPath": "s3://b/out", "AssembleWith": "Line", "Accept": CSV, **(target or {})},
        "ModelClientConfig": {"InvocationsMaxRetries": 0},
        **members,
    }
    container = {"image": "i", "model_data": "", "environment": {"A": "1"}, "network": True, "uncompressed": False}
    hidden = {"life": hidden_life(Job()), "run_id": "job-t", "container": container}
    now = mini.clock.now()
    record = Record("TransformJob", SCOPE, "t", "arn:t", body, now, now, "InProgress", hidden=hidden)
    mini.records.records["TransformJob", SCOPE, "t"] = record
    mini.engine.submit(record)


def submit_held(mini: Any) -> threading.Event:
    """Submit a job and wait until its model has been asked, which answers when the event is set."""
    asked, go_on = threading.Event(), threading.Event()

    def answer(body: bytes) -> tuple[int, bytes]:
        asked.set()
        go_on.wait(5)
        return doubled(body)

    mini.servers.answer = answer
    submit(mini, None, None)
    assert asked.wait(5)
    return go_on


def described(mini: Any) -> dict[str, Any]:
    return dict(mini.records.get("TransformJob", SCOPE, "t").body)


def data_log(mini: Any) -> list[str]:
    streams = mini.logs.streams.items()
    return [line.message[24:] for (_, name), lines in streams if name.endswith("/data-log") for line in lines]


def outputs(mini: Any) -> dict[str, bytes]:
    return {key: mini.storage.read("b", key) for key in mini.storage.keys("b", "out/")}


def test_many_objects_keep_their_folders(batch: Any) -> None:
    batch.storage.put("b", "in/sub/x.csv", b"3,4\n5,6\n")
    batch.storage.put("b", "in/empty.csv", b"")
    body = run(batch)
    assert body["TransformJobStatus"] == "Completed"
    assert body["TransformEndTime"] >= body["TransformStartTime"]
    assert outputs(batch) == {"out/train.csv.out": b"6.0\n", "out/sub/x.csv.out": b"14.0\n22.0\n"}
    assert sorted(batch.servers.asked) == [b"1,2", b"3,4\n5,6"]
    assert batch.servers.headers[0] == {"Content-Type": CSV, "Accept": CSV}
    assert batch.servers.started[0].stopped.is_set()
    assert (
        data_log(batch)[0]
        == "[sagemaker logs]: MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD"
    )


def test_the_environment_of_the_server(batch: Any) -> None:
    run(batch, Environment={"A": "2"}, MaxPayloadInMB=3, BatchStrategy="SingleRecord", MaxConcurrentTransforms=4)
    environment = batch.servers.started[0].spec.environment
    assert environment["A"] == "2"
    assert environment["SAGEMAKER_BATCH"] == "true"
    assert environment["SAGEMAKER_MAX_PAYLOAD_IN_MB"] == "3"
    assert environment["SAGEMAKER_BATCH_STRATEGY"] == "SINGLE_RECORD"
    assert environment["SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"] == "4"


def test_an_object_that_is_not_split_is_one_request(batch: Any) -> None:
    batch.storage.put("b", "in/train.csv", b"1,2\n\n3,4\n")
    batch.servers.answer = lambda body: (200, b"<" + body + b">")
    run(batch, {"SplitType": "None"}, {"AssembleWith": "None"})
    assert batch.servers.asked == [b"1,2\n\n3,4\n"]
    assert outputs(batch) == {"out/train.csv.out": b"<1,2\n\n3,4\n>"}


def test_no_limit_sends_an_object_as_it_is(batch: Any) -> None:
    batch.storage.put("b", "in/train.csv", b"1,2\n" * 2_000_000)
    batch.servers.answer = lambda body: (200, str(len(body)).encode())
    run(batch, MaxPayloadInMB=0)
    assert outputs(batch) == {"out/train.csv.out": b"8000000\n"}


def test_single_records_in_parallel_keep_their_order(batch: Any) -> None:
    batch.storage.put("b", "in/train.csv", b"".join(b"%d\n" % n for n in range(50)))
    barrier = threading.Barrier(4, timeout=5)

    def answer(body: bytes) -> tuple[int, bytes]:
        if int(body) < 48:
            barrier.wait()
        return doubled(body)

    batch.servers.answer = answer
    run(batch, BatchStrategy="SingleRecord", MaxConcurrentTransforms=4)
    assert outputs(batch)["out/train.csv.out"].split() == [b"%d.0" % (2 * n) for n in range(50)]


def test_what_the_container_wishes_yields_to_what_the_job_asks(batch: Any) -> None:
    batch.servers.wishes = {"MaxConcurrentTransforms": 8, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 2}
    batch.storage.put("b", "in/train.csv", b"1\n2\n")
    run(batch, MaxPayloadInMB=5)
    assert batch.servers.asked == [b"1", b"2"]
    assert data_log(batch) == [
        "[sagemaker logs]: MaxConcurrentTransforms=8, MaxPayloadInMB=5, BatchStrategy=SINGLE_RECORD"
    ]


def test_join_and_filters_of_csv(batch: Any) -> None:
    batch.storage.put("b", "in/train.csv", b"id1,5,6\nid2,1,1\n")
    run(batch, DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"})
    assert batch.servers.asked == [b"5,6\n1,1"]
    assert outputs(batch) == {"out/train.csv.out": b"id1,22.0\nid2,4.0\n"}


def test_join_of_json_lines(batch: Any) -> None:
    batch.storage.put("b", "in/train.csv", b'{"id":1,"features":[5,6]}\n{"id":2,"features":[1,1]}\n')
    batch.servers.answer = lambda body: (200, b"\n".join(str(sum(json.loads(row))).encode() for row in body.split()))
    processing = {"InputFilter": "$.features", "JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"}
    run(batch, {"ContentType": LINES}, {"Accept": LINES}, DataProcessing=processing)
    assert outputs(batch)["out/train.csv.out"] == b'{"id":1,"SageMakerOutput":11}\n{"id":2,"SageMakerOutput":2}\n'


def test_join_of_a_json_document(batch: Any) -> None:
    batch.storage.put("b", "in/train.csv", b'{"id": 1, "x": 2}')
    batch.servers.answer = lambda body: (200, b'{\n "score": 3\n}')
    form = {"ContentType": "application/json", "SplitType": "None"}
    target = {"Accept": "application/json", "AssembleWith": "None"}
    run(batch, form, target, DataProcessing={"JoinSource": "Input"})
    assert json.loads(outputs(batch)["out/train.csv.out"]) == {"id": 1, "x": 2, "SageMakerOutput": {"score": 3}}


def test_another_number_of_answers_than_records_is_an_error(batch: Any) -> None:
    batch.storage.put("b", "in/train.csv", b"1\n2\n")
    batch.servers.answer = lambda body: (200, b"only one\n")
    body = run(batch, DataProcessing={"JoinSource": "Input"})
    assert body["FailureReason"] == "ClientError: See job logs for more information"
    assert any("answered 1 records to a request of 2" in line for line in data_log(batch))


def test_a_bad_record_costs_its_object_only(batch: Any) -> None:
    batch.storage.put("b", "in/a.csv", b"1\n2\nx\n")
    batch.storage.put("b", "in/z.csv", b"4\n")

    def answer(body: bytes) -> tuple[int, bytes]:
        return (415, b"no float: x") if b"x" in body else doubled(body)

    batch.servers.answer = answer
    body = run(batch, BatchStrategy="SingleRecord", MaxConcurrentTransforms=2)
    assert body["TransformJobStatus"] == "Failed"
    assert body["FailureReason"] == "ClientError: See job logs for more information"
    assert sorted(outputs(batch)) == ["out/train.csv.out", "out/z.csv.out"]
    assert "[sagemaker logs]: b/in/a.csv: ClientError: 415" in data_log(batch)
    assert "[sagemaker logs]: b/in/a.csv: no float: x" in data_log(batch)


@pytest.mark.parametrize(("retries", "status"), [(0, "Failed"), (1, "Completed")])
def test_a_server_error_is_tried_again(batch: Any, retries: int, status: str) -> None:
    replies = iter([(503, b"busy"), (200, b"1"), (200, b"1")])
    batch.servers.answer = lambda body: next(replies)
    body = run(batch, ModelClientConfig={"InvocationsMaxRetries": retries})
    assert body["TransformJobStatus"] == status
    if status == "Failed":
        assert body["FailureReason"] == "AlgorithmError: See job logs for more information"
        where = "[sagemaker logs]: b/in/train.csv: "
        assert where + "Bad HTTP status received from algorithm: 503" in data_log(batch)


def test_a_model_that_does_not_answer(batch: Any) -> None:
    def answer(body: bytes) -> tuple[int, bytes]:
        raise InvokeFailure("timeout", "The model server did not answer within 1 seconds.")

    batch.servers.answer = answer
    assert run(batch)["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert any("Unable to get response from algorithm" in line for line in data_log(batch))


def test_a_record_above_the_limit(batch: Any) -> None:
    batch.storage.put("b", "in/train.csv", b"1" * ((1 << 20) + 1))
    body = run(batch, MaxPayloadInMB=1)
    assert body["FailureReason"] == "ClientError: See job logs for more information"
    assert any("Too much data for max payload size" in line for line in data_log(batch))
    assert outputs(batch) == {}


@pytest.mark.parametrize(("kind", "pack"), [("Gzip", gzip.compress), ("Bzip2", bz2.compress)])
def test_packed_objects(batch: Any, kind: str, pack: Callable[[bytes], bytes]) -> None:
    batch.storage.put("b", "z/a.csv.z", pack(b"1\n"))
    batch.storage.put("b", "z/b.csv", b"1\n")
    body = run(batch, {"uri": "s3://b/z/", "CompressionType": kind})
    assert outputs(batch) == {"out/a.csv.z.out": b"2.0\n"}
    assert body["TransformJobStatus"] == "Failed"


def test_a_manifest(batch: Any) -> None:
    batch.storage.put("b", "in/other.csv", b"1\n")
    batch.storage.put("b", "m", json.dumps([{"prefix": "s3://b/"}, "in/train.csv", "in/gone.csv"]).encode())
    body = run(batch, {"uri": "s3://b/m", "kind": "ManifestFile"})
    assert outputs(batch) == {"out/in/train.csv.out": b"6.0\n"}
    assert body["TransformJobStatus"] == "Failed"
    assert any("in/gone.csv" in line for line in data_log(batch))


def test_recordio(batch: Any) -> None:
    frames = b"".join(struct.pack("<II", 0xCED7230A, 4) + text for text in (b"abcd", b"efgh"))
    batch.storage.put("b", "in/train.csv", frames)
    batch.servers.answer = lambda body: (200, body[-4:])
    run(batch, {"SplitType": "RecordIO"}, {"AssembleWith": "None"}, BatchStrategy="SingleRecord")
    assert outputs(batch) == {"out/train.csv.out": b"abcdefgh"}


def test_outputs_under_the_input_prefix_are_not_transformed_again(batch: Any) -> None:
    run(batch, {"uri": "s3://b/in"}, {"S3OutputPath": "s3://b/in"})
    assert batch.storage.keys("b", "in") == ["in/train.csv", "in/train.csv.out"]


def test_a_server_that_does_not_come_up(batch: Any) -> None:
    batch.servers.sick = "ended with exit code 1 (exited). Last log lines: no module"
    reason = run(batch)["FailureReason"]
    assert reason == "AlgorithmError: The model server ended with exit code 1 (exited). Last log lines: no module"
    assert batch.servers.started[0].stopped.is_set()


def test_stop_keeps_what_is_done(batch: Any) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def answer(body: bytes) -> tuple[int, bytes]:
        if body == b"9":
            asked.set()
            go_on.wait(5)
            raise InvokeFailure("gone", "The model server closed the connection.")
        return doubled(body)

    batch.storage.put("b", "in/z1.csv", b"9\n")
    batch.storage.put("b", "in/z2.csv", b"9\n")
    batch.servers.answer = answer
    submit(batch, None, None)
    assert asked.wait(5)
    batch.engine.request_stop("TransformJob", SCOPE, "t")
    assert described(batch)["TransformJobStatus"] == "Stopping"
    go_on.set()
    assert batch.engine.idle(5)
    assert described(batch)["TransformJobStatus"] == "Stopped"
    assert "FailureReason" not in described(batch)
    assert list(outputs(batch)) == ["out/train.csv.out"]


def test_a_stopped_server_has_its_folder_until_it_has_ended(batch: Any) -> None:
    """By what lies there it is told to end: where the job took it away first, the server stayed for ever."""
    batch.servers.may_end.clear()
    go_on = submit_held(batch)
    batch.engine.request_stop("TransformJob", SCOPE, "t")
    assert batch.servers.ending.wait(5)
    go_on.set()
    assert not batch.engine.idle(0.2), "the job is over before its server"
    batch.servers.may_end.set()
    assert batch.engine.idle(5)
    [server] = batch.servers.started
    assert server.stopped.is_set() and not server.orphaned and not server.spec.folder.exists()


def test_a_restart_begins_again(batch: Any) -> None:
    go_on = submit_held(batch)
    go_on.set()
    batch.kill()
    assert described(batch)["TransformJobStatus"] == "InProgress"
    batch.start().recover()
    assert batch.engine.idle(5)
    assert described(batch)["TransformJobStatus"] == "Completed"
    assert len(batch.servers.started) == 2
    assert batch.servers.started[0].stopped.is_set()


def test_the_instance_of_the_model_server_is_measured_but_for_its_disk(batch: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("emulator.jobs.usage.FIRST_SECONDS", 0.0)
    batch.servers.uses = Usage(0.0, 1 << 20)
    assert run(batch)["TransformJobStatus"] == "Completed"
    assert {point.name for point in batch.metrics.points} - {"CPUUtilization"} == {"MemoryUtilization"}
    stream = next(name for _, name in batch.logs.streams if name.endswith("/data-log")).rpartition("/")[0]
    assert {point.resource for point in batch.metrics.points} == {f"/aws/sagemaker/TransformJobs/{stream}"}
