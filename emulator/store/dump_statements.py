"""The statements behind a dump: each table from its beginning to its end, in the order in which it was written."""

from __future__ import annotations

from sqlalchemy import func, select

from emulator.store import tables
from emulator.store.compiling import p
from emulator.store.link_statements import COLUMNS as LINK_COLUMNS
from emulator.store.object_statements import BUCKET_COLUMNS, PART_COLUMNS, UPLOAD_COLUMNS, VERSION_COLUMNS
from emulator.store.pages import COLUMNS

R, T, L, M = tables.RECORDS.c, tables.TAGS.c, tables.LINKS.c, tables.MARKS.c
O, P = tables.OBJECTS.c, tables.PARTS.c  # noqa: E741

COUNTS = select(R.kind, func.count()).group_by(R.kind).order_by(R.kind)
OBJECTS_HELD = select(func.count(), func.coalesce(func.sum(O.size), 0))
PARTS_HELD = select(func.count(), func.coalesce(func.sum(P.size), 0))
RECORDS = select(*COLUMNS).where(R.kind == p("kind")).order_by(R.id)
TAGS = select(T.arn, T.key, T.value).order_by(T.arn, T.key)
LINKS = select(*LINK_COLUMNS, L.id).order_by(L.id)
MARKS = select(M.arn, M.version, M.fresh).order_by(M.arn)
BUCKETS = select(*BUCKET_COLUMNS).order_by(tables.BUCKETS.c.name)
VERSIONS = select(*VERSION_COLUMNS).order_by(O.id)
UPLOADS = select(*UPLOAD_COLUMNS).order_by(tables.UPLOADS.c.upload)
PARTS = select(*PART_COLUMNS).order_by(P.upload, P.number)
BLOBS = select(O.blob).where(O.blob != p("nothing")).union(select(P.blob))
"""`union` removes what is there twice: a copy shares its source's blob."""
