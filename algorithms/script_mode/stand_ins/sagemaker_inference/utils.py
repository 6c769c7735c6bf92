"""What scripts use to read a request's headers."""

from __future__ import annotations

from collections.abc import Mapping


def parse_accept(accept: str) -> list[str]:
    """The media types of an Accept header."""
    return accept.replace(" ", "").split(",")


def retrieve_content_type_header(request_property: Mapping[str, str]) -> str | None:
    """The request's Content-Type, however its name is spelled."""
    return next(
        (value for name, value in request_property.items() if name.lower().replace("-", "") == "contenttype"), None
    )
