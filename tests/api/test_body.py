"""Bodies end where they end, and say when the client stopped early."""

import io

import pytest

from api.body import ChunkedBody, KnownBody, drain
from emulator.errors import CallerFault


class Spy(io.BytesIO):
    largest = 0

    def read(self, size=-1):
        assert size >= 0, "would read until the client hangs up"
        self.largest = max(self.largest, size)
        return super().read(size)


def test_a_known_body_does_not_read_the_next_request():
    source = Spy(b"helloNEXT")
    body = KnownBody(source, 5)
    assert (body.read(2), body.read(), body.read(), body.read(7)) == (b"he", b"llo", b"", b"")
    assert source.read(9) == b"NEXT"


@pytest.mark.parametrize("make", [lambda s: KnownBody(s, 10), lambda s: ChunkedBody(s)])
def test_a_truncated_body_is_an_error_once(make):
    body = make(Spy(b"5\r\nab"))
    with pytest.raises(CallerFault) as raised:
        body.read()
    assert raised.value.code == "IncompleteBody"
    assert body.read() == b""


@pytest.mark.parametrize("size", [-1, 1, 3, 1000])
def test_a_chunked_body(size):
    source = Spy(b"5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\nTrailer: x\r\n\r\nNEXT")
    body = ChunkedBody(source)
    found = b""
    while part := body.read(size):
        found += part
    assert found == b"hello world"
    assert source.read(9) == b"NEXT"


@pytest.mark.parametrize(
    "text", [b"zz\r\n", b"-5\r\nhello\r\n", b"5\r\nhelloXX\r\n0\r\n\r\n", b"", b"5" * 10_000, b"5\r\n"]
)
def test_a_malformed_chunked_body(text):
    with pytest.raises(CallerFault) as raised:
        ChunkedBody(Spy(text)).read()
    assert raised.value.code == "IncompleteBody"


def test_a_large_chunk_is_read_in_small_parts():
    source = Spy(b"%x\r\n" % (1 << 20) + b"x" * (1 << 20) + b"\r\n0\r\n\r\n")
    body = ChunkedBody(source)
    assert len(body.read(10)) == 10
    drain(body)
    assert source.largest <= 64 * 1024


def test_they_are_files():
    body = io.BufferedReader(KnownBody(Spy(b"a\nb\nc"), 4))
    assert body.readlines() == [b"a\n", b"b\n"]


class Silent(io.BytesIO):
    def read(self, size=-1):
        raise TimeoutError("timed out")


def test_a_client_that_falls_silent_is_one_that_stopped():
    with pytest.raises(CallerFault, match="timed out"):
        KnownBody(Silent(), 3).read()
