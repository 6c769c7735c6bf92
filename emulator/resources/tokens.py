"""How long a page is, and NextTokens: where a listing goes on. Opaque, good only for the request they were made for."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from emulator.errors import Validation

INVALID = "Invalid NextToken. Use the NextToken of the previous answer, with the same parameters otherwise."


TOO_FEW = (
    "1 validation error detected: Value '{}' at 'maxResults' failed to satisfy constraint: "
    "Member must have value greater than or equal to 1"
)


def page_size(params: Mapping[str, Any], default: int) -> int:
    """How many records a page may have; some list calls have no lower bound in the model (ListDeviceFleets)."""
    size = int(params.get("MaxResults") or default)
    if size < 1:
        raise Validation(TOO_FEW.format(size))
    return size


def fingerprint(*parts: Any) -> str:
    """A short hash of what the pages of one listing have in common."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def write(position: tuple[Any, str], print_: str) -> str:
    """The token for the page behind `position` (sort value, key)."""
    text = json.dumps([print_, *position], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode()


def read(token: str, print_: str, kind: type) -> tuple[Any, str]:
    """The position in a token; `Validation` when garbled or another request's. `kind` is the sort value's type."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(token.encode()))
        made_for, value, key = parts
        f"{value}{key}".encode()  # half of a surrogate pair is text to JSON, and to no database
    except (ValueError, TypeError, binascii.Error):
        raise Validation(INVALID) from None
    if made_for != print_ or not isinstance(key, str) or not isinstance(value, kind):
        raise Validation(INVALID)
    return value, key
