"""What boto3 does not send by itself: chunked bodies, hang-ups, broken documents; and every operation's route."""

from __future__ import annotations

import base64
import io
import socket
import time
import urllib.request
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.serialize import create_serializer

from api.wire import WireRequest, presigned, restxml, xmlroutes
from emulator import spec
from emulator.errors import CallerFault
from emulator.neighbours.s3 import S3
from tests.neighbours.s3_server import house, serving

BUCKET = "sagemaker-us-east-1-123456789012"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with house(tmp_path_factory.mktemp("s3")) as found:
        yield found


@pytest.fixture(scope="module")
def url(service: S3) -> Iterator[str]:
    with serving(service) as address:
        yield address


def send(url: str, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    lines = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url + path, data=body or None, method=method, headers=lines)
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.status, reply.read()
    except HTTPError as refused:
        with refused:
            return refused.code, refused.read()


def crc(body: bytes) -> str:
    return base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()


def chunked(body: bytes, size: int, signature: str = "", trailer: str = "") -> bytes:
    out = b""
    for start in [*range(0, len(body), size), len(body)]:
        chunk = body[start : start + size]
        out += f"{len(chunk):x}{signature}\r\n".encode() + chunk + (b"\r\n" if chunk else b"")
    return out + trailer.encode() + b"\r\n"


SIGNED = ";chunk-signature=" + "a" * 64


@pytest.mark.parametrize(
    ("kind", "signature", "trailer"),
    [
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", SIGNED, ""),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", "", "x-amz-checksum-crc32:{crc}\r\n"),
        (
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", SIGNED,
            "x-amz-checksum-crc32:{crc}\r\nx-amz-trailer-signature:b\r\n",
        ),
    ],
)  # fmt: skip
def test_chunked_bodies(url: str, service: S3, kind: str, signature: str, trailer: str) -> None:
    body = bytes(range(256)) * 600
    headers = {
        "x_amz_content_sha256": kind, "content_encoding": "aws-chunked,gzip", "x_amz_trailer": "x-amz-checksum-crc32",
        "x_amz_decoded_content_length": str(len(body)),
    }  # fmt: skip
    if not trailer:
        del headers["x_amz_trailer"]
    wrapped = chunked(body, 65536, signature, trailer.format(crc=crc(body)))
    assert send(url, "PUT", f"/{BUCKET}/chunked", wrapped, **headers)[0] == 200
    assert send(url, "GET", f"/{BUCKET}/chunked")[1] == body
    found = service.shelf.index.get(BUCKET, "chunked")
    assert found is not None and found.facts["ContentEncoding"] == "gzip"
    assert found.facts["checksums"] == ({"ChecksumCRC32": crc(body), "ChecksumType": "FULL_OBJECT"} if trailer else {})
    if trailer:
        wrapped = chunked(body, 65536, signature, trailer.format(crc="AAAAAA=="))
        status, text = send(url, "PUT", f"/{BUCKET}/wrong", wrapped, **headers)
        assert status == 400 and b"<Code>BadDigest</Code>" in text
    for broken in (wrapped[:-2000], b"zz\r\n" + wrapped, b"-1\r\n\r\n", chunked(body[:-1], 65536, signature)):
        status, text = send(url, "PUT", f"/{BUCKET}/wrong", broken, **headers)
        assert status == 400, text
    assert service.shelf.index.get(BUCKET, "wrong") is None and no_drafts(service)


def no_drafts(service: S3) -> bool:
    for _ in range(100):
        if not any(service.shelf.blobs._tmp.iterdir()):
            return True
        time.sleep(0.02)
    return False


def test_a_client_that_hangs_up_stores_nothing(url: str, service: S3) -> None:
    host, port = urlsplit(url).hostname, urlsplit(url).port
    for headers in ("content-length: 1000000", "transfer-encoding: chunked"):
        with socket.create_connection((host, port)) as line:
            request = f"PUT /{BUCKET}/hung HTTP/1.1\r\nhost: x\r\n{headers}\r\n\r\n"
            line.sendall(request.encode() + (b"" if "length" in headers else b"fffff\r\n") + b"x" * 400_000)
    time.sleep(0.1)
    assert no_drafts(service)
    assert service.shelf.index.get(BUCKET, "hung") is None


def test_the_payload_hash_is_verified(url: str) -> None:
    status, text = send(url, "PUT", f"/{BUCKET}/hash", b"abc", x_amz_content_sha256="0" * 64)
    assert status == 400 and b"XAmzContentSHA256Mismatch" in text


@pytest.mark.parametrize(
    "document",
    [
        b"<Delete><Object>", b"{}", b"<Delete/>", b"<Delete></Delete>\x00", b"<Delete><Object></Object></Delete>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><Delete><Object><Key>&a;</Key></Object></Delete>',
        b"<a>" * 100_000, b"<a>" * 100_000 + b"</a>" * 100_000,
    ],
)  # fmt: skip
def test_broken_documents(url: str, document: bytes) -> None:
    status, text = send(url, "POST", f"/{BUCKET}?delete", document)
    assert status == 400 and b"<Code>MalformedXML</Code>" in text


def test_faults_have_no_document_where_http_forbids_one(url: str) -> None:
    assert send(url, "HEAD", f"/{BUCKET}/absent") == (404, b"")
    etag = urllib.request.urlopen(urllib.request.Request(f"{url}/{BUCKET}/e", data=b"1", method="PUT"))
    with etag as reply:
        assert send(url, "GET", f"/{BUCKET}/e", If_None_Match=reply.headers["etag"]) == (304, b"")


def test_unknown_methods_and_empty_documents(url: str) -> None:
    status, text = send(url, "PATCH", f"/{BUCKET}")
    assert status == 405 and b"MethodNotAllowed" in text
    status, text = send(url, "PUT", f"/{BUCKET}?tagging")
    assert status == 400 and b"MissingRequestBodyError" in text


def test_presigned_urls_are_good_until_their_second() -> None:
    query = {"X-Amz-Date": ["20200101T000000Z"], "X-Amz-Expires": ["60"]}
    presigned.check(query, 1577836860)
    with pytest.raises(CallerFault, match="expired"):
        presigned.check(query, 1577836861)
    presigned.check({"AWSAccessKeyId": ["a"], "Expires": ["100"]}, 100)
    with pytest.raises(CallerFault, match="expired"):
        presigned.check({"AWSAccessKeyId": ["a"], "Expires": ["100"]}, 101)
    for bad in ({"X-Amz-Expires": ["604801"]}, {"X-Amz-Expires": ["x"]}, {"X-Amz-Date": ["now"]}):
        with pytest.raises(CallerFault) as caught:
            presigned.check({**query, **bad})
        assert caught.value.code == "AuthorizationQueryParametersError"


def sample(shape: Any, depth: int = 0) -> Any:
    """A small value of a shape, with its required members and, near the top, the others."""
    match shape.type_name:
        case "structure":
            wanted = shape.members if depth < 4 else {n: shape.members[n] for n in shape.required_members}
            return {name: sample(member, depth + 1) for name, member in wanted.items()}
        case "list":
            return [sample(shape.member, depth + 1)] * 2
        case "map":
            return {"key": sample(shape.value, depth + 1)}
        case "string":
            return shape.enum[0] if getattr(shape, "enum", None) else "a b&<ü"
        case "integer" | "long":
            return 7
        case "boolean":
            return True
        case "blob":
            return b"bytes"
        case "timestamp":
            return 1577836800
    raise AssertionError(shape.type_name)


def _operations() -> list[str]:
    model = spec.load("s3")
    others = {"ListDirectoryBuckets", "WriteGetObjectResponse"}  # other hosts, which this one is not
    return [name for name in model.operation_names if name not in others and not model.operation_model(name).deprecated]


def _ascii(value: Any) -> Any:
    """Header values as HTTP can carry them."""
    return value.encode("ascii", "ignore").decode() if isinstance(value, str) else value


@pytest.mark.parametrize("name", _operations())
def test_what_botocore_serializes_is_routed_and_parsed_back(name: str) -> None:
    model = spec.load("s3")
    operation = model.operation_model(name)
    params = sample(operation.input_shape)
    streamed = operation.get_streaming_input() is not None
    for member, shape in operation.input_shape.members.items():
        if shape.serialization.get("location") in ("header", "headers"):
            params[member] = _header_value(params[member])
    params = {k: v for k, v in params.items() if k not in ("ContentMD5", "PartNumberMarker") or "Put" not in name}
    if name == "CopyObject":
        params["CopySource"] = "b/k"
    made = create_serializer("rest-xml", False).serialize_to_request(params, operation)
    path, _, query = made["url_path"].partition("?")
    found = parse_qs(query, keep_blank_values=True)
    for key, value in made["query_string"].items():
        found[key] = [str(v) for v in value] if isinstance(value, list) else [str(value)]
    headers = {key.lower(): str(value) for key, value in made["headers"].items()}
    body = made["body"] if isinstance(made["body"], bytes) else str(made["body"] or "").encode()
    request = WireRequest(made["method"], path, found, headers, io.BytesIO(body))
    routed, places = xmlroutes.route(model, request)
    assert routed.name == name
    parsed = restxml.parse(routed, request, places)
    if streamed:
        parsed = {key: value.read() if hasattr(value, "read") else value for key, value in parsed.items()}
    assert _plain(parsed) == _plain(params)


def _header_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _ascii(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_ascii(item) for item in value]
    return _ascii(value)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return int(value.timestamp()) if hasattr(value, "timestamp") else value


@pytest.mark.parametrize("name", _operations())
def test_what_is_answered_is_what_botocore_parses(name: str) -> None:
    from botocore.awsrequest import HeadersDict
    from botocore.parsers import create_parser

    operation = spec.load("s3").operation_model(name)
    shape = operation.output_shape
    if shape is None or operation.has_event_stream_output:
        return
    answer = sample(shape)
    for member, inner in shape.members.items():
        if inner.serialization.get("location") in ("header", "headers"):
            answer[member] = _header_value(answer[member])
    reply = restxml.answer(operation, answer, "R")
    body = reply.body if isinstance(reply.body, bytes) else b"".join(reply.body)
    raw = {"status_code": reply.status, "headers": HeadersDict(reply.headers), "body": body}
    if operation.has_streaming_output:
        raw["body"] = io.BytesIO(body)
    parsed = create_parser("rest-xml").parse(raw, shape)
    parsed.pop("ResponseMetadata")
    if operation.has_streaming_output:
        parsed = {key: value.read() if hasattr(value, "read") else value for key, value in parsed.items()}
    if name == "GetBucketLocation":  # botocore reads this one in a handler of its own
        assert b">" + answer["LocationConstraint"].encode() + b"</LocationConstraint>" in body
        return
    assert _plain(parsed) == _plain(answer)


def test_a_restart_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    with house(tmp_path) as first, serving(first) as url:
        assert send(url, "PUT", f"/{BUCKET}/kept", b"bytes", x_amz_meta_a="1")[0] == 200
        assert send(url, "PUT", "/made-before")[0] == 200
    with house(tmp_path) as second, serving(second) as url:
        assert send(url, "GET", f"/{BUCKET}/kept") == (200, b"bytes")
        assert b"<Name>made-before</Name>" in send(url, "GET", "/")[1]
