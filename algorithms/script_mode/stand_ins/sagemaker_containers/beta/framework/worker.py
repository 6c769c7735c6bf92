"""The answer of a script that serves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

JSON = "application/json"


class Response:
    """A body, its media type and further headers; `accept` does nothing, as in the image."""

    def __init__(
        self,
        response: Any = None,
        accept: str | None = None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        self.response, self.status, self.headers = response, status, dict(headers or {})
        self.mimetype = more.get("mimetype") or JSON
