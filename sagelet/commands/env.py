"""`sagelet env`: points a shell at the server."""

from __future__ import annotations

import argparse

from sagelet import places
from sagelet.environment import variables


def options(parser: argparse.ArgumentParser) -> None:
    """Which server."""
    places.server_option(parser)


def run(options: argparse.Namespace) -> int:
    """Print the exports that point a shell at the server: eval "$(sagelet env)"."""
    for name, value in variables(places.find(options.data_dir)).items():
        print(f"export {name}={value}")
    return 0
