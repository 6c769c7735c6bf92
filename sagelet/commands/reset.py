"""`sagelet reset`: empties the server."""

from __future__ import annotations

import argparse

from sagelet import places


def options(parser: argparse.ArgumentParser) -> None:
    """Which server."""
    places.server_option(parser)


def run(options: argparse.Namespace) -> int:
    """Forget all jobs, endpoints, records, objects and logs of the server."""
    url = places.find(options.data_dir)
    places.ask(url, "/_sagelet/reset", method="POST")
    print(f"Sagelet at {url} is empty now.")
    return 0
