"""`sagelet reset`: empties the server, or what one account or region has there."""

from __future__ import annotations

import argparse

from sagelet import places


def options(parser: argparse.ArgumentParser) -> None:
    """What of which server."""
    parser.add_argument("--account", help="only what this account has (12 digits)")
    parser.add_argument("--region", help="only what is in this region")
    places.server_option(parser)


def run(options: argparse.Namespace) -> int:
    """Forget jobs, endpoints, records, objects and logs: all of the server's, or those of an account or region."""
    url = places.find(options.data_dir)
    part = {name: value for name in ("account", "region") if (value := getattr(options, name))}
    told = places.ask(url, "/_sagelet/reset", method="POST", body=part)
    what = " of ".join(filter(None, (part.get("region"), part.get("account"))))
    print(f"Sagelet at {url} is empty now{f': {what}' if what else ''}.")
    for sentence in told["left"]:
        print(f"  {sentence}")
    return 0
