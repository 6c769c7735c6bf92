"""Links and marks over SQL: what `SqlTransaction` does with them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from emulator.call import Scope
from emulator.store import packing
from emulator.store.database import Row, Session
from emulator.store.links import DESTINATION, SOURCE, Link, LinkQuery, Mark
from emulator.store.records import DuplicateKey
from emulator.store.texts import Names

SQL = Names("link_statements")
SIZES = (1, 8, 64, 512)
"""How many values a statement asks for at once: few sizes, so that there are few texts."""


def in_lots(values: Sequence[str]) -> Iterator[list[str]]:
    """Values in lots of these sizes; a lot that is not full repeats its last value."""
    for start in range(0, len(values), SIZES[-1]):
        lot = list(values[start : start + SIZES[-1]])
        size = next(size for size in SIZES if size >= len(lot))
        yield lot + lot[-1:] * (size - len(lot))


def insert(session: Session, link: Link) -> None:
    """`Transaction.link`."""
    values = {
        "account": link.scope.account,
        "region": link.scope.region,
        "relation": link.relation,
        "source": link.source,
        "destination": link.destination,
        "created": link.created,
        "facts": packing.dumps(link.facts),
    }
    try:
        session.run(SQL.INSERT, **values)
    except session.database.integrity_error as error:
        raise DuplicateKey(f"{link.relation} {link.source} {link.destination}") from error


def get(session: Session, relation: str, source: str, destination: str) -> Link | None:
    """`Transaction.get_link`."""
    row = session.row(SQL.GET, relation=relation, source=source, destination=destination)
    return link_of(row) if row is not None else None


def delete(session: Session, relation: str, source: str, destination: str) -> bool:
    """`Transaction.unlink`."""
    return bool(session.run(SQL.DELETE, relation=relation, source=source, destination=destination).rowcount)


def drop(session: Session, arn: str) -> None:
    """Remove all links of an ARN, and its mark."""
    session.run(SQL.DROP_FROM, arn=arn)
    session.run(SQL.DROP_TO, arn=arn)


def page(session: Session, query: LinkQuery) -> list[Link]:
    """`Transaction.links`."""
    since, until = query.created
    shape = {
        "ends": [end for end in (SOURCE, DESTINATION) if getattr(query, end)],
        "since": since is not None,
        "until": until is not None,
        "sort": query.sort,
        "descending": query.descending,
        "after": query.after is not None,
    }
    after, number = query.after or (None, None)
    given: dict[str, Any] = {"after": after, "number": number, "since": since, "until": until}
    values = {name: value for name, value in given.items() if value is not None}
    values |= {end: getattr(query, end) for end in (SOURCE, DESTINATION)}
    values |= {"account": query.scope.account, "region": query.scope.region}
    rows = session.rows(f"link_statements:{json.dumps(shape)}", relation=query.relation, limit=query.limit, **values)
    return [link_of(row) for row in rows]


def of_many(session: Session, relation: str, end: str, arns: Sequence[str]) -> list[Link]:
    """`Transaction.links_of`."""
    found = []
    for lot in in_lots(arns):
        name = f"link_statements:{json.dumps({'end': end, 'many': len(lot)})}"
        values = {f"arn{number}": arn for number, arn in enumerate(lot)}
        found += [link_of(row) for row in session.rows(name, relation=relation, **values)]
    return found


def mark(session: Session, given: Mark) -> None:
    """`Transaction.mark`."""
    if session.run(SQL.RENEW_MARK, arn=given.arn, version=given.version).rowcount == 0:
        session.run(SQL.NEW_MARK, arn=given.arn, version=given.version, fresh=int(given.fresh))


def marked(session: Session, limit: int) -> list[Mark]:
    """`Transaction.marked`."""
    return [Mark(arn, version, bool(fresh)) for arn, version, fresh in session.rows(SQL.MARKED, limit=limit)]


def unmark(session: Session, given: Mark) -> None:
    """`Transaction.unmark`."""
    session.run(SQL.UNMARK, arn=given.arn, version=given.version)


def link_of(row: Row) -> Link:
    """The link in a row of all columns, the id last."""
    account, region, relation, source, destination, created, facts, number = row
    return Link(_scope(account, region), relation, source, destination, created, packing.loads(facts), number)


_scope = lru_cache(maxsize=256)(Scope)
