"""Arrays to and from JSON, CSV and NPY, as scripts for scikit-learn that also serve use them."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy

from sagemaker_containers.beta.framework import content_types


def decode(obj: bytes | str, content_type: str) -> Any:
    """An array out of a request's body."""
    if content_type == content_types.NPY:
        return numpy.load(io.BytesIO(obj if isinstance(obj, bytes) else obj.encode("latin1")), allow_pickle=False)
    text = obj.decode() if isinstance(obj, bytes) else obj
    if content_type == content_types.JSON:
        return numpy.array(json.loads(text))
    if content_type == content_types.CSV:
        return numpy.genfromtxt(io.StringIO(text), dtype=numpy.float32, delimiter=",")
    raise ValueError(f"Content type {content_type} is not supported: use {', '.join(content_types.UTF8_TYPES)}")


def encode(array_like: Any, content_type: str) -> bytes | str:
    """A response's body out of an array."""
    array = numpy.asarray(array_like)
    if content_type == content_types.NPY:
        written = io.BytesIO()
        numpy.save(written, array)
        return written.getvalue()
    if content_type == content_types.JSON:
        return json.dumps(array.tolist())
    if content_type == content_types.CSV:
        lines = io.StringIO()
        numpy.savetxt(lines, numpy.atleast_1d(array), delimiter=",", fmt="%s")
        return lines.getvalue()
    raise ValueError(f"Content type {content_type} is not supported: use {', '.join(content_types.UTF8_TYPES)}")
