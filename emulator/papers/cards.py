"""A model card as a paper: its sections in their order, with the card's JSON attached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.papers.pdf import Paper

STEP = 12.0
"""Points by which what is inside of something is set in."""


def paper(title: str, facts: Mapping[str, str], document: Mapping[str, Any], source: str) -> bytes:
    """A PDF of a card: `facts` about the card, then its `document`; `source` is the text that the document came as."""
    made = Paper(title)
    made.heading(title, 0)
    for label, text in facts.items():
        made.entry(label, text)
    for section, content in document.items():
        made.heading(_label(section))
        _show(made, content, 0, 2)
    made.attach("model-card.json", source.encode())
    return made.finish()


def _show(made: Paper, value: Any, indent: float, level: int) -> None:
    """What stands below a heading."""
    if isinstance(value, dict):
        for name, inner in value.items():
            _member(made, name, inner, indent, level)
    elif isinstance(value, list):
        for item in value:
            _element(made, item, indent, level)
    else:
        made.paragraph(_text(value), indent)


def _member(made: Paper, name: str, value: Any, indent: float, level: int) -> None:
    if _plain(value):
        made.entry(_label(name), _text(value), indent)
        return
    made.heading(_label(name), level)
    _show(made, value, indent + STEP, level + 1)


def _element(made: Paper, item: Any, indent: float, level: int) -> None:
    """An element of a list: a line if it is short enough for one, else its name and what is in it."""
    if not isinstance(item, dict):
        made.bullet(_text(item), indent)
    elif all(_plain(value) for value in item.values()):
        made.bullet(", ".join(f"{_label(name)}: {_text(value)}" for name, value in item.items()), indent)
    else:
        made.heading(_text(item.get("name", "")), level)
        _show(made, {name: value for name, value in item.items() if name != "name"}, indent + STEP, level + 1)


def _plain(value: Any) -> bool:
    """Whether a value is one line of text: numbers in rows (curves, matrices) are, too."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, (int, float)) or _plain_row(item) for item in value)
    return not isinstance(value, dict)


def _plain_row(item: Any) -> bool:
    return isinstance(item, list) and all(isinstance(number, (int, float)) for number in item)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(_text(item) for item in value) if any(map(_plain_row, value)) else ", ".join(map(str, value))
    return "" if value is None else str(value)


def _label(name: str) -> str:
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]
