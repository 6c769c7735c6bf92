"""A channel as one table of numbers: recordio-protobuf or CSV, from files or from a pipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from algorithms.common import channels, content_types, csv_table, recordio, streams
from algorithms.common.content_types import ContentType
from algorithms.common.contract import Layout
from algorithms.common.faults import UserError
from algorithms.first_party import wording

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Table:
    """Records of a channel: features (n, d) as float32, dense or CSR, and labels (n,) as float32, None without any."""

    features: Any
    labels: NDArray[Any] | None = None

    def __len__(self) -> int:
        return int(self.features.shape[0])

    @property
    def width(self) -> int:
        """The number of features."""
        return int(self.features.shape[1])

    @property
    def is_sparse(self) -> bool:
        return hasattr(self.features, "tocsr")

    def dense(self) -> NDArray[Any]:
        """The features without gaps: what is not stored is zero."""
        found: NDArray[Any] = self.features.toarray() if self.is_sparse else self.features
        return found

    def batches(self, size: int, order: NDArray[Any] | None = None) -> Iterator[Table]:
        """The records in batches of `size`, in the given order; the last one may be smaller."""
        for start in range(0, len(self), size):
            chosen: Any = slice(start, start + size) if order is None else order[start : start + size]
            yield Table(self.features[chosen], None if self.labels is None else self.labels[chosen])


def kind_of(channel: str, configuration: dict[str, str], formats: Sequence[str]) -> ContentType:
    """The content type of a channel, the algorithm's first one when it names none; UserError when it is not taken."""
    given = configuration.get("ContentType") or formats[0]
    kind = content_types.parse(given)
    if kind.media not in formats or kind.parameters.get("label_size", "1") not in ("0", "1"):
        raise UserError(wording.unknown_content_type(channel, given, list(formats)))
    return kind


def read(layout: Layout, channel: str, kind: ContentType) -> Table | None:
    """All records of a channel of this host; None when it has none."""
    folder = layout.channel(channel)
    piped = channels.is_piped(layout.channels[channel])
    sources = [channels.pipe(folder, 0)] if piped else channels.data_files(folder) if folder.exists() else []
    if not sources:
        return None
    try:
        found = _recordio(sources) if kind.format == content_types.RECORDIO else _csv(sources, kind, piped)
    except (UserError, recordio.Malformed) as error:
        shown = kind.media + "".join(f";{name}={value}" for name, value in kind.parameters.items())
        raise UserError(wording.unreadable_channel(channel, shown, error)) from error
    if found is None or not len(found):
        return None
    _demand_numbers(channel, found)
    return found


def fit_width(channel: str, table: Table, features: int, labelled: bool) -> Table:
    """The table with `features` columns; UserError when it has another number of them."""
    if table.is_sparse and table.width < features:
        table.features.resize((len(table), features))
    if table.width != features:
        raise UserError(wording.wrong_width(channel, table.width, features, labelled))
    return table


def _csv(sources: Sequence[Path], kind: ContentType, piped: bool) -> Table | None:
    import numpy

    unlabelled = kind.parameters.get("label_size", "1") == "0"
    if piped:
        with streams.reading(sources[0]) as stream:
            rows: Any = csv_table.read_stream(stream, f"pipe '{sources[0].name}'", narrow=unlabelled)
    else:
        rows = csv_table.read(sources, narrow=unlabelled)
    if rows is None:
        return None
    rows = numpy.asarray(rows, dtype=numpy.float32)
    if unlabelled:
        return Table(rows)
    return Table(numpy.ascontiguousarray(rows[:, 1:]), numpy.ascontiguousarray(rows[:, 0]))


def _recordio(sources: Sequence[Path]) -> Table | None:
    import numpy

    found = recordio.load(sources, single=True)
    if found is None:
        return None
    labels = None if found.labels is None else found.labels.astype(numpy.float32, copy=False)
    return Table(found.features, labels)


def _demand_numbers(channel: str, table: Table) -> None:
    import numpy

    stored = table.features.data if table.is_sparse else table.features
    if not numpy.isfinite(stored).all():
        bad = ~numpy.isfinite(table.dense()).all(axis=1)
        raise UserError(wording.not_finite(channel, "a feature", int(bad.argmax()), bool(numpy.isnan(stored).any())))
    if table.labels is not None and not numpy.isfinite(table.labels).all():
        first = int((~numpy.isfinite(table.labels)).argmax())
        raise UserError(wording.not_finite(channel, "the label", first, bool(numpy.isnan(table.labels).any())))
