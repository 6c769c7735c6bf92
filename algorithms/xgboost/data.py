"""Training data: the files of a channel as a DMatrix, whatever their format."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from algorithms.common import content_types, csv_table, libsvm_text, parquet_table, recordio, streams
from algorithms.common.channels import data_files
from algorithms.common.contract import log
from algorithms.common.faults import UserError

ACCEPTED = (
    "csv", "libsvm", "parquet", "recordio-protobuf", "text/csv", "text/libsvm", "text/x-libsvm",
    "application/x-parquet", "application/x-recordio-protobuf",
)  # fmt: skip
PIPED = tuple(media for media in ACCEPTED if "libsvm" not in media)
"""What the container takes in Pipe mode: xgboost's reader of libsvm reads files only."""
NO_LABELS = "Got input data without labels. Please check the input data set."


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


def load(sources: Sequence[Path], form: str, weighted: bool = False) -> Any | None:
    """The rows of all sources as one DMatrix; None when there is no data.

    A source is a folder with data files, or the pipe of one epoch: that is read once, and never held as a whole.
    """
    pipes = [source for source in sources if source.is_fifo()]
    files = [file for source in sources if source not in pipes for file in data_files(source)]
    if form == content_types.CSV:
        return _labelled(_csv(files, pipes), weighted, "csv")
    if form == content_types.PARQUET:
        return _labelled(_parquet(files, pipes), False, "parquet")
    if form == content_types.RECORDIO:
        return _recordio([*files, *pipes])
    return _libsvm(files) if files else None


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


def _csv(files: Sequence[Path], pipes: Sequence[Path]) -> Any | None:
    tables: list[Any] = [csv_table.read(files)] if files else []
    for pipe in pipes:
        with streams.reading(pipe) as stream:
            tables.append(csv_table.read_stream(stream, f"pipe '{pipe.name}'"))
    return _below_each_other([table for table in tables if table is not None])


def _parquet(files: Sequence[Path], pipes: Sequence[Path]) -> Any | None:
    tables = [parquet_table.read(files)] if files else []
    for pipe in pipes:
        with tempfile.TemporaryDirectory() as folder, pipe.open("rb") as stream:
            unpacked = parquet_table.unpack(stream, Path(folder))
            tables += [parquet_table.read(unpacked)] if unpacked else []
    return _below_each_other(tables)


def _below_each_other(tables: Sequence[Any]) -> Any | None:
    import numpy

    if len({table.shape[1] for table in tables}) > 1:
        raise UserError(f"The channels differ in their number of columns: {[table.shape[1] for table in tables]}.")
    if len(tables) > 1:
        return numpy.concatenate(tables)
    return tables[0] if tables else None


def _labelled(table: Any | None, weighted: bool, form: str) -> Any | None:
    """The first column is the label, the second the weight if `weighted`, the others are features."""
    from algorithms.xgboost.library import xgboost

    if table is None:
        return None
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


def _recordio(sources: Sequence[Path]) -> Any | None:
    from algorithms.xgboost.library import xgboost

    try:
        found = recordio.load(sources)
    except recordio.Malformed as error:
        raise UserError(f"Failed to load recordio-protobuf data with exception:\n{error}") from error
    if found is None:
        return None
    if found.labels is None:
        raise UserError(NO_LABELS)
    try:
        return xgboost.DMatrix(found.features, label=found.labels)
    except (xgboost.core.XGBoostError, ValueError) as error:
        raise UserError(f"Failed to load recordio-protobuf data with exception:\n{first_line(error)}") from error


def widened(data: Any | None, width: int) -> Any | None:
    """The same rows with more columns, which are missing in all of them."""
    from numpy import diff

    from algorithms.xgboost.library import xgboost

    if data is None or data.num_col() >= width:
        return data
    rows = data.get_data()
    rows.resize((data.num_row(), width))
    more: dict[str, Any] = {"label": data.get_label()}
    if len(weights := data.get_weight()):
        more["weight"] = weights
    if len(starts := data.get_uint_info("group_ptr")):
        more["group"] = diff(starts)
    return xgboost.DMatrix(rows, **more)


def first_line(error: Exception) -> str:
    """What an XGBoostError says, without the place in the C++ source and the stack trace."""
    said = str(error).strip().partition("\nStack trace")[0].strip()
    return re.sub(r"^\[\d\d:\d\d:\d\d\] \S+:\d+: ", "", said)
