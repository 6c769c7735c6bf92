"""Arrays to and from bodies, as the two generations of the serving toolkits do it.

The older one (`sagemaker-containers`: scikit-learn, XGBoost) and the newer one (`sagemaker-inference`: PyTorch) agree
but for CSV, and only the newer one reads npz.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from typing import Any

JSON, CSV, NPY, NPZ, ANY = "application/json", "text/csv", "application/x-npy", "application/x-npz", "*/*"
TEXTS = (JSON, CSV)
"""Bodies of exactly these types are given to the user's functions as text, all others as bytes."""


class UnsupportedFormatError(Exception):
    """Nobody here can read or write the content type."""

    def __init__(self, content_type: object) -> None:
        self.message = (
            f"Content type {content_type} is not supported by this framework.\n\n"
            "Please implement input_fn to to deserialize the request data or an output_fn to\n"
            "serialize the response. For more information, see the SageMaker Python SDK README."
        )
        super().__init__(self.message)


def is_unsupported(error: BaseException) -> bool:
    """By name, for scripts may have imported the class from the module that stands in for their toolkit's."""
    return any(kind.__name__ == UnsupportedFormatError.__name__ for kind in type(error).__mro__)


def decode(body: Any, content_type: str | None) -> Any:
    """A body as an array, in the newer way."""
    return _by(READERS, content_type)(body)


def encode(values: Any, content_type: str) -> bytes | str:
    """An array as a body, in the newer way."""
    return _by(WRITERS, content_type)(values)  # type: ignore[no-any-return]


def decode_older(body: Any, content_type: str | None) -> Any:
    """A body as an array, in the older way: cells of CSV are texts, and one row or one column has one dimension."""
    return _by(OLDER_READERS, content_type)(body)


def encode_older(values: Any, content_type: str) -> bytes | str:
    """An array as a body, in the older way."""
    return _by(OLDER_WRITERS, content_type)(values)  # type: ignore[no-any-return]


def _by(table: Mapping[str, Callable[[Any], Any]], content_type: str | None) -> Callable[[Any], Any]:
    if content_type not in table:
        raise UnsupportedFormatError(content_type)
    return table[content_type]


def _text(body: Any) -> str:
    return body if isinstance(body, str) else bytes(body).decode("utf-8")


def _raw(body: Any) -> io.BytesIO:
    return io.BytesIO(body.encode("latin1") if isinstance(body, str) else bytes(body))


def _from_json(body: Any) -> Any:
    import numpy

    return numpy.array(json.loads(_text(body)))


def _from_npy(body: Any) -> Any:
    import numpy

    return numpy.load(_raw(body), allow_pickle=False)


def _from_npz(body: Any) -> Any:
    from scipy import sparse

    return sparse.load_npz(_raw(body))


def _from_csv(body: Any) -> Any:
    import numpy

    return numpy.genfromtxt(io.StringIO(_text(body)), dtype=None, delimiter=",")


def _from_csv_older(body: Any) -> Any:
    import numpy

    rows = csv.reader(io.StringIO(_text(body)), delimiter=",", quotechar='"', doublequote=True, strict=True)
    return numpy.array(list(rows)).squeeze()


def _to_json(values: Any) -> str:
    return json.dumps(values, default=_listed)


def _listed(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _to_npy(values: Any) -> bytes:
    import numpy

    written = io.BytesIO()
    numpy.save(written, values)
    return written.getvalue()


def _to_csv(values: Any) -> str:
    import numpy

    lines = io.StringIO()
    numpy.savetxt(lines, values, delimiter=",", fmt="%s")
    return lines.getvalue()


def _to_csv_older(values: Any) -> str:
    import numpy

    table = numpy.array(values)
    if table.ndim == 1:
        table = table.reshape(-1, 1)
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n", delimiter=",", quotechar='"', doublequote=True).writerows(table)
    return lines.getvalue()


READERS = {JSON: _from_json, CSV: _from_csv, NPY: _from_npy, NPZ: _from_npz}
WRITERS = {JSON: _to_json, CSV: _to_csv, NPY: _to_npy}
OLDER_READERS = {JSON: _from_json, CSV: _from_csv_older, NPY: _from_npy}
OLDER_WRITERS = {JSON: _to_json, CSV: _to_csv_older, NPY: _to_npy}
