"""The relay beside a server that has no network: bytes both ways, and a server that does not listen yet."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

RELAY = Path(__file__).resolve().parents[2] / "containers" / "relay.py"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(10)
        yield made


def connect(path: Path) -> socket.socket:
    end = time.monotonic() + 10
    while True:
        line = socket.socket(socket.AF_UNIX)
        line.settimeout(10)
        try:
            line.connect(str(path))
            return line
        except OSError:
            line.close()
            assert time.monotonic() < end
            time.sleep(0.01)


@pytest.fixture
def door(tmp_path: Path, listener: socket.socket) -> Iterator[Path]:
    path = tmp_path / "s"
    relay = subprocess.Popen([sys.executable, str(RELAY), str(path), str(listener.getsockname()[1])])
    try:
        connect(path).close()
        listener.accept()[0].close()
        yield path
    finally:
        relay.send_signal(signal.SIGTERM)
        assert relay.wait(10) == 0


def read(line: socket.socket) -> bytes:
    got = bytearray()
    while chunk := line.recv(1 << 16):
        got += chunk
    return bytes(got)


def test_bytes_go_both_ways_and_an_end_is_an_end(door: Path, listener: socket.socket) -> None:
    body = bytes(range(256)) * 8192

    def echo() -> None:
        with listener.accept()[0] as there:
            there.settimeout(10)
            there.sendall(read(there)[::-1])

    server = threading.Thread(target=echo)
    server.start()
    with connect(door) as line:
        line.sendall(body)
        line.shutdown(socket.SHUT_WR)
        assert read(line) == body[::-1]
    server.join(10)


def test_a_server_that_does_not_listen_is_a_closed_connection(door: Path, listener: socket.socket) -> None:
    listener.close()
    with connect(door) as line:
        assert read(line) == b""
