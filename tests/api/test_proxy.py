"""The port as a proxy: tunnels to names of AWS end here, and nothing else gets through. Real sockets, real TLS."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from api import identify
from api.gateways import Gateways
from api.proxy import authority, tunnel
from api.proxy.authority import Authority, signed
from sagelet import proxied
from sagelet.hook import sagelet_hook
from tests.api.houses import opened

STS = "sts.us-east-1.amazonaws.com"
S3 = "bucket.s3.us-east-1.amazonaws.com"


@pytest.fixture(scope="module")
def door():
    before = set(threading.enumerate())
    with opened() as door:
        yield door
    assert not [thread for thread in threading.enumerate() if thread not in before and thread.is_alive()]


@pytest.fixture(scope="module")
def trusting(door):
    return ssl.create_default_context(cadata=door.authority.certificate())


def port(door):
    return int(door.url.rpartition(":")[2])


@contextmanager
def connected(door):
    with socket.create_connection(("127.0.0.1", port(door)), timeout=10) as sock:
        yield sock


def told(sock) -> tuple[int, str, str]:
    """Status, reason and body of the next answer."""
    answer = http.client.HTTPResponse(sock)
    answer.begin()
    return answer.status, answer.reason, "" if answer.status == 200 else answer.read().decode()


@contextmanager
def tunnelled(door, trusting, name=STS):
    with connected(door) as sock:
        sock.sendall(f"CONNECT {name}:443 HTTP/1.1\r\nHost: {name}:443\r\n\r\n".encode())
        assert told(sock)[0] == 200
        with trusting.wrap_socket(sock, server_hostname=name, suppress_ragged_eofs=False) as secure:
            yield secure


def get(host, path="/", *more, version="1.1"):
    return "\r\n".join([f"GET {path} HTTP/{version}", f"Host: {host}", *more, "", ""]).encode()


def test_a_client_of_the_standard_library_asks_twice_through_one_tunnel(door, trusting):
    client = http.client.HTTPSConnection("127.0.0.1", port(door), context=trusting, timeout=10)
    client.set_tunnel(S3, 443)
    for method, path, status in [("PUT", "/", 200), ("PUT", "/_sagelet/health", 200), ("GET", "/_sagelet/health", 200)]:
        client.request(method, path, body=b"mine" if path != "/" and method == "PUT" else None)
        answer = client.getresponse()
        body = answer.read()
        assert answer.status == status, body
    assert body == b"mine", "an object of the bucket, and not our own page"
    client.close()


def test_plain_requests_for_names_of_aws_are_answered(door):
    with connected(door) as sock:
        sock.sendall(b"GET http://nobody.s3.amazonaws.com?x HTTP/1.1\r\nHost: elsewhere\r\n\r\n")
        status, _, body = told(sock)
        assert status == 404 and "<BucketName>nobody</BucketName>" in body


def test_a_tunnel_may_carry_plain_http(door):
    with connected(door) as sock:
        sock.sendall(f"CONNECT {STS}:80 HTTP/1.1\r\n\r\n".encode())
        assert told(sock)[0] == 200
        sock.sendall(get("nobody.s3.amazonaws.com"))
        assert told(sock)[0] == 421
    with connected(door) as sock:
        sock.sendall(b"CONNECT nobody.s3.amazonaws.com:80 HTTP/1.1\r\n\r\n")
        assert told(sock)[0] == 200
        sock.sendall(get("nobody.s3.amazonaws.com"))
        assert told(sock)[0] == 404


@pytest.mark.parametrize(
    "asked",
    [
        "CONNECT example.com:443",
        "CONNECT sts.amazonaws.com.example.com:443",
        "CONNECT notamazonaws.com:443",
        "CONNECT amazonaws.com:443",
        "CONNECT 127.0.0.1:22",
        "CONNECT [::1]:22",
        "GET http://example.com/",
        "GET http://127.0.0.1:8000/",
        "POST https://example.com/x",
    ],
)
def test_other_addresses_are_refused_with_the_remedy(door, asked):
    with connected(door) as sock:
        sock.sendall(f"{asked} HTTP/1.1\r\nHost: {STS}\r\n\r\n".encode())
        status, reason, body = told(sock)
    assert status == 403 and "NO_PROXY" in reason
    fault = json.loads(body)
    assert fault["message"] == reason and fault["__type"] == "AccessDeniedException"
    if "example" in asked:
        assert "example.com" in reason


def test_a_request_for_another_name_than_the_tunnels_is_misdirected(door, trusting):
    with tunnelled(door, trusting) as secure:
        secure.sendall(get("iam.amazonaws.com"))
        assert told(secure)[0] == 421
    with tunnelled(door, trusting) as secure:
        secure.sendall(f"CONNECT {S3}:443 HTTP/1.1\r\n\r\n".encode())
        assert told(secure)[0] == 421


def test_web_pages_are_kept_out(door, trusting):
    """A browser that was told to use the proxy says which page asks."""
    page = "Origin: https://page.example"
    with tunnelled(door, trusting) as secure:
        secure.sendall(get(STS, "/", page))
        assert "Requests of web pages" in told(secure)[2]
    with connected(door) as sock:
        sock.sendall(f"POST http://{STS}/ HTTP/1.1\r\nHost: {STS}\r\n{page}\r\nContent-Length: 0\r\n\r\n".encode())
        assert "Requests of web pages" in told(sock)[2]
    with connected(door) as sock:
        sock.sendall(get("page.example"))
        assert "is not a name of this server" in told(sock)[2]


def test_requests_that_arrive_together_are_answered_one_by_one(door, trusting):
    """Both lie in one record of TLS: reading the first must not lose the second."""
    with tunnelled(door, trusting, "nobody.s3.amazonaws.com") as secure:
        long = get("nobody.s3.amazonaws.com", "/" + "k" * 900)
        secure.sendall(long + long)
        assert [told(secure)[0] for _ in range(2)] == [404, 404]


def test_an_answer_that_ends_with_the_connection_ends_well(door, trusting):
    with tunnelled(door, trusting, "nobody.s3.amazonaws.com") as secure:
        secure.sendall(get("nobody.s3.amazonaws.com", version="1.0"))
        received = b""
        while part := secure.recv(65536):  # raises where TLS is cut off
            received += part
        assert b"NoSuchBucket" in received


def test_whoever_spoils_the_handshake_harms_nobody(door, trusting, monkeypatch):
    monkeypatch.setattr(tunnel, "HANDSHAKE_SECONDS", 0.2)
    begin = f"CONNECT {STS}:443 HTTP/1.1\r\n\r\n".encode()
    for rest in (b"\x16\x03\x01garbage" * 20, b"\x00\x01\x02\r\n\r\n", b"\x16", b""):
        with connected(door) as sock:
            sock.sendall(begin)
            assert told(sock)[0] == 200
            sock.sendall(rest)
            sock.settimeout(5)
            with suppress(ConnectionResetError):
                while sock.recv(4096):
                    pass
    with connected(door) as sock:
        sock.sendall(begin + b"\x16\x03\x01too soon")
        sock.settimeout(5)
        with suppress(ConnectionResetError):
            assert sock.recv(4096) == b""
    untrusting = ssl.create_default_context()
    with pytest.raises(ssl.SSLCertVerificationError), tunnelled(door, untrusting):
        pass
    with tunnelled(door, trusting) as secure:
        secure.unwrap().sendall(b"after the end")
    with tunnelled(door, trusting, "nobody.s3.amazonaws.com") as secure:
        secure.sendall(get("nobody.s3.amazonaws.com"))
        assert told(secure)[0] == 404


def test_open_tunnels_hold_no_thread(door, trusting):
    """There are 8 threads here."""
    kept = [tunnelled(door, trusting, "nobody.s3.amazonaws.com") for _ in range(40)]
    socks = [each.__enter__() for each in kept]
    for _ in range(2):
        for sock in socks:
            sock.sendall(get("nobody.s3.amazonaws.com"))
        assert {told(sock)[0] for sock in socks} == {404}
    for each in kept:
        each.__exit__(None, None, None)


def test_doors_for_jobs_are_no_proxies(door):
    gateways = Gateways(door)
    opened = gateways.open("127.0.0.2", "AKIA")
    try:
        with socket.create_connection(("127.0.0.2", opened), timeout=10) as sock:
            sock.sendall(f"CONNECT {STS}:443 HTTP/1.1\r\n\r\n".encode())
            assert told(sock)[0] == 405
    finally:
        gateways.close_all()


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> None:
    """TLS between two contexts in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    there = server.wrap_bio(to_server, to_client, server_side=True)
    here = client.wrap_bio(to_client, to_server, server_hostname=name)
    for _ in range(3):
        for end in (here, there):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue


def test_its_certificates_are_good_for_names_of_aws_alone(tmp_path):
    made = Authority(tmp_path)
    client = ssl.create_default_context(cadata=made.certificate())
    longest = "b" * 63 + ".s3.ap-southeast-2.amazonaws.com"
    for name in (STS, longest, "sagemaker.eu-west-1.api.aws"):
        handshake(made.context(name), client, name)
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree"):
        handshake(made.context("example.com"), client, "example.com")
    key = ec.generate_private_key(ec.SECP256R1())
    assert signed(made._pair, key, longest).public_bytes(Encoding.PEM).startswith(b"-----BEGIN CERTIFICATE")


def test_an_authority_is_kept_and_its_key_is_its_owners(tmp_path):
    first = Authority(tmp_path).certificate()
    assert Authority(tmp_path).certificate() == first
    key = tmp_path / authority.FOLDER / authority.KEY
    assert key.stat().st_mode & 0o777 == 0o600 and key.parent.stat().st_mode & 0o777 == 0o700
    key.write_text("garbled")
    assert Authority(tmp_path).certificate() != first


def test_an_authority_is_replaced_before_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(authority, "LIFE", timedelta(days=29))
    old = Authority(tmp_path).certificate()
    monkeypatch.undo()
    assert Authority(tmp_path).certificate() != old


def test_the_names_of_aws_are_the_same_everywhere():
    assert proxied.AWS == identify.AWS
    assert tuple(f".{domain}" for domain in identify.AWS) == sagelet_hook.AWS
