"""Links between records: added where both ends exist, listed, removed. What a relation means, behaviours know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from emulator.call import Scope
from emulator.store.links import Link, LinkQuery
from emulator.store.records import Record, Store, Transaction


class NoEnd(Exception):
    """A link cannot lead from or to what does not exist; `arn` says which."""

    def __init__(self, arn: str) -> None:
        super().__init__(arn)
        self.arn = arn


class Links:
    """The links of all records."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, *links: Link) -> None:
        """Add links together; `NoEnd` when a record is gone, `DuplicateKey` when the first of them is there already.

        The others are left as they are where they are there.
        """
        with self._store.write() as transaction:
            for number, link in enumerate(links):
                for arn in (link.source, link.destination):
                    if transaction.get_by_arn(arn) is None:
                        raise NoEnd(arn)
                there = transaction.get_link(link.relation, link.source, link.destination) if number else None
                if there is None:
                    transaction.link(link)

    def drop(self, scope: Scope, relation: str, source: str, destination: str) -> bool:
        """Remove a link; False when there is none in this account and region."""
        with self._store.write() as transaction:
            link = transaction.get_link(relation, source, destination)
            return link is not None and link.scope == scope and transaction.unlink(relation, source, destination)

    def each(self, query: LinkQuery) -> Iterator[Link]:
        """All links that a query asks for; its limit is the size of what is read at once."""
        while True:
            with self._store.read() as transaction:
                page = transaction.links(query)
            yield from page
            if len(page) < query.limit:
                return
            query = replace(query, after=(getattr(page[-1], query.sort), page[-1].number))

    def of(self, relation: str, end: str, arns: Sequence[str]) -> list[Link]:
        """All links of a relation that have one of these ARNs at an end."""
        with self._store.read() as transaction:
            return transaction.links_of(relation, end, arns)


def has_links(transaction: Transaction, record: Record, relation: str) -> bool:
    """Whether a record is at either end of a link of a relation."""
    from_it = LinkQuery(record.scope, relation, 1, source=record.arn)
    to_it = LinkQuery(record.scope, relation, 1, destination=record.arn)
    return bool(transaction.links(from_it) or transaction.links(to_it))
