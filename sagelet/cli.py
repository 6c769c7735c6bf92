"""The command line. A command is a module of `sagelet.commands`: its options, and a function that runs it.

Only the module of the command that is asked for is imported: `sagelet up` becomes the server within milliseconds.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from sagelet import places

COMMANDS: tuple[tuple[str, str], ...] = (
    ("up", "run the server in the foreground"),
    ("env", "print the exports a shell needs"),
    ("run", "run a command that talks to the server instead of AWS"),
    ("status", "what the server is doing"),
    ("logs", "print the log of a job"),
    ("requests", "what was asked of the server"),
    ("snapshot", "save all that the server holds into a file, or load it"),
    ("reset", "forget what the server holds"),
    ("faults", "let requests or jobs go wrong on purpose"),
    ("clock", "show, move or stop the time of the server"),
    ("clean", "remove what runs of a stopped server left"),
    ("doctor", "what works on this machine"),
    ("demo", "train, deploy, invoke and batch-transform a real model"),
    ("version", "print the version"),
)
"""Each with a line for `sagelet --help`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0, 1 when it could not be done, 2 when it was not understood."""
    words = sys.argv[1:] if arguments is None else arguments
    options = _parser(words).parse_args(words)
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


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sagelet", description="A local Amazon SageMaker.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    wanted = next((word for word in words if not word.startswith("-")), "")
    for name, text in COMMANDS:
        if name != wanted:
            commands.add_parser(name, help=text)
            continue
        module = import_module(f"sagelet.commands.{name}")
        sub = commands.add_parser(name, help=text, description=module.run.__doc__)
        module.options(sub)
        sub.set_defaults(run=module.run)
    return parser
