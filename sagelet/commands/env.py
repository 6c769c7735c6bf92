"""`sagelet env`: points a shell at the server."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping

from sagelet import places
from sagelet.environment import BEFORE, Changes, applied, changes, changes_by_proxy, former, remembered

PROXY = "by AWS's own addresses, which the server answers as an HTTPS proxy; nothing else can be reached"


def options(parser: argparse.ArgumentParser) -> None:
    """Which server."""
    places.server_option(parser)
    parser.add_argument("--proxy", action="store_true", help=PROXY)
    parser.add_argument(
        "--off", action="store_true", help="print what points the shell back to where it pointed before"
    )


def run(options: argparse.Namespace) -> int:
    """Print the exports that point a shell at the server: eval "$(sagelet env)". Back: eval "$(sagelet env --off)"."""
    if options.off:
        print(_lines(former()), end="")
        return 0
    changed = pointed(places.find(options.data_dir), options.proxy)
    print(_lines({**changed, BEFORE: remembered(changed)}), end="")
    return 0


def pointed(url: str, by_proxy: bool) -> Changes:
    """The changes of an environment that point it at the server."""
    if not by_proxy:
        return changes(url)
    from sagelet.proxied import proxy

    return changes_by_proxy(proxy(url, applied(former())))


def _lines(changed: Mapping[str, str | None]) -> str:
    return "".join(
        f"unset {name}\n" if value is None else f"export {name}={shlex.quote(value)}\n"
        for name, value in changed.items()
    )
