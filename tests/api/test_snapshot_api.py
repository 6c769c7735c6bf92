"""Snapshots over HTTP: streamed both ways, closed to what a web page can send, refused in JSON."""

from __future__ import annotations

import http.client
import io
import json
import socket
import time
import zipfile

import boto3
import pytest
from botocore.config import Config

from tests.api.described import Extension
from tests.api.houses import opened

PATH = "/_sagelet/snapshot"
ZIP = {"Content-Type": "application/zip"}


@pytest.fixture
def door():
    with opened() as door:
        yield door


@pytest.fixture
def ask(door):
    return Extension(door.url)


def s3(door):
    keys = {"aws_access_key_id": "123456789012", "aws_secret_access_key": "x", "region_name": "us-east-1"}
    return boto3.client("s3", endpoint_url=door.url, config=Config(retries={"total_max_attempts": 1}), **keys)


def fill(door):
    s3(door).create_bucket(Bucket="bucket")
    s3(door).put_object(Bucket="bucket", Key="key", Body=b"content")


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_out_of_one_server_into_another(door, ask, method):
    fill(door)
    status, archive = ask.ask("GET", PATH)
    assert status == 200 and zipfile.ZipFile(io.BytesIO(archive)).testzip() is None
    with opened() as other:
        extension = Extension(other.url)
        extension.well("POST", "/_sagelet/clock", {"freeze": True})
        extension.well("POST", "/_sagelet/faults", {"kind": "throttle", "name": "none"})
        status, content = extension.ask(method, PATH, archive, ZIP)
        told = json.loads(content)
        assert status == 200 and told["status"] == "loaded" and told["objects"] == 1
        assert s3(other).get_object(Bucket="bucket", Key="key")["Body"].read() == b"content"
        # As after a reset:
        assert not extension.well("GET", "/_sagelet/clock")["frozen"]
        assert extension.well("GET", "/_sagelet/faults")["faults"] == []


def test_a_body_in_chunks_is_taken_too(door, ask):
    fill(door)
    archive = ask.ask("GET", PATH)[1]
    connection = http.client.HTTPConnection(ask.host, timeout=30)
    connection.request("PUT", PATH, iter([archive[:100], archive[100:]]), ZIP, encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()


def test_the_answer_says_its_name_and_how_much_is_read_for_it(door, ask):
    fill(door)
    connection = http.client.HTTPConnection(ask.host, timeout=30)
    connection.request("GET", PATH)
    reply = connection.getresponse()
    archive = reply.read()
    connection.close()
    name = json.loads(zipfile.ZipFile(io.BytesIO(archive)).read("manifest.json"))["name"]
    assert reply.headers["Content-Disposition"] == f'attachment; filename="{name}.zip"'
    assert int(reply.headers["X-Sagelet-Size"]) >= len(b"content")


def test_a_head_holds_nothing(door, ask):
    fill(door)
    connection = http.client.HTTPConnection(ask.host, timeout=30)
    connection.request("HEAD", PATH)
    assert connection.getresponse().status == 200
    connection.close()
    assert door.house.s3.shelf.blobs._holders == 0


def test_who_hangs_up_lets_go_of_everything(door, ask):
    s3(door).create_bucket(Bucket="bucket")
    s3(door).put_object(Bucket="bucket", Key="key", Body=bytes(range(256)) * 200_000)
    host, port = ask.host.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.sendall(f"GET {PATH} HTTP/1.1\r\nHost: {ask.host}\r\n\r\n".encode())
        assert sock.recv(1000)
    deadline = time.monotonic() + 20
    while door.house.s3.shelf.blobs._holders:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert ask.ask("GET", PATH)[0] == 200


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_another_type_of_content_is_refused(door, ask, kind):
    fill(door)
    archive = ask.ask("GET", PATH)[1]
    status, content = ask.ask("POST", PATH, archive, {"Content-Type": kind})
    assert status == 415 and b"application/zip" in content
    assert s3(door).list_objects_v2(Bucket="bucket")["KeyCount"] == 1


@pytest.mark.parametrize("body", [b"", b"no zip"])
def test_what_is_no_snapshot_is_refused_and_nothing_is_lost(door, ask, body):
    fill(door)
    status, content = ask.ask("POST", PATH, body, ZIP)
    assert status == 400 and json.loads(content)["__type"] == "ValidationException"
    assert s3(door).list_objects_v2(Bucket="bucket")["KeyCount"] == 1


def test_a_body_that_breaks_off_changes_nothing(door, ask):
    fill(door)
    host, port = ask.host.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as sock:
        head = (
            f"PUT {PATH} HTTP/1.1\r\nHost: {ask.host}\r\nContent-Type: application/zip\r\nContent-Length: 1000\r\n\r\n"
        )
        sock.sendall(head.encode() + b"only this")
        sock.shutdown(socket.SHUT_WR)
        assert b"IncompleteBody" in sock.recv(10_000)
    assert s3(door).list_objects_v2(Bucket="bucket")["KeyCount"] == 1
    assert not list(door.house.data_dir.glob("arriv*"))
