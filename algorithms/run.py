"""`python -m algorithms.run <name> train|serve`: what an image of ours runs, and what a shell may."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from algorithms import catalog

VERBS = ("train", "serve")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb of one algorithm in this process; its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if len(given) != 2 or given[1] not in VERBS:
        print(f"usage: python -m algorithms.run {{{'|'.join(catalog.names())}}} {{train|serve}}", file=sys.stderr)
        return 2
    try:
        algorithm = catalog.get(given[0])
    except KeyError as missing:
        print(missing.args[0], file=sys.stderr)
        return 2
    module, _, function = str(getattr(algorithm, given[1])).partition(":")
    return int(getattr(importlib.import_module(module), function)())


if __name__ == "__main__":
    sys.exit(main())
