"""Identifiers that the service mints: request ids, twelve-letter resource ids, opaque tokens."""

from __future__ import annotations

import secrets
import string
import uuid

_LOWER_ALNUM = string.ascii_lowercase + string.digits


def request_id() -> str:
    """A request id as AWS prints it (a UUID)."""
    return str(uuid.uuid4())


def short_id(length: int = 12) -> str:
    """`length` lower-case letters and digits, as in pipeline execution and domain ids."""
    return "".join(secrets.choice(_LOWER_ALNUM) for _ in range(length))


def hex_id(length: int = 32) -> str:
    """`length` hexadecimal digits, as in artifact ARNs."""
    return secrets.token_hex((length + 1) // 2)[:length]
