"""How long a presigned URL is good for. Its signature is not checked: a local S3 has no secrets to check it with."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timezone

from api.wire import xmlbody
from emulator.errors import CallerFault

_LONGEST = 604_800


def check(query: Mapping[str, list[str]], now: float | None = None) -> None:
    """`AccessDenied` when the request is presigned (Signature Version 4 or 2) and has expired."""
    now = time.time() if now is None else now
    end = _end(query)
    if end is not None and now > end:
        stamp = datetime.fromtimestamp(end, timezone.utc)
        raise CallerFault(
            "Request has expired",
            "AccessDenied",
            Expires=stamp.strftime("%Y-%m-%dT%H:%M:%SZ"),
            ServerTime=xmlbody.write_iso(now),
        )


def _end(query: Mapping[str, list[str]]) -> float | None:
    try:
        if "X-Amz-Expires" in query:
            seconds = int(query["X-Amz-Expires"][0])
            if not 0 <= seconds <= _LONGEST:
                raise ValueError(seconds)
            signed = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ")
            return signed.replace(tzinfo=timezone.utc).timestamp() + seconds
        if "AWSAccessKeyId" in query and "Expires" in query:
            return float(int(query["Expires"][0]))
    except (ValueError, KeyError, OverflowError) as broken:
        message = "X-Amz-Expires must be between 0 and 604800 seconds, X-Amz-Date a time, and both be there"
        raise CallerFault(message, "AuthorizationQueryParametersError") from broken
    return None
