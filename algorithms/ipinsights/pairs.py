"""Pairs of an entity and an IPv4 address: from files of CSV, and from the bodies of requests."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.common import content_types
from algorithms.common.channels import data_files
from algorithms.common.faults import Refusal, UserError
from algorithms.common.serving import Invocation
from algorithms.first_party import requests, wording
from algorithms.first_party.data import Table
from algorithms.first_party.run import Run

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHOWN = 50
"""Characters of a bad line that a message shows."""


def table(run: Run, channel: str) -> Table | None:
    """This host's pairs of a channel, (n, 2) as int64: bucket and address; None when it has none."""
    folder = run.layout.channel(channel)
    files = data_files(folder) if folder.exists() else []
    found = numbers((one for file in files for one in _of_file(file)), run.values["num_entity_vectors"])
    return Table(found) if len(found) else None


def numbers(pairs: Iterable[tuple[str, int]], buckets: int) -> NDArray[np.int64]:
    """Pairs as bucket and address, (n, 2)."""
    known: dict[str, int] = {}
    flat: list[int] = []
    for entity, address in pairs:
        if (place := known.get(entity)) is None:
            place = known[entity] = bucket(entity, buckets)
        flat += (place, address)
    return np.array(flat, np.int64).reshape(-1, 2)


def bucket(entity: str, buckets: int) -> int:
    """Where an entity's vector stands. It must never change: models hold what was learned of each.

    A sum such as CRC-32 will not do: of instance ids, whose letters have few bits, it leaves many buckets empty.
    """
    return int.from_bytes(hashlib.blake2b(entity.encode(), digest_size=8).digest(), "little") % buckets


def asked(invocation: Invocation, buckets: int, reads: Sequence[str]) -> NDArray[np.int64]:
    """The pairs of a request; Refusal for what is none."""
    kind = content_types.parse(invocation.content_type or reads[0])
    if kind.media not in reads:
        raise Refusal(415, wording.content_type_refused(kind.media))
    if not invocation.body.strip():
        raise Refusal(400, wording.not_evaluated("the body is empty"))
    try:
        found = numbers(_of_body(invocation.body, kind.media), buckets)
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal(400, wording.not_evaluated(str(error))) from error
    if not len(found):
        raise Refusal(400, wording.not_evaluated("there are no instances"))
    return found


def _of_file(file: Path) -> Iterator[tuple[str, int]]:
    """UserError in the sentence that was seen of the image, with the line that is no pair."""
    try:
        with file.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
            yield from _of_lines(lines)
    except ValueError as error:
        raise UserError(
            "Training Job failed reading dataset. Unable to parse entity or IP address correctly. See AWS "
            "Documentation to ensure data follows formatting guidelines. (caused by ValueError)\n\n"
            f"Caused by: file '{file.name}', {error}"
        ) from error


def _of_lines(lines: Iterable[str]) -> Iterator[tuple[str, int]]:
    """ValueError names the line that is no pair."""
    reader = csv.reader(lines, skipinitialspace=True)
    known: dict[str, int] = {}
    try:
        for fields in reader:
            if not fields:
                continue
            if len(fields) != 2:
                raise ValueError(f"{len(fields)} columns instead of an entity and an IPv4 address")
            text = fields[1]
            if (address := known.get(text)) is None:
                address = known[text] = ipv4(text.strip())
            yield _entity(fields[0]), address
    except (ValueError, csv.Error) as error:
        header = " The data have no header." if reader.line_num == 1 else ""
        raise ValueError(f"line {reader.line_num}: {error}.{header}") from error


def _of_body(body: bytes, media: str) -> Iterator[tuple[str, int]]:
    if media == "text/csv":
        yield from _of_lines(body.decode("utf-8-sig").splitlines())
        return
    for number, one in enumerate(requests.instances(body, media)):
        try:
            yield _of_instance(one)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"instance {number}: {error}") from error


def _of_instance(instance: Mapping[str, Any]) -> tuple[str, int]:
    values = requests.tensor(instance)["values"]
    if not isinstance(values, list) or len(values) != 2:
        raise ValueError("its features are not an entity and an IPv4 address")
    return _entity(str(values[0])), ipv4(str(values[1]).strip())


def _entity(text: str) -> str:
    found = text.strip()
    if not found:
        raise ValueError("the entity is empty")
    return found


def ipv4(text: str) -> int:
    """The 32 bits of an address; ValueError for what is none."""
    parts = text.split(".")
    if len(parts) == 4 and all(part.isascii() and part.isdigit() and len(part) <= 3 for part in parts):
        found = [int(part) for part in parts]
        if max(found) <= 255:
            return found[0] << 24 | found[1] << 16 | found[2] << 8 | found[3]
    raise ValueError(f"'{text[:SHOWN]}' is no IPv4 address")
