"""`sagelet run -- COMMAND`: a program that talks to the server instead of AWS, unchanged."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

from sagelet import places
from sagelet.commands.env import PROXY, pointed
from sagelet.environment import applied
from sagelet.server import Server, ServerDied


def options(parser: argparse.ArgumentParser) -> None:
    """Which server, and the command."""
    places.server_option(parser)
    parser.add_argument("--proxy", action="store_true", help=PROXY)
    parser.add_argument(
        "command_line", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="python train.py, pytest ..."
    )


def run(options: argparse.Namespace) -> int:
    """Run a command that talks to the server; where none is running, one is started for as long as the command runs.

    The exit status is that of the command.
    """
    command = options.command_line[options.command_line[:1] == ["--"] :]
    if not command:
        print("sagelet run: no command. Give one: sagelet run -- python train.py", file=sys.stderr)
        return 2
    try:
        url = places.find(options.data_dir)
        places.ask(url, "/_sagelet/health")
    except places.NoServer:
        if options.data_dir is None and (os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("SAGELET_SERVER")):
            raise  # that server is meant, and no other
        return _with_server(command, options.data_dir or places.default_data_dir(), options.proxy)
    return _run(command, url, options.proxy)


def _with_server(command: list[str], data_dir: Path | str, by_proxy: bool) -> int:
    try:
        with Server(data_dir) as server:
            print(f"sagelet: started a server on {data_dir} at {server.url} for this command", file=sys.stderr)
            return _run(command, server.url, by_proxy)
    except ServerDied as error:
        print(f"sagelet run: {error}", file=sys.stderr)
        return 1


def _run(command: list[str], url: str, by_proxy: bool) -> int:
    try:
        program = subprocess.Popen(command, env=applied(pointed(url, by_proxy)))
    except OSError as error:
        print(f"sagelet run: {command[0]}: {error.strerror}", file=sys.stderr)
        return 127
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command gets it from the terminal, too
    try:
        status = program.wait()
    finally:
        signal.signal(signal.SIGINT, before)
    return status if status >= 0 else 128 - status
