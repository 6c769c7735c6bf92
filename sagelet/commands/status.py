"""`sagelet status`: what the server is doing."""

from __future__ import annotations

import argparse

from sagelet import places


def options(parser: argparse.ArgumentParser) -> None:
    """Which server."""
    places.server_option(parser)


def run(options: argparse.Namespace) -> int:
    """Print what the server is doing: where it is, how jobs run, how many there are."""
    url = places.find(options.data_dir)
    answer = places.ask(url, "/_sagelet/status")
    print(f"Sagelet {answer.pop('version', '?')} at {url}")
    for name, value in answer.items():
        print(f"  {name.replace('_', ' ')}: {_readable(value)}")
    return 0


def _readable(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {_readable(v)}" for k, v in value.items()) or "none"
    return str(value) or "none"
