"""The other hosts of a job: a line to the first of them, over which all tell what they have and notice who is gone.

The first host listens at its own address alone, as several jobs may share a machine. Messages are lines of JSON. What a
host says before it fails becomes the reason of the others; a line that ends without a word is a host that died.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

PORT = 9099
"""Where the XGBoost container's own tracker listens."""
JOIN_SECONDS = 300.0
"""How long a host waits for the others to come: their programs start together, their images may not."""
RETRY_SECONDS, GREETING_SECONDS = 0.05, 5.0
CLIENT, ALGORITHM = "ClientError", "AlgorithmError"

OnFailure = Callable[[str, str, bool], None]
"""Called once, from another thread, when another host has failed: whose fault, the sentence, whether it said it."""


class PeerFailed(Exception):
    """Another host has failed; `on_failure` knows more."""


class Line:
    """A connection to one host, for whole messages. Any thread may send, one receives."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._file = connection.makefile("rb")
        self._sending = threading.Lock()

    def send(self, message: Mapping[str, Any]) -> None:
        """A line that is broken is noticed by who receives from it."""
        with self._sending, _quiet():
            self._socket.sendall(json.dumps(message).encode() + b"\n")

    def receive(self) -> dict[str, Any] | None:
        """The next message; None when there will be none."""
        with _quiet():
            text = self._file.readline()
            message = json.loads(text) if text.endswith(b"\n") else None
            return message if isinstance(message, dict) else None
        return None

    def hang_up(self) -> None:
        """Nothing more will be sent; `receive` goes on until the other side hangs up too."""
        with _quiet():
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._file.close()
        self._socket.close()


class Peers:
    """See the module. Made on every host with the same `hosts`; returns when all have come."""

    def __init__(self, hosts: Sequence[str], current: str, on_failure: OnFailure) -> None:
        self.hosts, self.current = tuple(hosts), current
        self.is_first = current == hosts[0]
        self._on_failure = on_failure
        self._changed = threading.Condition()
        self._told: dict[str, Any] = {}
        self._roll: tuple[list[Any], Any] | None = None
        self._done: set[str] = set()
        self._failed = self._leaving = False
        self._lines = _receive_all(self.hosts) if self.is_first else {hosts[0]: _call(hosts[0], current)}
        self._ears = [threading.Thread(target=self._listen, args=pair, daemon=True) for pair in self._lines.items()]
        for ear in self._ears:
            ear.start()

    def call_roll(self, mine: Any, prepare: Callable[[list[Any]], Any]) -> tuple[list[Any], Any]:
        """What each host has told, in the order of the hosts, and what `prepare` made of it on the first of them.

        As often as all of them call it."""
        if not self.is_first:
            self._send({"told": mine})
            self._wait(lambda: self._roll is not None)
            assert self._roll is not None
            roll, self._roll = self._roll, None
            return roll
        self._wait(lambda: len(self._told) == len(self._lines))
        told = [mine if host == self.current else self._told[host] for host in self.hosts]
        self._told = {}  # Nobody tells anything further before this is answered.
        prepared = prepare(told)
        self._send({"told": told, "prepared": prepared})
        return told, prepared

    def wait_for_all(self) -> None:
        """On the first host: until all others have left."""
        self._wait(lambda: len(self._done) == len(self._lines))

    def fail(self, fault: str, sentence: str) -> None:
        """Tell the others why this host will end now."""
        self._leaving = True
        self._send({"fault": fault, "failed": f"Host {self.current}: {sentence}"})

    def has_failed(self, within: float) -> bool:
        """Whether another host has failed, or does so `within` that many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._failed, within)

    def leave(self) -> None:
        """This host has done its part: what the others do from now on is not its concern."""
        self._leaving = True
        self._send({"done": True})
        for line in self._lines.values():
            line.hang_up()

    def _send(self, message: Mapping[str, Any]) -> None:
        for line in self._lines.values():
            line.send(message)

    def _wait(self, over: Callable[[], bool]) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._failed or over())
            if self._failed:
                raise PeerFailed

    def _listen(self, host: str, line: Line) -> None:
        while (message := line.receive()) is not None:
            if "failed" in message:
                self._note_failure(message)
                break
            with self._changed:
                if "prepared" in message:
                    self._roll = message["told"], message["prepared"]
                elif "told" in message:
                    self._told[host] = message["told"]
                elif "done" in message:
                    self._done.add(host)
                self._changed.notify_all()
        if host not in self._done:
            sentence = f"Host {host} ended before the training was over; its log says why."
            self._note_failure({"fault": ALGORITHM, "failed": sentence, "silent": True})
        line.close()

    def _note_failure(self, message: Mapping[str, Any]) -> None:
        with self._changed:
            if self._failed or self._leaving:
                return
            self._failed = True
            self._changed.notify_all()
        if self.is_first:
            self._send(message)
        self._on_failure(message["fault"], message["failed"], "silent" not in message)


def address_of(host: str, until: float) -> str:
    """The address of a host by name; names may come to be known only after the program has started."""
    while True:
        try:
            return socket.gethostbyname(host)
        except OSError as error:
            if time.monotonic() > until:
                raise RuntimeError(f"The name of host {host} has no address: {error}") from error
            time.sleep(RETRY_SECONDS)


def _receive_all(hosts: Sequence[str]) -> dict[str, Line]:
    until = time.monotonic() + JOIN_SECONDS
    address = address_of(hosts[0], until)
    try:
        listening = socket.create_server((address, PORT), backlog=len(hosts))
    except OSError as error:
        raise RuntimeError(f"{hosts[0]} cannot listen at {address}:{PORT}: {error}") from error
    lines: dict[str, Line] = {}
    with listening:
        while missing := [host for host in hosts[1:] if host not in lines]:
            listening.settimeout(max(until - time.monotonic(), 0.001))
            try:
                connection = listening.accept()[0]
            except TimeoutError as error:
                for line in lines.values():
                    line.close()
                raise RuntimeError(f"{', '.join(missing)} did not come within {JOIN_SECONDS:g} seconds") from error
            name, line = _greeted(connection)
            if name in missing:
                lines[name] = line
            else:
                line.close()
    return lines


def _greeted(connection: socket.socket) -> tuple[str, Line]:
    """Who calls; a stranger who says nothing is not waited for."""
    connection.settimeout(GREETING_SECONDS)
    line = Line(connection)
    name = str((line.receive() or {}).get("host"))
    connection.settimeout(None)
    return name, line


def _call(first: str, current: str) -> Line:
    until = time.monotonic() + JOIN_SECONDS
    address = address_of(first, until)
    while True:
        try:
            connection = socket.create_connection((address, PORT), timeout=max(until - time.monotonic(), 0.001))
            break
        except OSError as error:
            if time.monotonic() > until:
                raise RuntimeError(f"{first} cannot be reached at {address}:{PORT}: {error}") from error
            time.sleep(RETRY_SECONDS)
    connection.settimeout(None)
    line = Line(connection)
    line.send({"host": current})
    return line


class _quiet:
    """Broken lines and half messages are not errors of who notices them."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is not None and issubclass(kind, OSError | ValueError)
