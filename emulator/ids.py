"""Identifiers that the service mints: request ids, twelve-letter resource ids, opaque tokens."""

from __future__ import annotations

import hashlib
import random
import secrets
import string
import uuid

_LOWER_ALNUM = string.ascii_lowercase + string.digits


def request_id() -> str:
    """A request id as AWS prints it (a UUID)."""
    return str(uuid.uuid4())


def short_id(length: int = 12, seed: str = "") -> str:
    """`length` lower-case letters and digits, as in pipeline execution and domain ids; the same ones for a seed."""
    choice = random.Random(seed).choice if seed else secrets.choice
    return "".join(choice(_LOWER_ALNUM) for _ in range(length))


def hex_id(length: int = 32, seed: str = "") -> str:
    """`length` hexadecimal digits, as in artifact ARNs; the same ones for a seed."""
    if seed:
        return hashlib.sha256(seed.encode()).hexdigest()[:length]
    return secrets.token_hex((length + 1) // 2)[:length]
