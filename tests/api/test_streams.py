"""The reader of a connection gives what the standard library's gives of the same bytes, however they come."""

from __future__ import annotations

import io
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.gateway import PLAIN_LINE, _plain
from api.streams import Reader, Writer

ASKS = st.one_of(
    st.tuples(st.just("readline"), st.integers(-1, 20)),
    st.tuples(st.just("read"), st.integers(0, 30)),
    st.tuples(st.just("peek"), st.just(0)),
)


class Sent:
    """Gives bytes in the parts in which they were sent."""

    def __init__(self, parts: list[bytes]) -> None:
        self.parts = [part for part in parts if part]

    def recv(self, size: int) -> bytes:
        if not self.parts:
            return b""
        part, self.parts[0] = self.parts[0][:size], self.parts[0][size:]
        self.parts = [part for part in self.parts if part]
        return part


@given(st.lists(st.text("ab\r\n", max_size=12).map(str.encode), max_size=8), st.lists(ASKS, max_size=12))
def test_as_the_standard_library_reads(parts: list[bytes], asks: list[tuple[str, int]]) -> None:
    whole = b"".join(parts)
    ours, theirs = Reader(Sent(parts)), io.BytesIO(whole)  # type: ignore[arg-type]
    for method, size in asks:
        if method == "peek":
            rest = whole[theirs.tell() :]
            seen = ours.peek()
            assert rest.startswith(seen) and bool(seen) == bool(rest)
        else:
            assert getattr(ours, method)(size) == getattr(theirs, method)(size)
    assert ours.read() == theirs.read()
    assert not ours.has_data()


def test_both_ends_of_a_connection() -> None:
    near, far = socket.socketpair()
    with near, far:
        far.settimeout(0.01)
        reader = Reader(far)
        assert Writer(near).write(b"one\r\ntwo") == 8
        assert reader.readline() == b"one\r\n" and reader.has_data()
        with pytest.raises(TimeoutError):
            reader.readline()
        assert reader.peek() == b"two"
        near.shutdown(socket.SHUT_WR)
        assert reader.read() == b"two" and reader.readline() == b"" and reader.peek() == b""


@pytest.mark.parametrize(
    ("sent", "head"),
    [
        (b"A: 1\r\nb-c:2 \r\n\r\nbody", {b"A": b"1", b"B-C": b"2"}),
        (b"A: 1\r\n  more\r\n\r\n", None),
        (b"A: 1\r\na: 2\r\n\r\n", None),
        (b"A 1\r\n\r\n", None),
        (b"A: 1\nB: 2\r\n\r\n", None),
        (b"\r\nbody\r\n\r\n", None),
        (b"A: 1\r\n", None),
    ],
)
def test_plain_headers_are_read_at_once_and_others_left_to_cheroot(sent: bytes, head: dict | None) -> None:
    reader = Reader(Sent([sent]))  # type: ignore[arg-type]
    reader.peek()
    found = reader.head()
    assert (_plain(found) if found else None) == head
    assert reader.peek() == sent


@pytest.mark.parametrize(
    ("line", "target"),
    [
        (b"POST / HTTP/1.1\r\n", b"/"),
        (b"GET /bucket/a.b~c_d-e/f HTTP/1.1\r\n", b"/bucket/a.b~c_d-e/f"),
        (b"GET //evil/path HTTP/1.1\r\n", None),
        (b"GET /a%20b HTTP/1.1\r\n", None),
        (b"GET /a?b=c HTTP/1.1\r\n", None),
        (b"GET /a HTTP/1.0\r\n", None),
        (b"get /a HTTP/1.1\r\n", None),
        (b"GET /a#b HTTP/1.1\r\n", None),
        (b"GET http://x/a HTTP/1.1\r\n", None),
        (b"GET /caf\xc3\xa9 HTTP/1.1\r\n", None),
    ],
)
def test_only_plain_request_lines_are_not_taken_apart_by_cheroot(line: bytes, target: bytes | None) -> None:
    found = PLAIN_LINE.match(line)
    assert (found and found[2]) == target
