"""Where things are: the rooms of the server, the default data folder, and a server that is running already."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

DEFAULT_PORT = 4577
ADDRESS_FILE = "address"
"""Name of the file in the data folder that holds the URL of the server that uses it."""


class NoServer(Exception):
    """No server answers where one was looked for, or it refuses; the message says where and what to do."""


def rooms() -> Path:
    """The folder that holds api/, emulator/, algorithms/: inside an installed package, or the checkout's root."""
    here = Path(__file__).resolve().parent
    packed = here / "_rooms"
    return packed if packed.is_dir() else here.parent


def default_data_dir() -> Path:
    """Where the server keeps everything unless it is told otherwise."""
    return Path(os.environ.get("SAGELET_DATA_DIR") or Path.home() / ".sagelet")


def find(data_dir: str | None = None) -> str:
    """The URL of the running server: of `data_dir`, else AWS_ENDPOINT_URL or SAGELET_SERVER, else the default port."""
    if data_dir:
        address = Path(data_dir) / ADDRESS_FILE
        try:
            return address.read_text().strip()
        except OSError:
            raise NoServer(
                f"No server uses the folder {data_dir}. Start one: sagelet up --data-dir {data_dir}"
            ) from None
    named = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("SAGELET_SERVER")
    return named or f"http://127.0.0.1:{DEFAULT_PORT}"


def server_option(parser: argparse.ArgumentParser) -> None:
    """The option of every command that talks to a running server."""
    parser.add_argument("--data-dir", help="folder of the server to talk to (else AWS_ENDPOINT_URL, else port 4577)")


@dataclass(frozen=True)
class Question:
    """What a server is asked. `data` is bytes, or a file that is sent as it is read; it may wait `seconds` for more."""

    path: str
    method: str = "GET"
    data: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float | None = 30.0


def ask(url: str, path: str, method: str = "GET", body: Any = None) -> Any:
    """What the server at `url` answers to `path` (JSON, as `body` is); `NoServer` when none is there or it refuses."""
    data = None if body is None else json.dumps(body).encode()
    headers = {} if body is None else {"Content-Type": "application/json"}
    with opened(url, Question(path, method, data, headers)) as answer:
        return answer.json()


@contextmanager
def opened(url: str, question: Question) -> Iterator[Answer]:
    """An answer that is read as it comes."""
    import urllib.error
    import urllib.request  # 20 ms that `sagelet up` does not need

    where = url.rstrip("/") + question.path
    request = urllib.request.Request(where, question.data, dict(question.headers), method=question.method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        answer = opener.open(request, timeout=question.seconds)
    except urllib.error.HTTPError as error:
        raise NoServer(f"{where} answered {error.code}: {_message(error.read())}") from None
    except (OSError, ValueError) as error:
        raise _nobody(url, error) from None
    with answer:
        yield Answer(url, answer)


class Answer:
    """The answer of a server."""

    def __init__(self, url: str, answer: Any) -> None:
        self._url = url
        self._answer = answer
        self.headers: Mapping[str, str] = answer.headers

    def read(self, size: int = -1) -> bytes:
        """What comes next; `NoServer` when it breaks off."""
        import http.client

        try:
            found: bytes = self._answer.read(None if size < 0 else size)
        except (OSError, http.client.HTTPException) as error:
            raise NoServer(f"The answer of {self._url} broke off ({error}). The server's log may say why.") from None
        return found

    def json(self) -> Any:
        """All of it, as JSON."""
        try:
            return json.loads(self.read())
        except ValueError as error:
            raise _nobody(self._url, error) from None


def _nobody(url: str, error: Exception) -> NoServer:
    return NoServer(f"No Sagelet answers at {url} ({error}). Start one: sagelet up")


def _message(answer: bytes) -> str:
    """What a refusal says to people."""
    text = answer.decode("utf-8", "replace")
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text[:500]
