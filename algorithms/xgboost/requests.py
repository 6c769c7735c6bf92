"""Invocation bodies as rows of features: text/csv, text/libsvm and recordio-protobuf."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from algorithms.common import content_types, csv_body, libsvm_text, recordio
from algorithms.common.faults import Refusal, UserError
from algorithms.xgboost import data

if TYPE_CHECKING:
    from numpy.typing import NDArray


def rows(body: bytes, content_type: str, features: int) -> Any:
    """A matrix with as many columns as the model has features; Refusal 415 for what cannot be read, else 400."""
    try:
        form = data.format_of(content_type)
    except UserError as mistake:
        raise Refusal(415, str(mistake)) from mistake
    if form not in READERS:
        raise Refusal(415, f"Content-type {content_type} is not supported.")
    try:
        found = READERS[form](body, features)
    except Refusal:
        raise
    except Exception as error:
        raise Refusal(
            415,
            f"Loading {form} data failed with Exception, please ensure data is in {form} format:\n "
            f"{type(error)}\n {error}",
        ) from error
    if found.shape[1] != features:
        raise Refusal(
            400,
            f"Unable to evaluate payload provided: Feature size of {form} inference data {found.shape[1]} is not "
            f"consistent with feature size of trained model {features}.",
        )
    return found


def _csv(body: bytes, features: int) -> NDArray[Any]:
    return csv_body.read(body)


def _libsvm(body: bytes, features: int) -> Any:
    """What is not stored is missing. Columns count as in training; from 1 where counting from 0 would overrun."""
    from scipy.sparse import csr_matrix

    lines = libsvm_text.parse(body.decode("utf-8"))
    indices = [index for line in lines for index in line]
    shift = 1 if indices and min(indices) >= 1 and max(indices) == features else 0
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    values = [value for line in lines for value in line.values()]
    width = max([features, *(index + 1 - shift for index in indices)])
    columns = [index - shift for index in indices]
    return csr_matrix((values, columns, starts), shape=(len(lines), width), dtype="float32")


def _recordio(body: bytes, features: int) -> Any:
    table = recordio.together(recordio.tables(body))
    if table is None:
        raise ValueError("there are no records")
    found = table.features
    if hasattr(found, "tocsr") and found.shape[1] < features:
        found.resize((found.shape[0], features))
    return found


READERS = {content_types.CSV: _csv, content_types.LIBSVM: _libsvm, content_types.RECORDIO: _recordio}
