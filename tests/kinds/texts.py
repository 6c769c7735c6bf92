"""Makes strings that a pattern of the model allows: what is asked for where it fits, else one made from the pattern."""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

from emulator.operations.patterns import compile_pattern

if sys.version_info >= (3, 11):
    from re import _constants as sre
    from re import _parser as parser
else:
    import sre_constants as sre
    import sre_parse as parser

ACCOUNT = "123456789012"
TRIES = 400
LONGEST = 3000
FILLERS = "a1-/.:"
CATEGORIES = {
    sre.CATEGORY_DIGIT: "1234567890",
    sre.CATEGORY_WORD: "abcxyz019",
    sre.CATEGORY_SPACE: " ",
    sre.CATEGORY_NOT_SPACE: "abcxyz019",
    sre.CATEGORY_NOT_WORD: "-",
    sre.CATEGORY_NOT_DIGIT: "abc",
}


def text(shape: Any, wanted: str) -> str:
    """A string that a shape allows: `wanted`, or as much of it as fits, or one made from the pattern."""
    enum = getattr(shape, "enum", None)
    if enum:
        return str(enum[0])
    traits = shape.metadata
    return fitting(traits.get("pattern", ""), traits.get("min") or 0, traits.get("max"), wanted)


@cache
def fitting(pattern: str, low: int, high: int | None, wanted: str) -> str:
    """The first of many tries that has the length and matches the whole pattern; `LookupError` when none does."""
    limit = LONGEST if high is None else high
    matches = compile_pattern(pattern) if pattern else bool
    for attempt in _attempts(pattern, low, limit, wanted):
        if low <= len(attempt) <= limit and (not pattern or matches(attempt)):
            return attempt
    raise LookupError(f"no string of {low} to {high} characters was found for the pattern {pattern!r}")


def _attempts(pattern: str, low: int, limit: int, wanted: str) -> Iterator[str]:
    plain = re.sub("[^a-zA-Z0-9]", "", wanted).lower() or "x"
    for candidate in (wanted, wanted.lower(), plain, plain[:limit], plain[-limit:], f"s3://bucket/{plain}"):
        yield candidate
        yield from (candidate + filler * (low - len(candidate)) for filler in FILLERS if len(candidate) < low)
    yield from ("1", "1.0", "1.0.0", "a", "us-east-1")
    if not pattern:
        return
    tree = parser.parse(_python(pattern))
    for number in range(TRIES):
        made = _Made(random.Random(f"{pattern} {wanted} {number}"), generous=(number + 3) % 40)
        yield made.of(tree)


def _python(pattern: str) -> str:
    """Java's classes of characters as letters that are in all of them, so that Python can read the pattern."""
    inside = re.compile(r"\[(?:\\.|[^\]\\])*\]")
    classed = inside.sub(lambda found: re.sub(r"\\[pP]\{\w+\}", "a-z", found[0]), pattern)
    spelled = re.sub(r"\\[pP]\{\w+\}", "[a-z]", classed)
    return re.sub(r"\[0-9\]\{12\}|\\d\{12\}", ACCOUNT, spelled).replace(r"\z", r"\Z")


class _Made:
    """One string out of a parsed pattern. `generous`: how many times more than it must a part is repeated."""

    def __init__(self, choice: random.Random, generous: int) -> None:
        self._choice = choice
        self._generous = generous
        self._groups: dict[int, str] = {}

    def of(self, tree: Any) -> str:
        return "".join(self._one(code, value) for code, value in tree)

    def _one(self, code: Any, value: Any) -> str:
        if code is sre.LITERAL:
            return chr(value)
        if code is sre.IN:
            return self._class(value)
        if code in (sre.ANY, sre.NOT_LITERAL):
            return self._choice.choice("abc")
        if code is sre.BRANCH:
            return self.of(self._choice.choice(value[1]))
        if code is sre.SUBPATTERN:
            self._groups[value[0]] = made = self.of(value[-1])
            return made
        if code in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            low, high, inner = value
            times = min(high, low + self._choice.randint(0, self._generous))
            return "".join(self.of(inner) for _ in range(times))
        return self._groups.get(value, "") if code is sre.GROUPREF else ""

    def _class(self, items: Any) -> str:
        if items[0][0] is sre.NEGATE:
            return self._choice.choice("abcd")
        code, value = self._choice.choice(items)
        if code is sre.RANGE:
            return chr(self._choice.randint(value[0], min(value[1], 0x7E) if value[0] < 0x7E else value[1]))
        return self._choice.choice(CATEGORIES[value]) if code is sre.CATEGORY else chr(value)
