"""The answer of a script that serves."""

from __future__ import annotations

from typing import Any


class Response:
    """A body and its media type."""

    def __init__(self, response: Any = None, status: int = 200, mimetype: str | None = None, **more: Any) -> None:
        accept = more.get("accept")
        self.response, self.status, self.mimetype = response, status, mimetype or accept
