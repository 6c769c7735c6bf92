"""Doors for one key: real sockets on other addresses of the loopback, real boto3, a real house behind them."""

from __future__ import annotations

import errno
import http.client
import io
import json
import socket
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from api import serve
from api.gateways import Gateways
from api.server import Server
from emulator.call import Scope
from emulator.house import House
from emulator.settings import Settings

ROLE = "arn:aws:iam::210987654321:role/service-role/Trainer"
HERE = "127.0.0.2"
BRIDGE = Scope("123456789012", "eu-west-1")
ONE_TRY = {"retries": {"total_max_attempts": 1}, "read_timeout": 30}


@dataclass
class Place:
    """A house with its front door, and what a job in it would be given."""

    house: House
    gateways: Gateways
    given: dict[str, str]

    def aws(self, service: str, port: int, given: dict[str, str] | None = None, host: str = HERE, **config: Any) -> Any:
        keys = self.given if given is None else given
        return boto3.client(
            service,
            endpoint_url=f"http://{host}:{port}",
            region_name="eu-west-1",
            aws_access_key_id=keys.get("AWS_ACCESS_KEY_ID", "test"),
            aws_secret_access_key=keys.get("AWS_SECRET_ACCESS_KEY", "test"),
            aws_session_token=keys.get("AWS_SESSION_TOKEN"),
            config=Config(**{**ONE_TRY, **config}),
        )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    before = set(threading.enumerate())
    house = House.open(Settings(data_dir=tmp_path_factory.mktemp("house"), executor="stub"))
    server = Server("127.0.0.1", 0, workers=20)
    server.expiration_interval = 0.02
    server.prepare()
    serve.settle_in(house, server)
    thread = threading.Thread(target=server.serve)
    thread.start()
    assert isinstance(house.gateways, Gateways)
    yield Place(house, house.gateways, dict(house.credentials(ROLE, BRIDGE)))
    house.close()
    house.gateways.close_all()
    server.stop()
    thread.join()
    assert not [left for left in threading.enumerate() if left not in before]


@pytest.fixture
def port(place: Place) -> Iterator[int]:
    opened = place.gateways.open(HERE, place.given["AWS_ACCESS_KEY_ID"])
    yield opened
    place.gateways.close(HERE, opened)


def test_a_job_reads_writes_and_describes_through_its_door(place: Place, port: int) -> None:
    caller = place.aws("sts", port).get_caller_identity()
    assert caller["Arn"] == "arn:aws:sts::210987654321:assumed-role/Trainer/SageMaker"
    s3 = place.aws("s3", port)
    s3.create_bucket(Bucket="mine", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    large = bytes(range(256)) * 40_000  # 10 MB: more than any buffer on the way
    s3.put_object(Bucket="mine", Key="large", Body=io.BytesIO(large))
    assert s3.get_object(Bucket="mine", Key="large")["Body"].read() == large
    s3.upload_fileobj(io.BytesIO(large), "mine", "parts")
    assert s3.head_object(Bucket="mine", Key="parts")["ContentLength"] == len(large)
    sagemaker = place.aws("sagemaker", port)
    sagemaker.create_model_package_group(ModelPackageGroupName="group")
    found = sagemaker.describe_model_package_group(ModelPackageGroupName="group")
    assert found["ModelPackageGroupArn"].startswith("arn:aws:sagemaker:eu-west-1:210987654321:")
    with pytest.raises(ClientError, match="Endpoint nobody of account 210987654321 not found"):
        place.aws("sagemaker-runtime", port).invoke_endpoint(EndpointName="nobody", Body=b"")


@pytest.mark.parametrize(("version", "name"), [("s3v4", "X-Amz-Security-Token="), ("s3", "x-amz-security-token=")])
def test_presigned_urls_carry_key_and_token(place: Place, port: int, version: str, name: str) -> None:
    s3 = place.aws("s3", port, signature_version=version)
    s3.create_bucket(Bucket=f"by-{version}", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket=f"by-{version}", Key="k", Body=b"hello")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": f"by-{version}", "Key": "k"})
    assert name in url
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.read() == b"hello"
    cut = url.replace(name, name + "x")
    assert ask(port, urlsplit(cut).path + "?" + urlsplit(cut).query)[0] == 403
    twice = {"Authorization": authorization("s3", place.given["AWS_ACCESS_KEY_ID"])}
    assert ask(port, urlsplit(url).path + "?" + urlsplit(url).query, headers=twice)[0] == 403


@pytest.mark.parametrize("service", ["s3", "sagemaker", "sagemaker-runtime", "sts", "logs", "events"])
def test_other_keys_and_no_keys_are_refused_in_the_protocol_of_the_request(
    place: Place, port: int, service: str
) -> None:
    other = dict(place.house.credentials(ROLE, BRIDGE))
    without = {**place.given, "AWS_SESSION_TOKEN": ""}
    stolen = {**place.given, "AWS_SESSION_TOKEN": other["AWS_SESSION_TOKEN"]}
    keyless: dict[str, str] = {}
    for given in (other, without, stolen, keyless, {"AWS_ACCESS_KEY_ID": "210987654321"}):
        assert refusal(place.aws(service, port, given)) == 403
    assert refusal(place.aws(service, port, signature_version=UNSIGNED)) == 403


def refusal(client: Any) -> int:
    """The status of a refusal that boto3 could read."""
    asks = {
        "s3": lambda: client.list_buckets(),
        "api.sagemaker": lambda: client.list_training_jobs(),
        "runtime.sagemaker": lambda: client.invoke_endpoint(EndpointName="e", Body=b""),
        "sts": lambda: client.get_caller_identity(),
        "logs": lambda: client.describe_log_groups(),
        "events": lambda: client.list_rules(),
    }
    with pytest.raises(ClientError) as caught:
        asks[client.meta.service_model.endpoint_prefix]()
    error = caught.value.response["Error"]
    assert error["Code"] in ("AccessDenied", "AccessDeniedException")
    assert error["Message"].startswith("This address answers only requests that are signed with the key of the job")
    return int(caught.value.response["ResponseMetadata"]["HTTPStatusCode"])


def authorization(service: str, key: str) -> str:
    scope = f"{key}/20240501/eu-west-1/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"


def ask(port: int, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(HERE, port, timeout=10)
    connection.request(method, path, headers=headers or {})
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    return reply.status, content


def test_our_own_pages_and_foreign_hosts_are_not_for_jobs(place: Place, port: int) -> None:
    assert ask(port, "/_sagelet/health")[0] == 403
    assert ask(port, "/_sagelet/reset", method="POST")[0] == 403
    signed = {
        "Authorization": authorization("s3", place.given["AWS_ACCESS_KEY_ID"]),
        "X-Amz-Security-Token": place.given["AWS_SESSION_TOKEN"],
    }
    status, content = ask(port, "/_sagelet/status", signed)
    assert status == 404 and b"NoSuchBucket" in content and b"data_dir" not in content
    assert ask(port, "/", signed)[0] == 200
    assert ask(port, "/", {**signed, "Host": f"host.docker.internal:{port}"})[0] == 200
    status, content = ask(port, "/", {**signed, "Host": "rebound.example:80"})
    assert status == 403 and "not a name of this server" in json.loads(content)["message"]
    old = {**signed, "Authorization": f"AWS {place.given['AWS_ACCESS_KEY_ID']}:c2ln"}
    assert ask(port, "/", old)[0] == 200
    assert ask(port, "/", {**old, "X-Amz-Security-Token": "x"})[0] == 403


def test_a_door_is_opened_again_at_the_same_place_and_closed_for_good(place: Place, port: int) -> None:
    key = place.given["AWS_ACCESS_KEY_ID"]
    assert place.gateways.open(HERE, key, port) == port
    with pytest.raises(OSError, match="open for another key") as taken:
        place.gateways.open(HERE, "ASIAOTHER", port)
    assert taken.value.errno == errno.EADDRINUSE
    place.gateways.close(HERE, port)
    place.gateways.close(HERE, port)
    with pytest.raises(OSError):
        socket.create_connection((HERE, port), timeout=2)
    assert place.gateways.open(HERE, key, port) == port
    assert place.aws("sts", port).get_caller_identity()["Account"] == "210987654321"


def test_an_address_of_another_machine_is_named(place: Place) -> None:
    with pytest.raises(
        OSError, match=r"cannot listen on 192\.0\.2\.1:0 for a job .*address of this machine"
    ) as refused:
        place.gateways.open("192.0.2.1", "ASIAX")
    assert refused.value.errno == errno.EADDRNOTAVAIL


def test_doors_know_only_their_own_key_and_end_with_all_their_threads(place: Place) -> None:
    before = set(threading.enumerate())
    second = dict(place.house.credentials(ROLE, BRIDGE))
    one = place.gateways.open("127.0.0.3", place.given["AWS_ACCESS_KEY_ID"])
    two = place.gateways.open("127.0.0.4", second["AWS_ACCESS_KEY_ID"])
    for host, number, given in (("127.0.0.3", one, place.given), ("127.0.0.4", two, second)):
        assert place.aws("sts", number, given, host).get_caller_identity()["Account"] == "210987654321"
    assert refusal(place.aws("sts", one, second, "127.0.0.3")) == 403
    with socket.create_connection(("127.0.0.3", one), timeout=5) as idle:  # who hangs on keeps no door open
        place.gateways.close("127.0.0.3", one)
        place.gateways.close("127.0.0.4", two)
        assert idle.recv(1) == b""
    assert not [left for left in threading.enumerate() if left not in before]


def test_keys_outlive_the_server(place: Place, tmp_path: Path) -> None:
    house = House.open(Settings(data_dir=tmp_path, executor="stub"))
    given = house.credentials(ROLE, BRIDGE)
    house.close()
    house = House.open(Settings(data_dir=tmp_path, executor="stub"))
    assert house.neighbours.holds(given["AWS_ACCESS_KEY_ID"], given["AWS_SESSION_TOKEN"])
    assert not house.neighbours.holds(given["AWS_ACCESS_KEY_ID"], "")
    assert given["AWS_SESSION_TOKEN"] not in (tmp_path / "neighbours" / "identities").read_text()
    house.close()
