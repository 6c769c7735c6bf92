"""Where things are: the rooms of the server, the default data folder, and a server that is running already."""

from __future__ import annotations

import json
import os
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
    """The URL of the running server: that of `data_dir`, else AWS_ENDPOINT_URL, else the default port."""
    if data_dir:
        address = Path(data_dir) / ADDRESS_FILE
        try:
            return address.read_text().strip()
        except OSError:
            raise NoServer(
                f"No server uses the folder {data_dir}. Start one: sagelet up --data-dir {data_dir}"
            ) from None
    return os.environ.get("AWS_ENDPOINT_URL") or f"http://127.0.0.1:{DEFAULT_PORT}"


def server_option(parser: argparse.ArgumentParser) -> None:
    """The option of every command that talks to a running server."""
    parser.add_argument("--data-dir", help="folder of the server to talk to (else AWS_ENDPOINT_URL, else port 4577)")


def ask(url: str, path: str, method: str = "GET", body: Any = None) -> Any:
    """What the server at `url` answers to `path` (JSON, as `body` is); `NoServer` when none is there or it refuses."""
    import urllib.error
    import urllib.request  # 20 ms that `sagelet up` does not need

    data = None if body is None else json.dumps(body).encode()
    headers = {} if body is None else {"Content-Type": "application/json"}
    request = urllib.request.Request(url.rstrip("/") + path, data, headers, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        raise NoServer(f"{url}{path} answered {error.code}: {_message(error.read())}") from None
    except (OSError, ValueError) as error:
        raise NoServer(f"No Sagelet answers at {url} ({error}). Start one: sagelet up") from None


def _message(answer: bytes) -> str:
    """What a refusal says to people."""
    text = answer.decode("utf-8", "replace")
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text[:500]
