"""The statements behind the index of Search that are the same for every query."""

from __future__ import annotations

from sqlalchemy import delete, exists, insert, select, update

from emulator.store.compiling import p
from emulator.store.pages import COLUMNS
from emulator.store.tables import RECORDS, SEARCH_NOTES, SEARCH_PROPERTIES, SEARCH_TERMS

R, P, T, N = RECORDS.c, SEARCH_PROPERTIES.c, SEARCH_TERMS.c, SEARCH_NOTES.c

_RECORDS_HERE = (R.kind == p("kind"), R.account == p("account"), R.region == p("region"))
_HERE = (P.kind == p("kind"), P.account == p("account"), P.region == p("region"))
_NOTED = tuple(c == p(c.name) for c in N)

KINDS = select(P.kind).distinct()
PROPERTIES = select(P.id, P.name, P.state).where(*_HERE)
NEW_PROPERTY = insert(SEARCH_PROPERTIES).values({c.name: p(c.name) for c in P if c.name != "id"})
SET_STATE = update(SEARCH_PROPERTIES).where(P.id == p("id")).values(state=p("state"))
DROP_PROPERTY = delete(SEARCH_PROPERTIES).where(P.id == p("id"))
DROP_PROPERTIES = delete(SEARCH_PROPERTIES)

NEW_TERM = insert(SEARCH_TERMS).values({c.name: p(c.name) for c in T})
DROP_TERMS = delete(SEARCH_TERMS).where(T.property == p("property"))
DROP_TERMS_OF_ONE = delete(SEARCH_TERMS).where(T.property == p("property"), T.record == p("record"))
DROP_TERMS_OF_RECORD = delete(SEARCH_TERMS).where(
    T.property.in_(select(P.id).where(*_HERE)),
    T.record.in_(select(R.id).where(*_RECORDS_HERE, R.key == p("key"))),
)

# Not "on conflict do nothing", which databases spell in their own ways.
NOTE = insert(SEARCH_NOTES).from_select(
    [c.name for c in N], select(*(p(c.name) for c in N)).where(~exists().where(*_NOTED))
)
NOTES = select(*N)
DROP_NOTES = delete(SEARCH_NOTES)

CHUNK = select(R.id, *COLUMNS).where(*_RECORDS_HERE, R.key > p("after")).order_by(R.key).limit(p("limit"))
WHERE_ARN = select(R.kind, R.account, R.region, R.key).where(R.arn == p("arn"))
BY_KEY = select(R.id, *COLUMNS).where(*_RECORDS_HERE, R.key == p("key"))
BY_ID = select(*COLUMNS).where(R.id == p("id"))
