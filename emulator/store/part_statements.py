"""The statements behind what is done to a part of the house, or to all of it: one per shape of the part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, delete, literal_column, select
from sqlalchemy.sql.dml import Delete
from sqlalchemy.sql.expression import ColumnElement

from emulator.store.compiling import p
from emulator.store.tables import BUCKETS, LINKS, MARKS, OBJECTS, PARTS, RECORDS, UPLOADS

R, U = RECORDS.c, UPLOADS.c
_ONE: ColumnElement[int] = literal_column("1")

KINDS = select(R.kind).distinct().order_by(R.kind)
ANY_MARK = select(MARKS.c.arn).limit(_ONE)
DROP_MARK = delete(MARKS).where(MARKS.c.arn == p("arn"))
_UPLOADS_OF = select(U.upload).where(U.bucket == p("bucket"))
BLOBS_OF = select(OBJECTS.c.blob).where(OBJECTS.c.bucket == p("bucket"))
PART_BLOBS_OF = select(PARTS.c.blob).where(PARTS.c.upload.in_(_UPLOADS_OF))
DROP_OBJECTS = delete(OBJECTS).where(OBJECTS.c.bucket == p("bucket"))
DROP_PARTS = delete(PARTS).where(PARTS.c.upload.in_(_UPLOADS_OF))
DROP_UPLOADS = delete(UPLOADS).where(U.bucket == p("bucket"))


def build(shape: Mapping[str, Any], substring: str) -> Select[Any] | Delete:
    """`{"what", "account", "region"}`: the records of a kind, the buckets, or the end of the links of a part."""
    if shape["what"] == "records":
        within = [R.kind == p("kind"), *_within(RECORDS.c, shape)]
        return select(R.key, R.arn, R.account, R.region).where(*within).limit(p("limit"))
    if shape["what"] == "buckets":
        return select(BUCKETS.c.name).where(*_within(BUCKETS.c, shape))
    return delete(LINKS).where(*_within(LINKS.c, shape))


def _within(columns: Any, shape: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    return [columns[name] == p(name) for name in ("account", "region") if shape[name]]
