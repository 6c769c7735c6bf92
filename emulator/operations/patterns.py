"""The model's patterns are Java regular expressions; Python's must mean the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

Match = Callable[[str], object]

_SURROGATES = re.compile(r"\\uD800\\uDC00-\\uDBFF\\uDFFF", re.IGNORECASE)
"""Java's spelling of the characters beyond U+FFFF, as pairs of 16-bit units."""

_JAVA_ONLY = re.compile(r"\\[pPhHRXZ]|&&|\[\[|\[\^\[|[*+?}]\+|\(\?>|--|\|\||~~")
"""What Python's own `re` does not know, or not in every version, or warns about: the `regex` package does."""


@cache
def compile_pattern(pattern: str) -> Match:
    """A function that says whether a whole string matches; Java's `\\w`, `\\d`, `\\s` mean ASCII only."""
    translated = _SURROGATES.sub(r"\\U00010000-\\U0010FFFF", pattern)
    if not _JAVA_ONLY.search(translated):
        try:
            return re.compile(translated, re.ASCII).fullmatch
        except re.error:
            pass  # `regex` knows more
    import regex

    version = regex.VERSION1 if "&&" in translated else regex.VERSION0
    unicode_classes = regex.UNICODE if re.search(r"\\[pP]", translated) else regex.ASCII
    match: Match = regex.compile(translated, version | unicode_classes).fullmatch
    return match


def printed(pattern: str) -> str:
    """A pattern as the service prints it: with the `^` that models leave out."""
    return pattern if pattern.startswith("^") else "^" + pattern
