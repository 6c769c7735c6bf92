"""docs/commands.md, from the parsers of the commands themselves."""

from __future__ import annotations

import argparse
from importlib import import_module

from sagelet.cli import COMMANDS

HEAD = """# Commands

Generated from `sagelet/commands/` (`make docs`). `sagelet COMMAND --help` says the same. Commands that talk to a server
find it by `--data-dir`, else by AWS_ENDPOINT_URL, else at the default port. Each ends with 0, with 1 when it could not
be done, with 2 when it was not understood. What `sagelet up` can be told by variables is in [settings](settings.md).
"""
VERBS = argparse._SubParsersAction
"""argparse has no public name for it."""


def page() -> str:
    """A section a command."""
    sections = [HEAD]
    for name, parser in parsers().items():
        sections += [f"## sagelet {name}\n\n{parser.description}\n", *_options(parser)]
    return "\n".join(sections)


def parsers() -> dict[str, argparse.ArgumentParser]:
    """Those of the commands by their names, each described by what its function says."""
    made = {}
    for name, _ in COMMANDS:
        module = import_module(f"sagelet.commands.{name}")
        told = " ".join((module.run.__doc__ or "").split())
        made[name] = argparse.ArgumentParser(prog=f"sagelet {name}", description=told, add_help=False)
        module.options(made[name])
    return made


def options() -> dict[str, set[str]]:
    """The options of each command, those of its verbs with them."""
    return {name: set(_strings(parser)) for name, parser in parsers().items()}


def _strings(parser: argparse.ArgumentParser) -> list[str]:
    found = [string for action in parser._actions for string in action.option_strings]
    verbs = [verb for action in parser._actions if isinstance(action, VERBS) for verb in action.choices.values()]
    return found + [string for verb in verbs for string in _strings(verb)]


def _options(parser: argparse.ArgumentParser) -> list[str]:
    """The table of a command, and those of its verbs."""
    verbs = [action for action in parser._actions if isinstance(action, VERBS)]
    if verbs:
        [action] = verbs
        helps = {choice.dest: choice.help for choice in action._choices_actions}
        parts = []
        for name, verb in action.choices.items():
            parts += [f"### {parser.prog} {name}\n\n{_sentence(helps[name])}\n", *_options(verb)]
        return parts
    rows = [_row(action) for action in parser._actions if not isinstance(action, argparse._HelpAction)]
    return ["\n".join(["| option | |", "|---|---|", *rows, ""])] if rows else []


def _row(action: argparse.Action) -> str:
    names = ", ".join(f"`{name}`" for name in action.option_strings) or f"`{action.metavar or action.dest.upper()}`"
    choices = f"one of {', '.join(f'`{choice}`' for choice in action.choices)}" if action.choices else ""
    told = "; ".join(part for part in (action.help or "", choices) if part).replace("|", "\\|")
    value = f" {action.metavar or ''}" if action.option_strings and action.nargs != 0 and action.metavar else ""
    return f"| {names}{value} | {told} |"


def _sentence(text: str | None) -> str:
    return f"{(text or '')[:1].upper()}{(text or '')[1:]}."
