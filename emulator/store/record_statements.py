"""The statements behind the records and their tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, delete, func, insert, select, update

from emulator.store.compiling import p
from emulator.store.pages import COLUMNS
from emulator.store.tables import RECORDS, TAGS

C = RECORDS.c
WRITTEN = ("arn", "parent", "status", "created", "modified", "body", "hidden")

_IN_SCOPE = (C.kind == p("kind"), C.account == p("account"), C.region == p("region"))
GET = select(*COLUMNS).where(*_IN_SCOPE, C.key == p("key"))
GET_FOLDED = select(*COLUMNS).where(*_IN_SCOPE, C.folded == p("folded"))
GET_ARN = select(*COLUMNS).where(C.arn == p("arn"))
BY_STATUS = select(*COLUMNS).where(C.kind == p("kind"), C.status == p("status")).order_by(C.created, C.key)
COUNTS = select(C.status, func.count()).where(*_IN_SCOPE).group_by(C.status)
INSERT = insert(RECORDS).values({c.name: p(c.name) for c in C if c.name != "id"})
REPLACE = (
    update(RECORDS)
    .where(*_IN_SCOPE, C.key == p("key"), C.version == p("version"))
    .values({**{name: p(name) for name in WRITTEN}, "version": p("after")})
)
DELETE = delete(RECORDS).where(*_IN_SCOPE, C.key == p("key"))

TAGS_OF = select(TAGS.c.key, TAGS.c.value).where(TAGS.c.arn == p("arn")).order_by(TAGS.c.key)
ADD_TAG = insert(TAGS).values({c.name: p(c.name) for c in TAGS.c})
DROP_TAG = delete(TAGS).where(TAGS.c.arn == p("arn"), TAGS.c.key == p("key"))
DROP_TAGS = delete(TAGS).where(TAGS.c.arn == p("arn"))


def build(shape: Mapping[str, Any], substring: str) -> Select[Any]:
    """The records of so many ARNs at once."""
    return select(*COLUMNS).where(C.arn.in_([p(f"arn{number}") for number in range(shape["arns"])]))
