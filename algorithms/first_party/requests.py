"""Invocation bodies as rows of features: CSV, JSON, JSON Lines and recordio-protobuf, dense or sparse.

The shapes of JSON are those of "Common data formats for inference" in the developer guide.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from algorithms.common import content_types, csv_body, recordio
from algorithms.common.faults import Refusal
from algorithms.first_party import wording


def rows(body: bytes, content_type: str, reads: Sequence[str], features: int) -> Any:
    """A matrix of float32, dense or CSR, as wide as the model was trained; Refusal for what cannot be read."""
    kind = content_types.parse(content_type or reads[0])
    if kind.media not in reads:
        raise Refusal(415, wording.content_type_refused(kind.media))
    if not body.strip():
        raise Refusal(400, wording.not_evaluated("the body is empty"))
    try:
        found = READERS[kind.format](body)
    except (ValueError, KeyError, TypeError, IndexError, UnicodeDecodeError) as error:
        raise Refusal(400, wording.not_evaluated(str(error))) from error
    return _fitted(found, features)


def instances(body: bytes, content_type: str) -> list[Mapping[str, Any]]:
    """The instances of a JSON body, or the lines of JSON Lines; ValueError for another shape."""
    if content_types.parse(content_type).format == content_types.JSONLINES:
        found: Any = [json.loads(line) for line in body.decode("utf-8").splitlines() if line.strip()]
    else:
        whole = json.loads(body)
        if not isinstance(whole, dict) or "instances" not in whole:
            raise ValueError("the body has no member 'instances'")
        found = whole["instances"]
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError("the instances are no list of objects")
    return found


def _fitted(found: Any, features: int) -> Any:
    import numpy

    if hasattr(found, "tocsr"):
        if found.shape[1] < features:
            found.resize((found.shape[0], features))
        finite = numpy.isfinite(found.data).all()
    else:
        finite = numpy.isfinite(found).all()
    if found.shape[1] != features:
        raise Refusal(400, wording.wrong_request_width(found.shape[1], features))
    if not finite:
        raise Refusal(400, wording.not_evaluated("a value is no finite number"))
    return found


def _json(body: bytes) -> Any:
    return _matrix([tensor(one) for one in instances(body, "application/json")])


def _jsonlines(body: bytes) -> Any:
    return _matrix([tensor(one) for one in instances(body, "application/jsonlines")])


def tensor(instance: Mapping[str, Any]) -> Mapping[str, Any]:
    """`{"features": [..]}`, or `{"data": {"features": {"values": [..], "keys": [..], "shape": [n]}}}`."""
    tensor = instance.get("data", instance)["features"]
    return tensor if isinstance(tensor, dict) else {"values": tensor}


def _matrix(tensors: Sequence[Mapping[str, Any]]) -> Any:
    import numpy
    from scipy.sparse import csr_matrix

    if not tensors:
        raise ValueError("there are no instances")
    if not any("keys" in one for one in tensors):
        widths = {len(one["values"]) for one in tensors}
        if len(widths) > 1:
            raise ValueError(f"the instances differ in their number of features: {sorted(widths)}")
        return numpy.array([one["values"] for one in tensors], dtype=numpy.float32)
    columns = [one["keys"] if "keys" in one else list(range(len(one["values"]))) for one in tensors]
    for keys, one in zip(columns, tensors, strict=True):
        if len(keys) != len(one["values"]):
            raise ValueError(f"{len(keys)} keys for {len(one['values'])} values")
    starts = numpy.cumsum([0, *(len(keys) for keys in columns)])
    width = max([*_widths(tensors), *(max(keys) + 1 for keys in columns if keys)])
    values = numpy.array([v for one in tensors for v in one["values"]], dtype=numpy.float32)
    indices = numpy.array([key for keys in columns for key in keys], dtype=numpy.int64)
    return csr_matrix((values, indices, starts), shape=(len(tensors), width))


def _widths(tensors: Sequence[Mapping[str, Any]]) -> Iterator[int]:
    for one in tensors:
        shape = one.get("shape") or [0]
        yield int(shape[-1] if isinstance(shape, list) else shape)


def _recordio(body: bytes) -> Any:
    found = recordio.together(recordio.tables(body))
    if found is None:
        raise ValueError("there are no records")
    return found.features.astype("float32", copy=False)


READERS = {
    content_types.CSV: csv_body.read,
    content_types.JSON: _json,
    content_types.JSONLINES: _jsonlines,
    content_types.RECORDIO: _recordio,
}
