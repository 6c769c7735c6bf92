"""Reads what a snapshot holds, unpacked in a folder, into a new store. What is not as it must be is named."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from emulator.call import Scope
from emulator.errors import Validation
from emulator.kinds import KINDS
from emulator.kinds.facts import Facts
from emulator.resources.making import touched
from emulator.snapshot import form
from emulator.store.links import Link, Mark
from emulator.store.records import Record

if TYPE_CHECKING:
    from emulator.store.dump import Filling

Arrived = Callable[[Record, str, float], Record]

ARRIVALS: Mapping[str, str] = {
    **dict.fromkeys(("TrainingJob", "ProcessingJob", "TransformJob"), "emulator.jobs.arrivals:arrived"),
    "Endpoint": "emulator.hosts.arrivals:arrived",
}
"""Kinds that something runs for: "module:function"(record, reason, now) -> the record as it is here."""


@dataclass
class Found:
    """What was read. `objects` counts versions, delete markers and parts of uploads; `failed` are jobs that were under
    way, `left_out` counts records of kinds that nobody knows."""

    records: Counter[str] = field(default_factory=Counter)
    objects: int = 0
    failed: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


class Reader:
    """Reads one unpacked snapshot."""

    def __init__(self, folder: Path, reason: str, now: float) -> None:
        self._folder = folder
        self._reason = reason
        self._now = now
        self._facts = {kind.noun: kind for kind in KINDS}
        self.found = Found()

    def read(self, filling: Filling) -> None:
        """Everything that goes into the store; `Validation` names the file and line that cannot be read."""
        for file in sorted((self._folder / form.RECORDS).glob("*.jsonl")):
            self._records(file.stem, filling)
        self._each("tags", lambda row: filling.tag(*row))
        self._each("links", lambda row: filling.link(_link(row)))
        self._each("marks", lambda row: filling.mark(Mark(**row)))
        self._objects(filling)

    def times(self) -> Iterator[tuple[str, float]]:
        """When files were last changed, by name."""
        for row in self._rows("times"):
            yield str(row[0]), float(row[1])

    # --- records ------------------------------------------------------------------------------------------------

    def _records(self, kind: str, filling: Filling) -> None:
        known = self._facts.get(kind)
        if known is None:
            self.found.left_out[kind] += sum(1 for _ in self._rows(f"{form.RECORDS}/{kind}"))
            return
        facts, arrived = Facts(known), _function(ARRIVALS[kind]) if kind in ARRIVALS else None

        def add(row: dict[str, Any]) -> None:
            record = _record(row)
            if record.kind != kind:
                raise ValueError(f"a {record.kind}")
            filling.record(self._at_home(record, facts, arrived) if arrived else record)
            self.found.records[kind] += 1

        self._each(f"{form.RECORDS}/{kind}", add)

    def _at_home(self, record: Record, facts: Facts, arrived: Arrived) -> Record:
        after = arrived(record, self._reason, self._now)
        if after.status == record.status:
            return after
        self.found.failed.append(record.key)
        return touched(facts, record, after, self._now)

    # --- objects ------------------------------------------------------------------------------------------------

    def _objects(self, filling: Filling) -> None:
        from emulator.store.objects import Bucket, Part, Upload, Version

        def version(row: dict[str, Any]) -> None:
            found = Version(**row)
            if not found.marker:
                self._check_blob(found.blob, found.size, f"s3://{found.bucket}/{found.key}")
            filling.version(found)
            self.found.objects += 1

        def part(row: dict[str, Any]) -> None:
            found = Part(**row)
            self._check_blob(found.blob, found.size, f"part {found.number} of the upload {found.upload}")
            filling.part(found)
            self.found.objects += 1

        self._each("s3/buckets", lambda row: filling.bucket(Bucket(**row)))
        self._each("s3/versions", version)
        self._each("s3/uploads", lambda row: filling.upload(Upload(**row)))
        self._each("s3/parts", part)

    def _check_blob(self, blob: str, size: int, whose: str) -> None:
        name = f"{form.BLOBS}/{blob}"
        if not form.expected(name) or _size(f"{self._folder}/{name}") != size:
            raise ValueError(f"the bytes of {whose} are missing or not whole")

    # --- lines --------------------------------------------------------------------------------------------------

    def _each(self, name: str, do: Callable[[Any], object]) -> None:
        for number, row in enumerate(self._rows(name), 1):
            try:
                do(row)
            except (KeyError, TypeError, ValueError, AttributeError, StopIteration) as error:
                raise _damaged(name, number, str(error)) from error

    def _rows(self, name: str) -> Iterator[Any]:
        file = self._folder / f"{name}.jsonl"
        if not file.exists():
            return
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    yield orjson.loads(line)
                except ValueError as error:
                    raise _damaged(name, number, str(error)) from error


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except FileNotFoundError:
        return -1


def _record(row: dict[str, Any]) -> Record:
    scope = Scope(str(row.pop("account")), str(row.pop("region")))
    return Record(scope=scope, **row)


def _link(row: dict[str, Any]) -> Link:
    return Link(**{**row, "scope": Scope(**row["scope"])})


def _function(path: str) -> Arrived:
    module, _, name = path.partition(":")
    found: Arrived = getattr(importlib.import_module(module), name)
    return found


def _damaged(name: str, line: int, why: str) -> Validation:
    return Validation(
        f"The snapshot is damaged: {name}.jsonl, line {line}: {why.rstrip('.'):.300}. Nothing was loaded."
    )
