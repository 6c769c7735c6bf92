"""The command line: `sagelet up | env | status | logs | reset | clean | doctor | demo | version`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from sagelet import __version__, places

EXECUTORS = ("auto", "process", "docker", "stub")
PULLS = ("never", "missing", "always")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0, 1 when it could not be done, 2 when it was not understood."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except places.NoServer as error:
        print(f"sagelet: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # of `sagelet logs JOB | head`; what the interpreter still flushes must go somewhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sagelet", description="A local Amazon SageMaker.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _up_options(commands.add_parser("up", help="run the server in the foreground", description=up.__doc__))
    for command, text in ((env, "print the exports a shell needs"), (version, "print the version")):
        sub = commands.add_parser(command.__name__, help=text, description=command.__doc__)
        sub.set_defaults(run=command)
        if command is env:
            _server_option(sub)
    for command, text in ((status, "what the server is doing"), (reset, "forget everything the server holds")):
        sub = commands.add_parser(command.__name__, help=text, description=command.__doc__)
        _server_option(sub)
        sub.set_defaults(run=command)
    sub = commands.add_parser("logs", help="print the log of a job", description=logs.__doc__)
    sub.add_argument("job", help="name of a training, transform or other job, or of an endpoint")
    sub.add_argument("--follow", "-f", action="store_true", help="go on until the job is over")
    _server_option(sub)
    sub.set_defaults(run=logs)
    sub = commands.add_parser("clean", help="remove what runs of a stopped server left", description=clean.__doc__)
    sub.add_argument("--data-dir", help="folder of the server that is gone (~/.sagelet)")
    sub.set_defaults(run=clean)
    sub = commands.add_parser("doctor", help="what works on this machine", description="What works on this machine.")
    sub.add_argument("--port", type=int, default=places.DEFAULT_PORT)
    sub.set_defaults(run=doctor)
    sub = commands.add_parser("demo", help="train, deploy, invoke and batch-transform a real model")
    sub.add_argument("--executor", choices=EXECUTORS, default="auto")
    sub.set_defaults(run=demo)
    return parser


def _server_option(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--data-dir", help="folder of the server to talk to (else AWS_ENDPOINT_URL, else port 4577)")


def _up_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--host", help="address to listen on (127.0.0.1)")
    sub.add_argument("--port", type=int, help="port to listen on (4577); 0 takes any free one")
    sub.add_argument("--data-dir", type=Path, help="folder that holds everything (~/.sagelet)")
    sub.add_argument("--executor", choices=EXECUTORS, help="how jobs run (auto)")
    sub.add_argument("--pull", choices=PULLS, help="whether Docker may fetch images from their registry (never)")
    sub.add_argument("--ready-file", help="file that receives the URL once the server can serve")
    sub.add_argument("--s3-endpoint", metavar="URL", help="an external S3 instead of the built-in one")
    sub.add_argument("--allow-host", action="append", metavar="NAME", help="further Host name to answer to")
    sub.add_argument("--check-roles", action="store_true", default=None, help="roles must exist and trust SageMaker")
    sub.add_argument("--account-id", help="account of callers whose credentials name none (123456789012)")
    sub.add_argument("--region", help="region of requests that name none (us-east-1)")
    sub.add_argument("--max-jobs", type=int, help="jobs that run at the same time (by the cores)")
    sub.add_argument("--gpu", choices=("cpu", "refuse", "devices"), help="what instance types with GPUs mean (cpu)")
    sub.add_argument("--quotas", action="store_true", default=None, help="quotas of a new AWS account are kept")
    sub.add_argument(
        "--strict-versions", action="store_true", default=None, help="refuse libraries of other major versions"
    )
    sub.set_defaults(run=up)


def up(options: argparse.Namespace) -> int:
    """Run the server in the foreground. Every option is also a variable: SAGELET_PORT, SAGELET_DATA_DIR, ..."""
    from sagelet.server import exec_server

    given = {k: v for k, v in vars(options).items() if k not in ("run", "command") and v is not None}
    settings = {**_from_environment(), **given}
    settings["data_dir"] = str(Path(settings.get("data_dir") or places.default_data_dir()).expanduser().resolve())
    if settings.get("ready_file"):
        settings["ready_file"] = str(Path(settings["ready_file"]).resolve())
    exec_server(json.dumps(settings), places.rooms())
    return 1


def _from_environment() -> dict[str, object]:
    prefix = "SAGELET_"
    return {k[len(prefix) :].lower(): v for k, v in os.environ.items() if k.startswith(prefix) and v}


def env(options: argparse.Namespace) -> int:
    """Print the exports that point a shell at the server: eval "$(sagelet env)"."""
    from sagelet.environment import variables

    url = places.find(options.data_dir)
    for name, value in variables(url).items():
        print(f"export {name}={value}")
    return 0


def version(options: argparse.Namespace) -> int:
    """Print the version of Sagelet."""
    print(f"sagelet {__version__}")
    return 0


def status(options: argparse.Namespace) -> int:
    """Print what the server is doing: where it is, how jobs run, how many there are."""
    url = places.find(options.data_dir)
    answer = places.ask(url, "/_sagelet/status")
    print(f"Sagelet {answer.pop('version', '?')} at {url}")
    for name, value in answer.items():
        print(f"  {name.replace('_', ' ')}: {_readable(value)}")
    return 0


def _readable(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {_readable(v)}" for k, v in value.items()) or "none"
    return str(value)


def reset(options: argparse.Namespace) -> int:
    """Forget all jobs, endpoints, records, objects and logs of the server."""
    url = places.find(options.data_dir)
    places.ask(url, "/_sagelet/reset", method="POST")
    print(f"Sagelet at {url} is empty now.")
    return 0


def logs(options: argparse.Namespace) -> int:
    """Print the log lines of a job or an endpoint."""
    from urllib.parse import urlencode

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


def clean(options: argparse.Namespace) -> int:
    """Remove containers, networks, processes, sockets and folders of runs whose server is not running any more.

    Jobs that were under way fail at the next start; records, objects and logs stay.
    """
    from sagelet.server import run_clean

    return run_clean(Path(options.data_dir or places.default_data_dir()).expanduser(), places.rooms())


def doctor(options: argparse.Namespace) -> int:
    """Say what works on this machine, and what to do about the rest."""
    from sagelet.doctor import report

    return report(options.port)


def demo(options: argparse.Namespace) -> int:
    """Train, deploy, invoke and batch-transform a real model on this machine."""
    from sagelet.demo import run

    return run(options.executor)
