"""The server of model servers against raw sockets: what is a request, what is none, who may ask again, how it ends."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from algorithms.common import http_server
from algorithms.common.http_server import Reply, Request, Server

GET = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"


def echo(request: Request) -> Reply:
    if request.path == "/silent":
        return Reply(b"", status=204)
    if request.path == "/unread":
        return Reply(b"unread", status=404)
    try:
        body = request.body(10)
    except http_server.TooLarge as error:
        return Reply(f"too large: {error.args[0]}".encode(), status=413)
    told = f"{request.method} {request.path} {request.headers.get('X-Many', '')} ".encode()
    return Reply(told + body, headers={"X-Said": "one\r\nX-Forged: two"})


@contextlib.contextmanager
def served(answer=echo, begin=lambda: None) -> Iterator[tuple[Server, str, int]]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Server(listening, answer, begin)
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        yield server, *listening.getsockname()
        server.stop(5)
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def said(data: bytes, answers: int = 1) -> bytes:
    """All that comes back for these bytes, until so many answers are there or the connection is closed."""
    with served() as (_, host, port), socket.create_connection((host, port), timeout=10) as sock:
        sock.sendall(data)
        found = b""
        while found.count(b"HTTP/1.1 ") < answers or not found.partition(b"\r\n\r\n")[1]:
            more = sock.recv(65536)
            if not more:
                break
            found += more
        return found


def test_requests_that_come_together_are_answered_in_turn():
    post = b"POST /a HTTP/1.1\r\nX-Many: 1\r\nx-many: 2\r\nContent-Length: 3\r\n\r\nabc"
    found = said(post + GET, 2)
    assert found.index(b"POST /a 1,2 abc") < found.index(b"GET /ping")
    assert found.count(b"Connection: keep-alive") == 2


def test_a_body_that_nobody_reads_is_no_request():
    found = said(b"POST /unread HTTP/1.1\r\nContent-Length: 5\r\n\r\nGET /" + GET, 2)
    assert b"404" in found and b"GET /ping" in found


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/2\r\n\r\n", b"505"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nno header\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n folded: yes\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", b"501"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 300_000, b"431"),
    ],
)
def test_what_is_no_request_is_refused_and_ends_the_connection(request_, status):
    found = said(request_, 2)
    assert found.startswith(b"HTTP/1.1 " + status) and b"Connection: close" in found


def test_chunks_are_one_body_and_trailers_nothing():
    chunked = b"POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nTrailer: t\r\n\r\n"
    found = said(chunked + GET, 2)
    assert b"POST /c  abc" in found and b"GET /ping" in found


def test_what_is_too_large_is_read_away_and_refused():
    found = said(b"POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n" + b"x" * 11 + GET, 2)
    assert b"413" in found and b"too large: 11" in found and b"GET /ping" in found
    chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"6\r\nabcdef\r\n" * 2 + b"0\r\n\r\n"
    assert b"too large: None" in said(chunked)


def test_who_waits_to_be_told_to_continue_is_told():
    head = b"POST /e HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    with served() as (_, host, port), socket.create_connection((host, port), timeout=10) as sock:
        sock.sendall(head)
        assert sock.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"ok")
        assert sock.recv(4096).endswith(b"POST /e  ok")


def test_older_callers_are_kept_only_when_they_ask_for_it():
    assert b"Connection: close" in said(b"GET / HTTP/1.0\r\n\r\n")
    assert b"Connection: keep-alive" in said(b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
    assert b"Connection: close" in said(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")


def test_no_content_has_no_length_and_values_no_line_ends():
    found = said(b"GET /silent HTTP/1.1\r\n\r\n")
    assert found.startswith(b"HTTP/1.1 204 No Content\r\n") and b"Content-Length" not in found
    assert b"X-Said: one X-Forged: two\r\n" in said(GET)


def test_what_has_been_asked_is_finished_and_quiet_callers_are_let_go():
    begun, go, accepted = threading.Event(), threading.Event(), threading.Semaphore(0)

    def slow(request: Request) -> Reply:
        begun.set()
        go.wait(10)
        return Reply(b"done")

    with served(slow, accepted.release) as (server, host, port), contextlib.ExitStack() as opened:
        busy, quiet = (opened.enter_context(socket.create_connection((host, port), timeout=10)) for _ in range(2))
        busy.sendall(GET)
        assert begun.wait(10)
        assert accepted.acquire(timeout=10) and accepted.acquire(timeout=10), "others wait for the end of the process"
        assert not server.stop(0.05)
        assert quiet.recv(100) == b""
        go.set()
        assert busy.recv(4096).endswith(b"done")
        assert server.stop(10)
