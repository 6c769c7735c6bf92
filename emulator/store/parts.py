"""What is done to all that a part of the house has: its records, links and buckets are dropped in one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable

from emulator.call import Extent, Scope
from emulator.store.database import Session
from emulator.store.records import Record
from emulator.store.texts import Names

SQL = Names("part_statements")
CHUNK = 1000


def drop_records(session: Session, extent: Extent, delete: Callable[[Record], None]) -> int:
    """Delete every record of a part by `delete`, and the part's links; how many records there were."""
    marks = session.row(SQL.ANY_MARK) is not None
    count = 0
    for (kind,) in session.rows(SQL.KINDS):
        name, values = _name("records", extent), _values(extent)
        while rows := session.rows(name, kind=kind, limit=CHUNK, **values):
            for key, arn, account, region in rows:
                delete(Record(kind, Scope(account, region), key, arn, {}, 0.0, 0.0))
                if marks:
                    session.run(SQL.DROP_MARK, arn=arn)
            count += len(rows)
    session.run(_name("links", extent), **_values(extent))
    return count


def drop_buckets(session: Session, extent: Extent) -> tuple[int, list[str]]:
    """Delete the buckets of a part with all that is in them: how many, and the blobs that they referred to."""
    blobs: list[str] = []
    names = [name for (name,) in session.rows(_name("buckets", extent), **_values(extent))]
    for name in names:
        for statement in (SQL.BLOBS_OF, SQL.PART_BLOBS_OF):
            blobs += [blob for (blob,) in session.rows(statement, bucket=name)]
        for statement in (SQL.DROP_OBJECTS, SQL.DROP_PARTS, SQL.DROP_UPLOADS):
            session.run(statement, bucket=name)
        session.run("object_statements:DROP_BUCKET", name=name)
    return len(names), blobs


def _name(what: str, extent: Extent) -> str:
    shape = {"what": what, "account": bool(extent.account), "region": bool(extent.region)}
    return f"part_statements:{json.dumps(shape)}"


def _values(extent: Extent) -> dict[str, str]:
    return {name: value for name, value in vars(extent).items() if value}
