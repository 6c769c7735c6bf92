"""Identifiers that the service mints: request ids, twelve-letter resource ids, opaque tokens."""

from __future__ import annotations

import hashlib
import random
import secrets
import string

_REQUESTS = random.Random()
_LOWER_ALNUM = string.ascii_lowercase + string.digits


def request_id() -> str:
    """A request id as AWS prints it (a UUID of version 4). Not one that is hard to guess: to ask the system for random
    bytes lets other threads take the interpreter, with every request.
    """
    digits = f"{_REQUESTS.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def short_id(length: int = 12, seed: str = "") -> str:
    """`length` lower-case letters and digits, as in pipeline execution and domain ids; the same ones for a seed."""
    # Seeded once rather than secrets.choice: that asks the system for every letter.
    return "".join(random.Random(seed or secrets.token_bytes(16)).choices(_LOWER_ALNUM, k=length))


def hex_id(length: int = 32, seed: str = "") -> str:
    """`length` hexadecimal digits, as in artifact ARNs; the same ones for a seed."""
    if seed:
        return hashlib.sha256(seed.encode()).hexdigest()[:length]
    return secrets.token_hex((length + 1) // 2)[:length]
