"""`sagelet clock`: the time of the server."""

from __future__ import annotations

import argparse
from typing import Any

from sagelet import places

PATH = "/_sagelet/clock"
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def options(parser: argparse.ArgumentParser) -> None:
    """What is to be done with which server's clock."""
    moves = parser.add_mutually_exclusive_group()
    moves.add_argument("--advance", type=seconds, metavar="TIME", help="let so much pass: 90, 90s, 15m, 2h, 7d")
    moves.add_argument("--set", metavar="WHEN", help="go to a time: ISO 8601, or seconds since the epoch")
    moves.add_argument("--restore", action="store_true", help="show the machine's time again")
    stops = parser.add_mutually_exclusive_group()
    stops.add_argument("--freeze", action="store_true", help="let it stand still")
    stops.add_argument("--resume", action="store_true", help="let it go on from where it stands")
    places.server_option(parser)


def run(options: argparse.Namespace) -> int:
    """Show the clock of the server, or move and stop it; what becomes due on the way has run when this returns."""
    url = places.find(options.data_dir)
    asked: dict[str, Any] = {name: True for name in ("freeze", "resume") if getattr(options, name)}
    asked |= {name: value for name in ("advance", "set") if (value := getattr(options, name)) is not None}
    if options.restore:
        told = places.ask(url, PATH, method="DELETE")
    elif asked:
        told = places.ask(url, PATH, method="POST", body=asked)
    else:
        told = places.ask(url, PATH)
    state = "frozen" if told["frozen"] else f"{told['offset']:+.3f} s to the machine's"
    print(f"{told['iso']} ({state}; {told['waiting']} waiting)")
    return 0


def seconds(text: str) -> float:
    """Seconds, of a number with or without a unit."""
    unit = text[-1:]
    return float(text[:-1]) * UNITS[unit] if unit in UNITS else float(text)
