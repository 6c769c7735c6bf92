"""Pairs of an entity and an IPv4 address: from files of CSV, and from the bodies of requests."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.common import content_types
from algorithms.common.faults import Refusal, UserError
from algorithms.common.serving import Invocation
from algorithms.first_party import requests, wording

if TYPE_CHECKING:
    from numpy.typing import NDArray

Pairs = tuple["NDArray[np.int64]", "NDArray[np.uint32]"]
"""Buckets of the entities (n,), and addresses (n,)."""


def read(files: Sequence[Path], buckets: int, channel: str) -> Pairs:
    """All lines of the files; UserError names the file and the line that is no pair."""
    entities: list[str] = []
    addresses: list[int] = []
    for file in files:
        with file.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    entity, address = pair(line)
                except ValueError as error:
                    raise UserError(
                        wording.unreadable_channel(
                            channel, "text/csv", ValueError(f"line {number} of file '{file.name}': {error}")
                        )
                    ) from error
                entities.append(entity)
                addresses.append(address)
    return hashed(entities, buckets), np.array(addresses, np.uint32)


def asked(invocation: Invocation, buckets: int, reads: Sequence[str]) -> Pairs:
    """The pairs of a request; Refusal for what is none."""
    kind = content_types.parse(invocation.content_type or reads[0])
    if kind.media not in reads:
        raise Refusal(415, wording.content_type_refused(kind.media))
    try:
        found = list(_of_body(invocation.body, kind.media))
        if not found:
            raise ValueError("the body is empty")
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal(400, wording.not_evaluated(str(error))) from error
    return hashed([entity for entity, _ in found], buckets), np.array([address for _, address in found], np.uint32)


def _of_body(body: bytes, media: str) -> Iterable[tuple[str, int]]:
    if media == "text/csv":
        return [pair(line) for line in body.decode("utf-8").splitlines() if line.strip()]
    if not body.strip():
        return []
    return [_of_instance(one) for one in requests.instances(body, media)]


def _of_instance(instance: Mapping[str, Any]) -> tuple[str, int]:
    values = requests.tensor(instance)["values"]
    if not isinstance(values, list) or len(values) != 2:
        raise ValueError("an instance is not an entity and an IPv4 address")
    return str(values[0]), ipv4(str(values[1]))


def pair(line: str) -> tuple[str, int]:
    """`entity_id,192.168.1.2`"""
    entity, comma, address = line.rstrip("\r\n").rpartition(",")
    if not comma or not entity.strip():
        raise ValueError(f"it is not an entity and an IPv4 address: '{line.strip()[:50]}'")
    return entity.strip().strip('"'), ipv4(address.strip().strip('"'))


def ipv4(text: str) -> int:
    """The 32 bits of an address; ValueError for what is none."""
    parts = text.split(".")
    if len(parts) == 4 and all(part.isascii() and part.isdigit() and len(part) <= 3 for part in parts):
        numbers = [int(part) for part in parts]
        if max(numbers) <= 255:
            return numbers[0] << 24 | numbers[1] << 16 | numbers[2] << 8 | numbers[3]
    raise ValueError(f"'{text[:50]}' is no IPv4 address")


def hashed(entities: Sequence[str], buckets: int) -> NDArray[np.int64]:
    """The bucket of each entity; it must never change, as models hold what was learned of each."""
    return np.array([zlib.crc32(entity.encode()) % buckets for entity in entities], np.int64)
