"""`sagelet clean`: what a server that is gone has left."""

from __future__ import annotations

import argparse
from pathlib import Path

from sagelet import places


def options(parser: argparse.ArgumentParser) -> None:
    """Which folder."""
    parser.add_argument("--data-dir", help="folder of the server that is gone (~/.sagelet)")


def run(options: argparse.Namespace) -> int:
    """Remove containers, networks, processes, sockets and folders of runs whose server is not running any more.

    Jobs that were under way fail at the next start; records, objects and logs stay.
    """
    from sagelet.server import run_clean

    return run_clean(Path(options.data_dir or places.default_data_dir()).expanduser(), places.rooms())
