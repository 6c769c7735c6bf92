"""Answers of records, field by field, as JSON, JSON Lines, recordio-protobuf or CSV."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from algorithms.common import content_types, recordio
from algorithms.common.content_types import ContentType
from algorithms.common.faults import Refusal
from algorithms.first_party import wording
from algorithms.first_party.definition import CSV, JSON, JSONLINES, RECORDIO, Form

if TYPE_CHECKING:
    from numpy.typing import NDArray

Fields = Mapping[str, "NDArray[Any]"]
"""By field: (n,) for one value a record, (n, m) for a list a record."""


def accepted(header: str, form: Form) -> ContentType:
    """What to answer in. A format that the family knows and this algorithm does not write means its first one, as with
    the images; Refusal 406 for any other."""
    media = content_types.choose(header, form.writes, form.writes[0])
    if not media and content_types.choose(header, (CSV, JSON, JSONLINES, RECORDIO), ""):
        return ContentType(form.writes[0])
    if not media:
        raise Refusal(406, wording.accept_refused(header, list(form.writes)))
    for part in header.split(","):
        kind = content_types.parse(part)
        if kind.media in (media, "*/*", ""):
            return ContentType(media, kind.parameters)
    return ContentType(media)


def encode(fields: Fields, kind: ContentType, form: Form) -> bytes:
    """The answer to a request."""
    loud = kind.parameters.get("verbose", "").lower() == "true"
    shown = {name: values for name, values in fields.items() if loud or name not in form.verbose}
    if kind.media == JSON:
        return _dumps({form.envelope: _records(shown)})
    if kind.media == JSONLINES:
        return b"".join(_dumps(record) + b"\n" for record in _records(shown))
    if kind.media == CSV:
        return _csv(shown)
    return recordio.write(shown)


def _records(fields: Fields) -> list[dict[str, Any]]:
    columns = [values.tolist() for values in fields.values()]
    return [dict(zip(fields, row, strict=True)) for row in zip(*columns, strict=True)]


def _csv(fields: Fields) -> bytes:
    columns = [values.reshape(len(values), -1).tolist() for values in fields.values()]
    lines = (",".join(str(value) for part in row for value in part) for row in zip(*columns, strict=True))
    return "".join(f"{line}\n" for line in lines).encode()


def _dumps(content: Any) -> bytes:
    """JSON, which has no word for what is no finite number: null."""
    try:
        return json.dumps(content, allow_nan=False).encode()
    except ValueError:
        return json.dumps(_without_gaps(content), allow_nan=False).encode()


def _without_gaps(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {name: _without_gaps(value) for name, value in content.items()}
    if isinstance(content, Sequence) and not isinstance(content, str):
        return [_without_gaps(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
