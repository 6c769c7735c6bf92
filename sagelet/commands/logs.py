"""`sagelet logs JOB`: the lines of a job or an endpoint."""

from __future__ import annotations

import argparse
import json
import sys
import time
from urllib.parse import urlencode

from sagelet import places


def options(parser: argparse.ArgumentParser) -> None:
    """Which job, for how long, of which server."""
    parser.add_argument("job", help="name of a training, transform or other job, or of an endpoint")
    parser.add_argument("--follow", "-f", action="store_true", help="go on until the job is over")
    places.server_option(parser)


def run(options: argparse.Namespace) -> int:
    """Print the log lines of a job or an endpoint."""
    url = places.find(options.data_dir)
    places_read: dict[str, int] = {}
    while True:
        query = urlencode({"job": options.job, "places": json.dumps(places_read)})
        answer = places.ask(url, f"/_sagelet/logs?{query}")
        if answer["unknown"] and not (options.follow and not answer["over"]):
            print(f"sagelet: no job or endpoint named {options.job} has logged anything.", file=sys.stderr)
            return 1
        for line in answer["lines"]:
            print(line, flush=True)
        places_read = answer["places"]
        if not answer["more"]:  # not until there are no lines: a program may print them faster than we ask
            if answer["over"] or not options.follow:
                return 0
            time.sleep(0.3)
