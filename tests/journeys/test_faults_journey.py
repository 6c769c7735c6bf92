"""Bad input and faults against a real server: clear typed errors, nothing lost, nothing started by a web page."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from sagelet.server import Server
from tests.journeys.conftest import Client, csv, table
from tests.journeys.test_hosting_journey import plain_model

JSON = {"X-Amz-Target": "SageMaker.ListTrainingJobs", "Content-Type": "application/x-amz-json-1.1"}


def post(server, body: bytes, headers: dict | None = None, path: str = "/"):
    host, port = server.url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    connection.request("POST", path, body, {**JSON, **(headers or {})})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, text


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b'"text"', b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000],
    ids=["cut", "list", "string", "bytes", "deep-list", "deep-object"],
)
def test_what_is_no_json_object_is_a_serialization_error(server, body):
    status, text = post(server, body)
    assert status == 400 and json.loads(text)["__type"] == "SerializationException"


def test_an_unknown_operation_is_named(server):
    status, text = post(server, b"{}", {"X-Amz-Target": "SageMaker.MakeCoffee"})
    assert status == 404 and "MakeCoffee" in json.loads(text)["message"]


def test_wrong_types_are_named(server):
    status, text = post(server, b'{"MaxResults": "ten"}')
    assert status == 400
    assert "maxresults" in json.loads(text)["message"].lower()


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:4577"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
def test_a_web_page_cannot_ask_for_anything(server, headers):
    status, text = post(server, b"{}", headers)
    assert status == 403 and json.loads(text)["__type"] == "AccessDeniedException"


def test_our_own_origin_and_aws_host_names_may_ask(server):
    for headers in ({"Origin": server.url}, {"Host": "api.sagemaker.us-east-1.amazonaws.com"}):
        assert post(server, b"{}", headers)[0] == 200


def test_tls_on_the_plain_port_and_hang_ups_do_not_hurt(server, client):
    host, port = server.url.removeprefix("http://").split(":")
    for payload in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Le",
        b"\0" * 100,
    ):
        with socket.create_connection((host, int(port)), timeout=10) as sock:
            sock.sendall(payload)
    with socket.create_connection((host, int(port)), timeout=10) as sock:
        sock.sendall(b"PUT /cut-bucket/key HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nonly this")
    assert client.sagemaker.list_training_jobs()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_second_server_on_the_same_folder_is_refused(server):
    done = subprocess.run(
        [sys.executable, "-m", "sagelet", "up", "--port", "0", "--data-dir", str(server.data_dir)],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1
    assert str(server.data_dir) in done.stderr and "in use" in done.stderr


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly_and_leaves_no_process(own_server, how):
    own_server.start()
    client = Client(own_server)
    bucket = client.bucket()
    client.s3.put_object(Bucket=bucket, Key="train/rows.csv", Body=csv(table()))
    job = client.train(bucket, wait=False, HyperParameters={"num_round": "10000000", "objective": "reg:squarederror"})
    client.settle(lambda: {"s": "x" if started(client, job["TrainingJobName"]) else "InProgress"}, "s")
    os.kill(own_server.pid, how)
    assert own_server._process.wait(30) == 0
    assert not processes_of(own_server.data_dir)
    own_server.start()
    client = Client(own_server)
    answer = client.sagemaker.describe_training_job(TrainingJobName=job["TrainingJobName"])
    if answer["TrainingJobStatus"] == "Failed":
        assert "stopped" in answer["FailureReason"]
    else:
        client.sagemaker.stop_training_job(TrainingJobName=job["TrainingJobName"])


def started(client, job: str) -> bool:
    return client.sagemaker.describe_training_job(TrainingJobName=job)["SecondaryStatus"] == "Training"


def processes_of(folder) -> list[str]:
    """Command lines of processes that name the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(folder) in line and int(entry.name) != os.getpid():
            found.append(line)
    return found


def test_nothing_that_was_acknowledged_is_lost_by_kill_9(own_server):
    own_server.start()
    client = Client(own_server)
    bucket = client.bucket()
    client.s3.put_object(Bucket=bucket, Key="train/rows.csv", Body=csv(table()))
    client.of("iam").create_role(RoleName="mine", AssumeRolePolicyDocument="{}")
    parameter = client.of("ssm").put_parameter(Name="p", Value="v", Type="String")
    assert parameter["Version"] == 1
    done = client.train(bucket)["TrainingJobName"]
    _, packed = plain_model()
    client.s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=packed)
    endpoint = client.deploy(f"s3://{bucket}/model.tar.gz")
    before = client.invoke(endpoint, "0.1,0.2,0.3")
    own_server.kill()
    own_server.start()
    client = Client(own_server)
    assert client.sagemaker.describe_training_job(TrainingJobName=done)["TrainingJobStatus"] == "Completed"
    assert client.text(bucket, "train/rows.csv").encode() == csv(table())
    assert client.of("iam").get_role(RoleName="mine")["Role"]["RoleName"] == "mine"
    assert client.of("ssm").get_parameter(Name="p")["Parameter"]["Value"] == "v"
    client.in_service(endpoint)

    def answers():
        try:
            return {"s": client.invoke(endpoint, "0.1,0.2,0.3")}
        except ClientError:
            return {"s": "InProgress"}

    assert client.settle(answers, "s")["s"] == before


@pytest.mark.parametrize("pause", [0.0, 0.02, 0.05, 0.1, 0.3, 0.8])
def test_a_job_survives_kill_9_at_any_phase_or_says_why_not(own_server, pause):
    own_server.start()
    client = Client(own_server)
    bucket = client.bucket()
    client.s3.put_object(Bucket=bucket, Key="train/rows.csv", Body=csv(table()))
    job = client.train(bucket, wait=False, HyperParameters={"num_round": "200", "objective": "reg:squarederror"})
    time.sleep(pause)
    own_server.kill()
    own_server.start()
    client = Client(own_server)
    answer = client.settle(lambda: client.sagemaker.describe_training_job(**job), "TrainingJobStatus")
    if answer["TrainingJobStatus"] == "Completed":
        where = answer["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{bucket}/")
        assert client.s3.head_object(Bucket=bucket, Key=where)["ContentLength"] > 0
    else:
        assert answer["TrainingJobStatus"] == "Failed" and answer["FailureReason"]
    own_server.stop()
    assert not processes_of(own_server.data_dir)


def test_hanging_invocations_do_not_keep_a_describe_waiting(own_server):
    """64 invocations hang in a stopped model server; a Describe still answers at once."""
    own_server.start()
    client = Client(own_server)
    bucket = client.bucket()
    client.s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=plain_model()[1])
    endpoint = client.deploy(f"s3://{bucket}/model.tar.gz")
    hosts = host_pids(own_server.data_dir)
    assert hosts
    host, port = own_server.url.removeprefix("http://").split(":")
    head = f"POST /endpoints/{endpoint}/invocations HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: text/csv\r\n"
    payload = head + "Content-Length: 5\r\n\r\n1,2,3"
    hanging = []
    for pid in hosts:
        os.kill(pid, signal.SIGSTOP)
    try:
        hanging = [socket.create_connection((host, int(port))) for _ in range(64)]
        for sock in hanging:
            sock.sendall(payload.encode())
        times = []
        for _ in range(20):
            began = time.perf_counter()
            client.sagemaker.list_training_jobs()
            times.append(time.perf_counter() - began)
        assert sorted(times)[10] < 0.05
    finally:
        for pid in hosts:
            os.kill(pid, signal.SIGCONT)
        for sock in hanging:
            sock.close()


def host_pids(folder) -> list[int]:
    """Pids of the programs of model servers: all that descend from the supervisors that the run folders name."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    supervisors = {json.loads(f.read_text())["pid"] for f in (folder / "work").glob("host-*/process/process.json")}
    found, more = set(supervisors), set(supervisors)
    while more:
        more = {pid for pid, parent in parents.items() if parent in more}
        found |= more
    return sorted(found - supervisors)


def test_credentials_of_an_assumed_role_act_in_the_roles_account(client):
    other = "arn:aws:iam::999988887777:role/theirs"
    given = client.of("sts").assume_role(RoleArn=other, RoleSessionName="session")["Credentials"]
    session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], "us-east-1")
    theirs = session.client("sagemaker", endpoint_url=client.server.url)
    arn = theirs.create_model_package_group(ModelPackageGroupName="g")["ModelPackageGroupArn"]
    assert arn == "arn:aws:sagemaker:us-east-1:999988887777:model-package-group/g"
    with pytest.raises(ClientError):
        client.sagemaker.describe_model_package_group(ModelPackageGroupName="g")


def test_a_model_server_that_dies_is_replaced(own_server):
    own_server.start()
    client = Client(own_server)
    bucket = client.bucket()
    client.s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=plain_model()[1])
    endpoint = client.deploy(f"s3://{bucket}/model.tar.gz")
    before = client.invoke(endpoint, "0.1,0.2,0.3")
    died = host_pids(own_server.data_dir)
    for pid in died:
        os.kill(pid, signal.SIGKILL)

    def again():
        try:
            return {"s": client.invoke(endpoint, "0.1,0.2,0.3")}
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ModelError"
            return {"s": "InProgress"}

    assert client.settle(again, "s")["s"] == before
    assert client.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"] == "InService"
    assert not set(died) & set(host_pids(own_server.data_dir))


def test_an_external_s3_is_used_instead_of_the_own_one(server, tmp_path):
    """One server stands for the external S3 of another."""
    outside = Client(server)
    bucket = outside.bucket()
    outside.s3.put_object(Bucket=bucket, Key="train/rows.csv", Body=csv(table()))
    with Server(tmp_path / "inside", ["--executor", "process", "--s3-endpoint", server.url]) as inside:
        client = Client(inside)
        job = client.train(bucket)
        assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
        key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{bucket}/")
        assert client.s3.head_object(Bucket=bucket, Key=key)["ContentLength"] > 0
    assert outside.s3.head_object(Bucket=bucket, Key=key)["ContentLength"] > 0
