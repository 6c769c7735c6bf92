"""`sagelet version`."""

from __future__ import annotations

import argparse

from sagelet import __version__


def options(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(options: argparse.Namespace) -> int:
    """Print the version of Sagelet."""
    print(f"sagelet {__version__}")
    return 0
