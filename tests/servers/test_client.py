"""The client of model servers against real sockets: kept connections, timeouts, servers that die, unix sockets."""

import socket
import threading
import time
from contextlib import suppress

import pytest

from emulator.ports import Address
from emulator.servers.client import Client, InvokeFailure, Request

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: 4\r\n\r\n0.5\n"


def whole_request(sock):
    """Head and body, which may come in several packets."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = sock.recv(65536)
        if not chunk:
            return b""
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    while len(body) < int(fields.get(b"content-length", 0)):
        body += sock.recv(65536)
    return head + b"\r\n\r\n" + body


class Peer:
    """A scripted server: for each connection a list of answers; None closes without one, "hang" stays silent."""

    def __init__(self, family, address, *connections):
        self.listener = socket.socket(family)
        self.listener.bind(address)
        self.listener.listen()
        self.connections = connections
        self.requests = []
        self.accepted = 0
        self.hold = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        for answers in self.connections:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                break  # closed before all had come
            self.accepted += 1
            with sock:
                for answer in answers:
                    data = whole_request(sock)
                    if not data:
                        break
                    self.requests.append(data)
                    if answer == "hang":
                        self.hold.wait(10)
                    elif answer is None:
                        break
                    else:
                        sock.sendall(answer)
        self.listener.close()

    def close(self):
        self.hold.set()
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(5)

    def address(self):
        host, port = self.listener.getsockname()
        return Address(host=host, port=port)


@pytest.fixture
def peer():
    made = []

    def make(*connections):
        made.append(Peer(socket.AF_INET, ("127.0.0.1", 0), *connections))
        return made[-1]

    yield make
    for one in made:
        one.close()


def post(client, timeout=5.0):
    return client.ask(Request("POST", "/invocations", b"1,2", {"Content-Type": "text/csv"}), timeout)


def test_a_connection_is_kept_and_reused(peer):
    server = peer([OK, OK])
    client = Client(server.address())
    assert [post(client).body for _ in range(2)] == [b"0.5\n", b"0.5\n"]
    assert server.accepted == 1
    assert server.requests[0].startswith(b"POST /invocations HTTP/1.1\r\n") and server.requests[0].endswith(b"1,2")
    client.close()


def test_headers_come_back_in_lower_case(peer):
    client = Client(peer([OK]).address())
    assert post(client).headers["content-type"] == "text/csv"
    client.close()


def test_an_idle_connection_that_the_server_closed_is_replaced(peer):
    server = peer([OK], [OK])
    client = Client(server.address())
    assert post(client).status == post(client).status == 200
    assert server.accepted == 2
    client.close()


def test_silence_is_a_timeout_and_is_not_asked_twice(peer):
    server = peer([OK, "hang"], [OK])
    client = Client(server.address())
    post(client)
    with pytest.raises(InvokeFailure) as caught:
        post(client, timeout=0.1)
    assert caught.value.kind == "timeout" and server.accepted == 1
    server.hold.set()
    assert post(client).status == 200
    client.close()


def test_silence_in_the_middle_of_an_answer_is_a_timeout(peer):
    client = Client(peer([OK, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "hang"]).address())
    post(client)
    with pytest.raises(InvokeFailure) as caught:
        post(client, timeout=0.1)
    assert caught.value.kind == "timeout"


def test_a_server_that_takes_nothing_is_a_timeout():
    """Its queue of connections is all that it has."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        client = Client(Address(host=host, port=port))
        with pytest.raises(InvokeFailure) as caught:
            client.ask(Request("POST", "/invocations", b"x" * 20_000_000), 0.2)
    assert caught.value.kind == "timeout"


def test_a_server_that_takes_a_little_now_and_then_is_a_timeout():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended, taken = threading.Event(), []

        def take() -> None:
            with listener.accept()[0] as sock:
                while not ended.wait(0.05) and (part := sock.recv(65536)):
                    taken.append(len(part))

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        host, port = listener.getsockname()
        with pytest.raises(InvokeFailure) as caught:
            Client(Address(host=host, port=port)).ask(Request("POST", "/invocations", b"x" * 50_000_000), 0.5)
        ended.set()
        thread.join(5)
    assert caught.value.kind == "timeout" and sum(taken) < 10_000_000


def test_each_request_has_its_own_patience(peer):
    server = peer([OK, "hang"])
    client = Client(server.address())
    post(client, timeout=30.0)
    began = time.monotonic()
    with pytest.raises(InvokeFailure):
        post(client, timeout=0.1)
    assert server.accepted == 1 and time.monotonic() - began < 5  # the server keeps it for 10


def test_a_server_that_closes_without_an_answer_is_gone(peer):
    client = Client(peer([None]).address())
    with pytest.raises(InvokeFailure) as caught:
        post(client)
    assert caught.value.kind == "gone"


def test_a_server_that_is_not_there_is_gone():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(InvokeFailure) as caught:
        post(Client(Address(port=port)))
    assert caught.value.kind == "gone"


def test_a_unix_socket_serves_as_well(tmp_path):
    path = str(tmp_path / "s")
    server = Peer(socket.AF_UNIX, path, [OK])
    client = Client(Address(socket=path))
    assert post(client).body == b"0.5\n"
    client.close()
    server.thread.join(5)


def test_a_streamed_body_comes_in_chunks_as_they_are_sent(peer):
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    client = Client(peer([chunked]).address())
    reply, chunks = client.stream(Request("POST", "/invocations"), 5.0)
    assert reply.status == 200 and b"".join(chunks) == b"abcde"
    client.close()


@pytest.mark.parametrize(
    ("answer", "body", "kept"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"0.5\n", True),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nab", b"ab", True),
        (b"HTTP/1.1 200\r\nTransfer-Encoding: Chunked\r\n\r\n2;x\r\nab\r\n0\r\nTrailer: t\r\n\r\n", b"ab", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab", b"ab", False),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab", b"ab", False),
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", b"to the end", False),
    ],
)
def test_answers_of_any_server_are_understood(peer, answer, body, kept):
    second = [answer] if kept else []
    server = peer([answer, *second], [OK])
    client = Client(server.address())
    assert [post(client).body for _ in range(2)] == [body, body if kept else b"0.5\n"]
    assert server.accepted == (1 if kept else 2)
    client.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
        b"HTTP/1.1 200 OK\r\n",
    ],
)
def test_what_is_no_answer_is_none(peer, answer):
    client = Client(peer([answer], [answer]).address())
    with pytest.raises(InvokeFailure) as caught:
        post(client)
    assert caught.value.kind == "gone"


def test_a_large_body_arrives_and_headers_cannot_end_early(peer):
    server = peer([OK])
    client = Client(server.address())
    body, headers = b"1" * 300_000, {"X-Custom": "one\r\nX-Forged: two"}
    assert client.ask(Request("POST", "/invocations", body, headers), 5.0).status == 200
    assert server.requests[0].endswith(b"\r\n\r\n" + body) and b"X-Custom: one X-Forged: two\r\n" in server.requests[0]
    client.close()
