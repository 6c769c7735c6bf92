"""Training data: the files of a channel as a DMatrix, whatever their format."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from algorithms.common import content_types, csv_table, libsvm_text, recordio
from algorithms.common.channels import data_files
from algorithms.common.contract import log
from algorithms.common.faults import UserError

ACCEPTED = (
    "csv", "libsvm", "parquet", "recordio-protobuf", "text/csv", "text/libsvm", "text/x-libsvm",
    "application/x-parquet", "application/x-recordio-protobuf",
)  # fmt: skip


def format_of(header: str | None) -> str:
    """The format that a channel's ContentType means; libsvm when it says none, as the container decides."""
    if not header:
        return content_types.LIBSVM
    kind = content_types.parse(header)
    if kind.media not in ACCEPTED:
        raise UserError(f"{header} is not an accepted ContentType: {', '.join(ACCEPTED)}.")
    if kind.format == content_types.CSV and kind.parameters.get("label_size", "1") != "1":
        raise UserError(
            f"{header} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1"
        )
    return kind.format


def load(folders: Sequence[Path], form: str, weighted: bool = False) -> Any | None:
    """The rows of all data files below the folders as one DMatrix; None when there is no data."""
    files = [file for folder in folders for file in data_files(folder)]
    if not files:
        return None
    if form == content_types.LIBSVM:
        return _libsvm(files)
    if form == content_types.CSV:
        return _labelled(csv_table.read(files), weighted, "csv")
    if form == content_types.PARQUET:
        return _labelled(_parquet(files), False, "parquet")
    return _recordio(files)


def warn_of_twins(train: Path, validation: Path) -> None:
    """A file that is in both channels with the same name and size makes the validation score worthless."""
    sizes = {file.name: file.stat().st_size for file in data_files(train)}
    for file in data_files(validation):
        if sizes.get(file.name) == file.stat().st_size:
            log(
                f"Suspected identical files found: {file.name} is in both the train and the validation channel, with "
                f"{file.stat().st_size} bytes. The validation score says little then.",
                "WARNING",
            )


def _labelled(table: Any, weighted: bool, form: str) -> Any:
    """The first column is the label, the second the weight if `weighted`, the others are features."""
    from algorithms.xgboost.library import xgboost

    first = 2 if weighted else 1
    if table.shape[1] <= first:
        raise UserError(f"Failed to load {form} data: {table.shape[1]} columns are too few, {first + 1} are needed.")
    try:
        return xgboost.DMatrix(table[:, first:], label=table[:, 0], weight=table[:, 1] if weighted else None)
    except (xgboost.core.XGBoostError, ValueError) as error:
        raise UserError(f"Failed to load {form} data with exception:\n{first_line(error)}") from error


def _libsvm(files: Sequence[Path]) -> Any:
    """xgboost's own reader, so that the numbers are bit for bit those of `DMatrix('file?format=libsvm')`."""
    from algorithms.xgboost.library import xgboost

    libsvm_text.check(files)
    with tempfile.TemporaryDirectory() as folder:
        links = [Path(folder, str(number)) for number in range(len(files))]
        for link, file in zip(links, files, strict=True):
            link.symlink_to(file.resolve())
        try:
            with xgboost.config_context(verbosity=0):
                return xgboost.DMatrix(f"{';'.join(map(str, links))}?format=libsvm")
        except xgboost.core.XGBoostError as error:
            raise UserError(f"Failed to load libsvm data with exception:\n{first_line(error)}") from error


def _parquet(files: Sequence[Path]) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ImportError as missing:
        raise UserError(
            "Parquet data needs pyarrow, which is not installed: pip install 'sagelet[parquet]', or use text/csv."
        ) from missing
    import numpy

    columns: list[list[Any]] = []
    for file in files:
        try:
            table = parquet.read_table(file)
        except (pyarrow.ArrowException, OSError) as error:
            raise UserError(f"Failed to load parquet data of file '{file.name}' with exception:\n{error}") from error
        columns.append([_numbers(table, name, file) for name in table.column_names])
        if len(columns[-1]) != len(columns[0]):
            raise UserError(
                f"Failed to load parquet data: file '{file.name}' has {len(columns[-1])} columns, "
                f"but file '{files[0].name}' has {len(columns[0])}."
            )
    return numpy.column_stack([numpy.concatenate(parts) for parts in zip(*columns, strict=True)])


def _numbers(table: Any, name: str, file: Path) -> Any:
    import numpy
    from pyarrow import types

    kind = table.schema.field(name).type
    if not any(is_one(kind) for is_one in (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal)):
        raise UserError(
            f"Failed to load parquet data: column '{name}' of file '{file.name}' holds {kind}, not numbers."
        )
    return numpy.asarray(table.column(name).to_numpy(), dtype=numpy.float64)


def _recordio(files: Sequence[Path]) -> Any:
    from algorithms.xgboost.library import xgboost

    try:
        features, labels = matrix(b"".join(file.read_bytes() for file in files))
    except recordio.Malformed as error:
        raise UserError(f"Failed to load recordio-protobuf data with exception:\n{error}") from error
    if labels is None:
        raise UserError("Got input data without labels. Please check the input data set.")
    return xgboost.DMatrix(features, label=labels)


def matrix(data: bytes) -> tuple[Any, Any | None]:
    """recordio-protobuf as features (CSR if any record is sparse) and labels (None when a record has none)."""
    import numpy

    rows: list[recordio.Tensor] = []
    labels: list[float] = []
    for features, label in recordio.read(data):
        if "values" not in features:
            raise recordio.Malformed(f"record {len(rows)} has no features['values']")
        rows.append(features["values"])
        labels += [float(values[0]) for values, _, _ in label.values() if len(values)][:1]
    found = numpy.array(labels) if len(labels) == len(rows) else None
    if all(keys is None for _, keys, _ in rows):
        if len({len(values) for values, _, _ in rows}) > 1:
            raise recordio.Malformed("the records differ in their number of features")
        return numpy.array([values for values, _, _ in rows]), found
    return _sparse(rows), found


def _sparse(rows: Sequence[recordio.Tensor]) -> Any:
    import numpy
    from scipy.sparse import csr_matrix

    columns = [numpy.arange(len(values)) if keys is None else keys for values, keys, _ in rows]
    width = max([shape for _, _, shape in rows] + [int(c.max()) + 1 for c in columns if len(c)])
    starts = numpy.cumsum([0, *(len(c) for c in columns)])
    values = numpy.concatenate([values for values, _, _ in rows])
    return csr_matrix((values, numpy.concatenate(columns), starts), shape=(len(rows), width))


def first_line(error: Exception) -> str:
    """What an XGBoostError says, without the place in the C++ source and the stack trace."""
    said = str(error).strip().partition("\nStack trace")[0].strip()
    return re.sub(r"^\[\d\d:\d\d:\d\d\] \S+:\d+: ", "", said)
