"""`sagelet requests`: what was asked of the server."""

from __future__ import annotations

import argparse
import json
import time
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from sagelet import places

PATH = "/_sagelet/requests"
FILTERS = ("service", "operation", "name", "account", "region", "code", "status", "since", "limit")


def options(parser: argparse.ArgumentParser) -> None:
    """Which requests, of which server."""
    add = parser.add_argument
    add("--follow", "-f", action="store_true", help="go on with those that come")
    add("--operation", metavar="PATTERN", help="for instance CreateTrainingJob or 'Create*'")
    add("--service", metavar="PATTERN", help="for instance sagemaker, s3 or 'sagemaker*'")
    add("--name", metavar="PATTERN", help="of the resource that the request is about")
    add("--account", metavar="PATTERN")
    add("--region", metavar="PATTERN")
    add("--code", metavar="PATTERN", help="of the error, for instance 'Throttling*'")
    add("--status", help="a number, or a class such as 4xx")
    add("--since", metavar="TIME", help="ISO 8601, or seconds since the epoch")
    add("--limit", type=int, help="at most so many, the latest (100)")
    add("--json", action="store_true", help="a JSON object for each")
    add("--clear", action="store_true", help="forget them")
    places.server_option(parser)


def run(options: argparse.Namespace) -> int:
    """Print the last requests: time, status, duration, operation, what it was about, error."""
    url = places.find(options.data_dir)
    if options.clear:
        places.ask(url, PATH, method="DELETE")
        return 0
    given = {name: value for name in FILTERS if (value := getattr(options, name)) is not None}
    after = 0
    while True:
        answer = places.ask(url, f"{PATH}?{urlencode({**given, 'after': after})}")
        for entry in answer["requests"]:
            print(json.dumps(entry) if options.json else _line(entry), flush=True)
            after = entry["number"]
        if not options.follow:
            return 0
        given["limit"] = max(1, answer["kept"])
        time.sleep(0.3)


def _line(entry: dict[str, Any]) -> str:
    stamp = datetime.fromtimestamp(entry["time"]).isoformat(" ", "milliseconds")
    where = f"{entry['account']}/{entry['region']}"
    what = f"{entry['service']}:{entry['operation'] or '?'} {entry['name']}".rstrip()
    return f"{stamp}  {entry['status']} {entry['milliseconds']:8.1f} ms  {where}  {what}  {entry['code']}".rstrip()
