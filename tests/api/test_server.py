"""A real server: what it does with requests that are well, odd, hostile or broken off."""

import io
import json
import socket
import ssl
import struct
import threading
import time

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from api import app
from api.server import WORKERS
from emulator.errors import CallerFault, HouseFault
from tests.api.conftest import TARGET, authorization


def raw(client, data: bytes, seconds: float = 10.0) -> bytes:
    """Everything that the server says to these bytes before it closes the connection."""
    with socket.create_connection(("127.0.0.1", client.port), timeout=seconds) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: sock.recv(65536), b""))


def boto(client, service, **more):
    config = Config(retries={"max_attempts": 0}, read_timeout=20, **more)
    session = boto3.Session("test", "test", region_name="eu-west-1")
    return session.client(service, endpoint_url=client.server.url, config=config)


# --- what works -------------------------------------------------------------------------------------------------


def test_port_0_is_reported_truly(server):
    assert server.bind_addr[1] > 0
    assert server.url == f"http://127.0.0.1:{server.bind_addr[1]}"


def test_boto3_asks_and_is_answered(house, client):
    house.answers["DescribeTrainingJob"] = {
        "TrainingJobName": "j",
        "VpcConfig": None,
        "CreationTime": 1.5,
        "Invented": 1,
    }
    answer = boto(client, "sagemaker").describe_training_job(TrainingJobName="j")
    assert answer["CreationTime"].timestamp() == 1.5
    assert set(answer) == {"TrainingJobName", "CreationTime", "ResponseMetadata"}
    call = house.calls[-1]
    assert (call.params, call.scope.region) == ({"TrainingJobName": "j"}, "eu-west-1")
    assert answer["ResponseMetadata"]["RequestId"] == call.request_id


def test_an_operation_without_output_answers_nothing(house, client):
    house.answers["DeleteModel"] = {}
    status, headers, content = client.ask(body=b'{"ModelName":"m"}', headers={"X-Amz-Target": "SageMaker.DeleteModel"})
    assert (status, content, headers["Content-Length"]) == (200, b"", "0")


def test_violations_reach_boto3(client):
    with pytest.raises(ClientError, match=r"1 validation error detected: Value '_' at 'trainingJobName'") as raised:
        boto(client, "sagemaker").describe_training_job(TrainingJobName="_")
    assert raised.value.response["Error"]["Code"] == "ValidationException"


def test_an_invocation_takes_and_gives_binary_bodies(house, client):
    house.answers["InvokeEndpoint"] = lambda call: {
        "Body": call.params["Body"][::-1],
        "ContentType": "application/x-npy",
    }
    body = bytes(range(256)) * 1000
    answer = boto(client, "sagemaker-runtime").invoke_endpoint(EndpointName="e", Body=body, ContentType="a/b")
    assert answer["Body"].read() == body[::-1] and answer["ContentType"] == "application/x-npy"
    assert house.calls[-1].params["ContentType"] == "a/b"


def test_a_response_stream_arrives_part_by_part(house, client):
    go_on = threading.Event()

    def parts(call):
        def events():
            yield {"PayloadPart": {"Bytes": b"first"}}
            assert go_on.wait(10)
            yield {"PayloadPart": {"Bytes": b"second"}}

        return {"Body": events(), "ContentType": "text/plain"}

    house.answers["InvokeEndpointWithResponseStream"] = parts
    answer = boto(client, "sagemaker-runtime").invoke_endpoint_with_response_stream(EndpointName="e", Body=b"")
    events = iter(answer["Body"])
    assert next(events)["PayloadPart"]["Bytes"] == b"first"
    go_on.set()
    assert next(events)["PayloadPart"]["Bytes"] == b"second"
    assert list(events) == []
    answer["Body"].close()


def test_a_stream_that_breaks_ends_with_its_error(house, client):
    def parts(call):
        def events():
            yield {"PayloadPart": {"Bytes": b"first"}}
            raise CallerFault("The model stopped.", code="ModelStreamError", ErrorCode="StreamBroken")

        return {"Body": events()}

    house.answers["InvokeEndpointWithResponseStream"] = parts
    answer = boto(client, "sagemaker-runtime").invoke_endpoint_with_response_stream(EndpointName="e", Body=b"")
    with pytest.raises(Exception, match="The model stopped"):
        list(answer["Body"])
    answer["Body"].close()


def test_a_connection_is_kept_and_nodelay(client):
    with socket.create_connection(("127.0.0.1", client.port), timeout=10) as sock:
        request = _post(client, b"{}")
        for _ in range(3):
            sock.sendall(request)
            assert b"200 OK" in _one_reply(sock)
        time.sleep(0.05)  # the worker has let go of it; the acceptor takes it up again
        sock.sendall(request + request)
        assert b"200 OK" in _one_reply(sock) and b"200 OK" in _one_reply(sock)


def _post(client, body: bytes, **headers) -> bytes:
    named = {**TARGET, "Host": f"127.0.0.1:{client.port}", "Content-Length": str(len(body)), **headers}
    return "POST / HTTP/1.1\r\n{}\r\n\r\n".format("\r\n".join(f"{k}: {v}" for k, v in named.items())).encode() + body


def _one_reply(sock) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += sock.recv(1)
    length = int(data.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(data.partition(b"\r\n\r\n")[2]) != length:
        data += sock.recv(length)
    return data


# --- what is refused --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"MaxResults":' + b"9" * 10_000 + b"}",
        b'{"NameContains": "\\ud800"}',
        b'{"MaxResults": "ten"}',
        b'{"MaxResults": 1.5}',
        b'{"MaxResults": true}',
        b'{"NameContains": 5}',
        b'{"NameContains": {"a": []}}',
        b'{"CreationTimeAfter": "yesterday"}',
        b'{"CreationTimeAfter": 1e300}',
    ],
    ids=lambda body: body[:24].decode("latin-1"),
)
def test_what_is_not_a_request_is_a_serialization_error(house, client, body):
    status, answer = client.json(body=body)
    assert (status, answer["__type"]) == (400, "SerializationException")
    assert answer["message"] == answer["Message"] and not house.calls


def test_deep_but_valid_nesting_is_refused_and_harmless(client):
    nested = {"Filters": []}
    for _ in range(400):
        nested = {"SubExpressions": [nested]}
    body = json.dumps({"Resource": "TrainingJob", "SearchExpression": nested}).encode()
    status, answer = client.json(body=body, headers={"X-Amz-Target": "SageMaker.Search"})
    assert (status, answer["__type"]) == (400, "SerializationException")


def test_unknown_members_are_ignored_and_null_is_absent(house, client):
    status, _ = client.json(body=b'{"MaxResults": null, "Unknown": {"a": 1}}')
    assert status == 200 and house.calls[-1].params == {}


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("SageMaker.MakeCoffee", 404, "UnknownOperationException"),
        ("Nonsense", 404, "UnknownOperationException"),
        ("SageMaker.ListSpaces", 501, "NotImplementedException"),
    ],
)
def test_what_nobody_does_is_refused_by_name(client, target, status, code):
    found, answer = client.json(headers={"X-Amz-Target": target})
    assert (found, answer["__type"]) == (status, code)
    assert target.partition(".")[2] in answer["message"]


def test_boto3_does_not_retry_what_is_not_built(client, house):
    sagemaker = boto3.Session("test", "test", region_name="us-east-1").client(
        "sagemaker", endpoint_url=client.server.url
    )
    with pytest.raises(ClientError, match="ListSpaces of sagemaker") as raised:
        sagemaker.list_spaces()
    assert raised.value.response["ResponseMetadata"]["RetryAttempts"] == 0


@pytest.mark.parametrize("error", [ZeroDivisionError("secret"), HouseFault("secret", ("step one",))])
def test_a_bug_is_an_internal_failure_and_is_logged_with_its_story(house, client, caplog, error):
    def fail(call):
        raise error

    house.answers["ListTrainingJobs"] = fail
    status, answer = client.json()
    assert (status, answer["__type"]) == (500, "InternalFailure") and "secret" not in json.dumps(answer)
    assert "secret" in caplog.text and "ListTrainingJobs" in caplog.text
    assert "step one" in caplog.text or isinstance(error, ZeroDivisionError)


def test_modelled_status_and_members_of_an_invocation_error(house, client):
    def fail(call):
        members = {"OriginalStatusCode": 400, "OriginalMessage": "bad row", "LogStreamArn": "arn:x"}
        raise CallerFault("Received client error (400) from primary.", code="ModelError", **members)

    house.answers["InvokeEndpoint"] = fail
    with pytest.raises(ClientError) as raised:
        boto(client, "sagemaker-runtime").invoke_endpoint(EndpointName="e", Body=b"")
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert raised.value.response["OriginalStatusCode"] == 400
    assert raised.value.response["Error"]["Message"] == "Received client error (400) from primary."


def test_26_mb_reach_the_operation_cut_and_the_answer_reaches_the_client(house, client):
    def weigh(call):
        raise CallerFault(f"{len(call.params['Body'])} bytes", code="ValidationError")

    house.answers["InvokeEndpoint"] = weigh
    with pytest.raises(ClientError, match=f"{25 * 1024 * 1024 + 1} bytes"):
        boto(client, "sagemaker-runtime").invoke_endpoint(EndpointName="e", Body=b"x" * (60 * 1024 * 1024))


def test_a_huge_json_body_is_refused_without_being_read_into_memory(client):
    status, answer = client.json(body=b" " * (17 * 1024 * 1024))
    assert (status, answer["__type"]) == (413, "RequestEntityTooLargeException")


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}])
@pytest.mark.parametrize(
    ("method", "path", "signed"), [("POST", "/", ""), ("GET", "/bucket/key", "s3"), ("POST", "/_sagelet/reset", "")]
)
def test_a_web_page_is_kept_out_of_everything(house, client, headers, method, path, signed):
    status, answer = client.json(method, path, b"", headers, signed)
    assert (status, answer["__type"]) == (403, "AccessDeniedException")
    assert not house.calls and not house.resets


# --- what is broken ---------------------------------------------------------------------------------------------


def test_tls_on_the_plain_port_is_answered_at_once(client):
    began = time.monotonic()
    secure = ssl._create_unverified_context()
    with socket.create_connection(("127.0.0.1", client.port), timeout=10) as sock:
        inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = secure.wrap_bio(inward, outward, server_hostname="localhost")
        with pytest.raises(ssl.SSLWantReadError):
            session.do_handshake()
        sock.sendall(outward.read())
        inward.write(sock.recv(65536))
        with pytest.raises(ssl.SSLError, match="WRONG_VERSION_NUMBER"):
            session.do_handshake()
    answer = raw(client, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    assert b"400 Bad Request" in answer and b"plain HTTP" in answer
    assert time.monotonic() - began < 30
    assert client.ask()[0] == 200


@pytest.mark.parametrize(
    "data",
    [
        b"\0" * 100 + b"\r\n\r\n",
        b"NONSENSE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"post / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"y" * 300_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 300_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET //[ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    ],
    ids=lambda data: data[:40].decode("latin-1").encode("unicode_escape").decode(),
)
def test_malformed_http_is_refused_as_json(client, data):
    answer = raw(client, data)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split()[1][:1] in b"45" and b"application/x-amz-json-1.1" in head
    assert json.loads(body)["__type"]
    assert client.ask()[0] == 200


@pytest.mark.parametrize("data", [b"GET / HT", b"POST / HTTP/1.1\r\nHost: x", b""])
def test_whoever_falls_silent_is_let_go(client, data, monkeypatch):
    monkeypatch.setattr(client.server, "timeout", 0.2)
    with socket.create_connection(("127.0.0.1", client.port), timeout=10) as sock:
        sock.sendall(data)
        said = b"".join(iter(lambda: sock.recv(65536), b""))
    assert said.startswith(b"HTTP/1.1 408") and json.loads(said.partition(b"\r\n\r\n")[2])["message"]


def test_quiet_connections_hold_no_thread(client):
    socks = [socket.create_connection(("127.0.0.1", client.port), timeout=10) for _ in range(2 * WORKERS)]
    try:
        for _ in range(2):
            for sock in socks:
                sock.sendall(_post(client, b"{}"))
                assert b" 200 " in _one_reply(sock)
    finally:
        for sock in socks:
            sock.close()


@pytest.mark.parametrize(
    "framing", [{"Content-Length": "1000"}, {"Content-Length": "0", "Transfer-Encoding": "chunked"}]
)
def test_a_truncated_body_starts_nothing(house, client, framing):
    answer = raw(client, _post(client, b'3e8\r\n{"MaxResults', **framing))
    assert b"400" in answer.split(b"\r\n")[0] and b"IncompleteBody" in answer
    assert not house.calls
    assert client.ask()[0] == 200


def test_a_client_that_hangs_up_in_the_middle_hurts_nobody(house, client, caplog):
    for data in (
        b"",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Le",
        _post(client, b"{")[:-1],
        _post(client, b"{}"),
    ):
        sock = socket.create_connection(("127.0.0.1", client.port))
        sock.sendall(data)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()  # RST
    assert client.ask()[0] == 200
    assert "Traceback" not in caplog.text


def test_a_reader_that_leaves_a_stream_lets_go_of_its_source(house, client):
    closed = threading.Event()

    def parts(call):
        def events():
            try:
                while True:
                    yield {"PayloadPart": {"Bytes": b"x" * 65536}}
            finally:
                closed.set()

        return {"Body": events()}

    house.answers["InvokeEndpointWithResponseStream"] = parts
    answer = boto(client, "sagemaker-runtime").invoke_endpoint_with_response_stream(EndpointName="e", Body=b"")
    next(iter(answer["Body"]))
    answer["Body"].close()
    assert closed.wait(10)


def test_hanging_invocations_starve_nobody_and_are_bounded(house, client, monkeypatch):
    go_on, waiting = threading.Event(), threading.Semaphore(0)

    def hang(call):
        waiting.release()
        assert go_on.wait(30)
        return {"Body": b"late"}

    house.answers["InvokeEndpoint"] = hang
    path, statuses = "/endpoints/e/invocations", []
    threads = [
        threading.Thread(target=lambda: statuses.append(client.ask("POST", path, b"")[0]))
        for _ in range(app.INVOCATIONS)
    ]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert waiting.acquire(timeout=20)
    began = time.monotonic()
    assert client.ask()[0] == 200
    assert time.monotonic() - began < 15
    status, answer = client.json("POST", path, b"")
    assert (status, answer["__type"]) == (503, "ServiceUnavailable")
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert statuses == [200] * app.INVOCATIONS
    assert client.ask("POST", path, b"")[0] == 200


# --- neighbours and pages ---------------------------------------------------------------------------------------


def test_other_services_get_the_request_as_it_came(house, client):
    status, headers, content = client.ask("POST", "/a%2Fb?x=1&y", b"\x00cbor", {"X-Amz-Target": "T.Op"}, "monitoring")
    assert (status, headers["X-From"], content) == (202, "monitoring", b"neighbour")
    request, body = house.neighbours.asked[0]
    assert (request.method, request.path, request.query, body) == ("POST", "/a%2Fb", "x=1&y", b"\x00cbor")
    assert request.headers["x-amz-target"] == "T.Op" and request.scope.region == "us-east-1"


def test_our_pages(house, client):
    assert client.json("GET", "/_sagelet/health", None, signed="") == (200, {"status": "ok"})
    status, answer = client.json("GET", "/_sagelet/status", None, signed="")
    assert status == 200 and answer["pid"] == 1 and answer["version"]
    _, answer = client.json("GET", '/_sagelet/logs?job=my-job&places={"a":1}', None, signed="")
    assert answer == {"lines": ["my-job 1", "my-job 2"], "more": False, "over": True, "unknown": False}
    assert len(client.json("GET", "/_sagelet/logs?job=j&places=[x", None, signed="")[1]["lines"]) == 3
    assert client.json("GET", "/_sagelet/reset", None, signed="")[0] == 405 and house.resets == 0
    assert client.json("POST", "/_sagelet/reset", b"", signed="")[0] == 200 and house.resets == 1
    status, answer = client.json("GET", "/_sagelet/nothing", None, signed="")
    assert status == 404 and "/_sagelet/nothing" in answer["message"]


def test_a_fault_in_our_pages_is_json_too(house, client):
    house.status = lambda: 1 / 0
    status, answer = client.json("GET", "/_sagelet/status", None, signed="")
    assert (status, answer["__type"]) == (500, "InternalFailure")


# --- S3 through the same door -----------------------------------------------------------------------------------


def test_s3_objects_stream_through(house, client):
    stored = {}

    def put(call):
        stored["data"] = call.params["Body"].read()
        stored["metadata"] = call.params["Metadata"]
        return {"ETag": '"e"'}

    house.answers["PutObject"] = put
    house.answers["GetObject"] = lambda call: {"Body": io.BytesIO(stored["data"]), "ContentLength": len(stored["data"])}
    s3 = boto(client, "s3", s3={"addressing_style": "path"}, request_checksum_calculation="when_required")
    data = bytes(range(256)) * 4096
    s3.put_object(Bucket="b", Key="k/ä ü%2F+", Body=data, Metadata={"under_score": "1", "dash-ed": "2"})
    call = house.calls[-1]
    assert (call.service, call.params["Bucket"], call.params["Key"]) == ("s3", "b", "k/ä ü%2F+")
    assert stored["metadata"] == {"under_score": "1", "dash-ed": "2"}
    assert s3.get_object(Bucket="b", Key="k")["Body"].read() == data


def test_virtual_hosted_buckets_and_head(house, client):
    house.answers["HeadObject"] = {"ContentLength": 12345, "ETag": '"e"'}
    headers = {"Host": "my.bucket.s3.us-east-1.amazonaws.com", "Authorization": authorization("s3")}
    status, answer, content = client.ask("HEAD", "/some/key", None, headers)
    assert (status, answer["Content-Length"], content) == (200, "12345", b"")
    assert house.calls[-1].params == {"Bucket": "my.bucket", "Key": "some/key"}


def test_s3_faults_are_xml(house, client):
    status, _, content = client.ask("GET", "/b/k", None, signed="s3")
    assert status == 400 and content.startswith(b"<?xml") and b"Nothing was prepared for GetObject" in content
