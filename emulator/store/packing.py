"""How bodies are kept in a column: as JSON text. A page of job records is mostly the parsing of it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson


def dumps(value: Any) -> str:
    """A value as JSON, as short as it can be."""
    return orjson.dumps(value).decode()


def mention(text: str, test: str) -> str:
    """What JSON that `dumps` made has in it where it has a string that equals, `starts` with or `contains` a text."""
    written = dumps(text)
    return {"contains": written[1:-1], "starts": written[:-1]}.get(test, written)


@lru_cache(maxsize=256)
def loads(text: str) -> Any:
    """The value of JSON that `dumps` wrote. Shared between callers: nobody may change it in place.

    A settled record is read over and over, and its text never changes: remembered, it costs the hash of the text.
    """
    return orjson.loads(text)
