"""An invocation of any network: what may be sent and asked for, and how it is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from common.failing import Refused

JSON, TEXT = "application/json", "text/plain"


def answer(
    request: tuple[Any, str, str], reads: str, context: Any, told: Callable[[bytes, Mapping[str, str]], Any]
) -> tuple[str, str]:
    """The answer to (body, content type, accept): `told` makes it of the body and of what the Accept says besides
    its type (`verbose`, `n_predictions=3`); its refusals are the caller's mistakes."""
    body, content_type, accept = request
    if (content_type or reads).partition(";")[0].strip().lower() != reads:
        return _refused(context, 415, f"The content type {content_type} is not supported: send {reads}.")
    media, *said = "".join((accept or "").split()).lower().split(";")
    if media not in (JSON, "*/*", ""):
        return _refused(context, 406, f"The accept type {accept} is not supported: ask for {JSON} or {JSON};verbose.")
    wanted = {name: value for name, _, value in (one.partition("=") for one in said)}
    try:
        return json.dumps(told(body.encode() if isinstance(body, str) else bytes(body), wanted)), JSON
    except Refused as mistake:
        return _refused(context, 400, str(mistake))


def classes(chances: list[float], labels: list[Any], wanted: Mapping[str, str]) -> dict[str, Any]:
    """What a classifier tells; one chance alone is that of the second label."""
    found: dict[str, Any] = {"probabilities": chances}
    if "verbose" in wanted:
        best = int(chances[0] > 0.5) if len(chances) == 1 else max(range(len(chances)), key=chances.__getitem__)
        found |= {"labels": labels, "predicted_label": labels[best]}
    return found


def _refused(context: Any, status: int, text: str) -> tuple[str, str]:
    context.set_response_status(status)
    return text, TEXT
