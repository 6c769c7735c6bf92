"""Bytes that are hardly HTTP any more: each gets an answer of AWS's form or a closed connection, never a fault."""

import json
import logging
import socket

from hypothesis import given
from hypothesis import strategies as st

LINES = st.sampled_from(
    [
        b"POST / HTTP/1.1",
        b"POST / HTTP/1.0",
        b"GET /endpoints/%zz/invocations?a=%ff HTTP/1.1",
        b"POST http://127.0.0.1/ HTTP/1.1",
        b"POST * HTTP/1.1",
        b"POST /%00/%2e%2e/\xff HTTP/1.1",
        b"post / http/1.1",
        b"POST  / HTTP/1.1",
        b"POST / HTTP/9.9",
        b"POST / HTTP/1.x",
        b"POST /",
        b"\x00\x01\x02",
        b"PRI * HTTP/2.0",
        b"CONNECT 127.0.0.1:80 HTTP/1.1",
    ]
)
HEADERS = st.sampled_from(
    [
        b"Host: 127.0.0.1",
        b"Host:",
        b"Host: evil.example",
        b"X-Amz-Target: SageMaker.ListTrainingJobs",
        b"X-Amz-Target: SageMaker.Nothing",
        b"X-Amz-Target: \xff\xfe",
        b"Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/sagemaker/aws4_request, Signature=0",
        b"Authorization: \x01",
        b"Content-Type: application/x-amz-json-1.1",
        b"Content-Length: 2",
        b"Content-Length: 0",
        b"Content-Length: -1",
        b"Content-Length: x",
        b"Content-Length: 99999999999999999999",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: identity",
        b"Expect: 100-continue",
        b"Expect: something",
        b"Connection: close",
        b"Connection: upgrade",
        b"Content-Encoding: gzip",
        b"no colon here",
        b": no name",
        b" folded: yes",
        b"X-Long: " + b"y" * 3000,
    ]
)
BODIES = st.sampled_from(
    [b"", b"{}", b"{", b"2\r\n{}\r\n0\r\n\r\n", b"zz\r\n{}\r\n", b"-2\r\n{}", b"\xff" * 9]
) | st.binary(max_size=40)


@given(LINES, st.lists(HEADERS, max_size=5), BODIES)
def test_odd_bytes_get_an_answer_or_a_closed_connection(server, caplog, line, headers, body):
    caplog.clear()
    sent = b"\r\n".join([line, *headers, b"", body])
    with socket.create_connection(("127.0.0.1", server.bind_addr[1]), timeout=20) as sock:
        sock.sendall(sent)
        sock.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: sock.recv(65536), b""))
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    while answer:  # one, or also one for what follows a body that ended early
        head, _, rest = answer.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        if status == 100:
            answer = rest
            continue
        assert status < 500 or status in (501, 503, 505), answer
        length = next(int(h[15:]) for h in head.lower().split(b"\r\n") if h.startswith(b"content-length:"))
        content, answer = rest[:length], rest[length:]
        if status >= 400 and not content.startswith(b"<?xml"):
            told = json.loads(content)
            assert told["__type"].isidentifier() and told["message"]
