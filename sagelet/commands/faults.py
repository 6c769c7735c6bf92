"""`sagelet faults add|list|clear`: what is to go wrong on purpose."""

from __future__ import annotations

import argparse
import json
from typing import Any

from sagelet import places

PATH = "/_sagelet/faults"
KINDS = ("throttle", "error", "latency", "capacity", "job-failure", "spot-interruption")
TEXTS = {
    "operation": "requests of this operation; of a job or endpoint, the operation that made it",
    "service": "for instance sagemaker, s3, sqs",
    "name": "of the resource in the request, or of the job",
    "account": "of the caller",
    "region": "of the request",
}
NUMBERS: dict[str, tuple[type, str]] = {
    "probability": (float, "how often it strikes where it could, from 0 to 1 (1)"),
    "seed": (int, "where chance begins, so that it can be repeated"),
    "times": (int, "it strikes so often and no more (0: without end)"),
    "seconds": (float, "of latency; or until a job that runs fails or is interrupted"),
    "status": (int, "HTTP status of an error"),
}
WORDS = {"code": "of an error", "message": "of an error", "reason": "FailureReason of a job"}


def options(parser: argparse.ArgumentParser) -> None:
    """What is to be done with the rules of which server."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="add|list|clear")
    adding = verbs.add_parser("add", help="add a rule", description="Add a rule. Patterns know * and ?.")
    adding.add_argument("kind", choices=KINDS)
    for name, text in TEXTS.items():
        adding.add_argument(f"--{name}", metavar="PATTERN", help=text)
    for name, (kind, text) in NUMBERS.items():
        adding.add_argument(f"--{name}", type=kind, help=text)
    for name, text in WORDS.items():
        adding.add_argument(f"--{name}", metavar="TEXT", help=text)
    listing = verbs.add_parser("list", help="show the rules, with how often each struck")
    clearing = verbs.add_parser("clear", help="forget a rule, or all")
    clearing.add_argument("rule", nargs="?", default="", help="the id of one rule")
    for verb in (adding, listing, clearing):
        places.server_option(verb)


def run(options: argparse.Namespace) -> int:
    """Let requests or jobs go wrong on purpose: throttled, slow, refused, without capacity, failed, interrupted."""
    url = places.find(options.data_dir)
    if options.verb == "add":
        names = ("kind", *TEXTS, *NUMBERS, *WORDS)
        rule = {name: value for name in names if (value := getattr(options, name)) is not None}
        print(places.ask(url, PATH, method="POST", body=rule)["id"])
    elif options.verb == "clear":
        places.ask(url, f"{PATH}/{options.rule}" if options.rule else PATH, method="DELETE")
    else:
        for rule in places.ask(url, PATH)["faults"]:
            print(_line(rule))
    return 0


def _line(rule: dict[str, Any]) -> str:
    told = {
        n: v for n, v in rule.items() if v not in ("*", "", 0, 0.0) and n not in ("id", "kind", "hits", "seen", "seed")
    }
    if rule["probability"] == 1.0:
        del told["probability"]
    words = " ".join(f"{name}={json.dumps(value)}" for name, value in told.items())
    return f"{rule['id']}  {rule['kind']}  struck {rule['hits']} of {rule['seen']}  {words}".rstrip()
