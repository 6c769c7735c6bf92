"""CSV of nothing but numbers and gaps, read by the parser of JSON, which is several times quicker than numpy's.

Whatever else a text holds, though it be a number to others (`+1`, `.5`, quotes), is left to who can tell.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIECE = 256 << 10
"""Characters that are read at once: the numbers of so many stay in the processor's cache as Python's objects."""
NUMBER = b"0123456789.-+eE"


def read(text: bytes, delimiter: str, words: Iterable[str] = ()) -> NDArray[Any] | None:
    """The rows as float64, exactly as `float` reads each field; NaN for an empty one or one of these words.

    None if it is no such text.
    """
    import numpy

    mark = delimiter.encode()
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    rows, at = [], 0
    columns = text.partition(b"\n")[0].count(mark) + 1
    while at < len(text):
        end = at + PIECE if at + PIECE < len(text) else len(text)
        end = text.rfind(b"\n", at, end) + 1 or text.find(b"\n", end) + 1 or len(text)
        lines = text[at:end].removesuffix(b"\n")
        if not _is_plain(lines, mark, columns):  # To look for words takes longer than this.
            lines = _without(words, lines, mark)
            if not _is_plain(lines, mark, columns):
                return None
        piece = _rows(lines, mark, columns)
        if piece is None:
            return None
        rows.append(piece)
        at = end
    return rows[0] if len(rows) == 1 else numpy.concatenate(rows) if rows else None


def _without(words: Iterable[str], text: bytes, mark: bytes) -> bytes:
    """Gaps where fields are such words. Twice, as a delimiter can end one such field and begin the next."""
    for word in (one.encode() for one in words):
        if word in text:
            lines = b"\n" + text + b"\n"
            for left, right in ((mark, mark), (mark, mark), (b"\n", mark), (mark, b"\n")):
                lines = lines.replace(left + word + right, left + right)
            text = lines[1:-1]
    return text


def _is_plain(text: bytes, mark: bytes, columns: int) -> bool:
    """Whether there is nothing but characters of numbers between the marks and the line ends where they belong."""
    between = text.translate(None, NUMBER)
    return bool(text) and between == b"\n".join([mark * (columns - 1)] * (text.count(b"\n") + 1))


def _rows(text: bytes, mark: bytes, columns: int) -> NDArray[Any] | None:
    import numpy

    try:
        import orjson
    except ImportError:  # In a user's own image: numpy's reader does it too.
        return None
    listed = b"[" + text.replace(mark, b",").replace(b"\n", b",") + b"]"
    try:
        numbers = orjson.loads(listed)
        found = numpy.fromiter(numbers, numpy.float64, len(numbers))
    except orjson.JSONDecodeError:
        if columns == 1 or mark == b" ":
            return None  # What looks like a gap is a blank line, or one of several blanks.
        try:
            found = numpy.array(orjson.loads(_filled(listed)), dtype=numpy.float64)
        except orjson.JSONDecodeError:
            return None
    if not found.all() and (b"-0," in listed or listed.endswith(b"-0]")):
        return None  # A whole number without its sign to JSON.
    return found.reshape(-1, columns)


def _filled(listed: bytes) -> bytes:
    for gap, filled in ((b",,", b",null,"), (b",,", b",null,"), (b"[,", b"[null,"), (b",]", b",null]")):
        listed = listed.replace(gap, filled)
    return listed
