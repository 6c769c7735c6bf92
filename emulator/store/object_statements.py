"""The statements behind `ObjectIndex`."""

from __future__ import annotations

from sqlalchemy import delete, insert, literal_column, select, update
from sqlalchemy.sql.expression import ColumnElement

from emulator.store import tables
from emulator.store.compiling import p

B, O, U, P = tables.BUCKETS.c, tables.OBJECTS.c, tables.UPLOADS.c, tables.PARTS.c  # noqa: E741
BUCKET_COLUMNS = tuple(B)
VERSION_COLUMNS = tuple(column for column in O if column.name != "id")
UPLOAD_COLUMNS = tuple(U)
PART_COLUMNS = tuple(P)
_ONE: ColumnElement[int] = literal_column("1")
_NONE: ColumnElement[int] = literal_column("0")
_UNDER = (p("prefix") <= O.key, O.key < p("end"))

BUCKET = select(*BUCKET_COLUMNS).where(B.name == p("name"))
BUCKETS = select(*BUCKET_COLUMNS).where(B.account == p("account")).order_by(B.name)
NEW_BUCKET = insert(tables.BUCKETS).values({c.name: p(c.name) for c in BUCKET_COLUMNS})
EDIT_BUCKET = (
    update(tables.BUCKETS).where(B.name == p("name")).values(document=p("document"), versioning=p("versioning"))
)
DROP_BUCKET = delete(tables.BUCKETS).where(B.name == p("name"))
ANY_OBJECT = select(O.id).where(O.bucket == p("bucket")).limit(_ONE)

_SAME_KEY = (O.bucket == p("bucket"), O.key == p("key"))
LATEST = select(*VERSION_COLUMNS).where(*_SAME_KEY, O.latest == _ONE)
EXACT = select(*VERSION_COLUMNS).where(*_SAME_KEY, O.version == p("version"))
PLACE = select(O.id, O.latest, O.blob).where(*_SAME_KEY, O.version == p("version"))
NEW_OBJECT = insert(tables.OBJECTS).values({c.name: p(c.name) for c in VERSION_COLUMNS})
EDIT_FACTS = update(tables.OBJECTS).where(*_SAME_KEY, O.version == p("version")).values(facts=p("facts"))
DROP_OBJECT = delete(tables.OBJECTS).where(O.id == p("id"))
NEWEST = select(O.id).where(*_SAME_KEY).order_by(O.id.desc()).limit(_ONE)
PROMOTE = update(tables.OBJECTS).where(O.id == p("id")).values(latest=_ONE)
DEMOTE = update(tables.OBJECTS).where(*_SAME_KEY, O.latest == _ONE).values(latest=_NONE)
_LISTED = (O.bucket == p("bucket"), O.latest == _ONE, O.key < p("end"), O.marker == _NONE)
KEYS_FROM = select(*VERSION_COLUMNS).where(*_LISTED, O.key >= p("start")).order_by(O.key).limit(p("limit"))
KEYS_AFTER = select(*VERSION_COLUMNS).where(*_LISTED, O.key > p("start")).order_by(O.key).limit(p("limit"))
_ALL = select(*VERSION_COLUMNS).where(O.bucket == p("bucket"), *_UNDER).order_by(O.key, O.id.desc()).limit(p("limit"))
VERSIONS = _ALL
_BEHIND = (O.key > p("key")) | ((O.key == p("key")) & (O.id < p("id")))
VERSIONS_AFTER = _ALL.where(O.key >= p("key"), _BEHIND)
BLOBS = select(O.blob).where(O.blob != p("nothing"))
BLOB_USED = select(O.id).where(O.blob == p("blob")).limit(_ONE)

NEW_UPLOAD = insert(tables.UPLOADS).values({c.name: p(c.name) for c in UPLOAD_COLUMNS})
UPLOAD = select(*UPLOAD_COLUMNS).where(U.upload == p("upload"))
UPLOADS = (
    select(*UPLOAD_COLUMNS)
    .where(U.bucket == p("bucket"), U.key >= p("prefix"), U.key < p("end"))
    .order_by(U.key, U.started, U.upload)
)
DROP_UPLOAD = delete(tables.UPLOADS).where(U.upload == p("upload"))
NEW_PART = insert(tables.PARTS).values({c.name: p(c.name) for c in PART_COLUMNS})
PART = select(P.blob).where(P.upload == p("upload"), P.number == p("number"))
PARTS = select(*PART_COLUMNS).where(P.upload == p("upload")).order_by(P.number)
DROP_PART = delete(tables.PARTS).where(P.upload == p("upload"), P.number == p("number"))
DROP_PARTS = delete(tables.PARTS).where(P.upload == p("upload"))
PART_BLOBS = select(P.blob)
BLOB_IN_PART = select(P.upload).where(P.blob == p("blob")).limit(_ONE)
