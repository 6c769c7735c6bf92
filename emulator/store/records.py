"""What the store keeps: a record, the query for a page of them, and the port that every store fulfils."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from emulator.call import Extent, Scope
from emulator.store.links import Link, Linked, LinkQuery, Mark


@dataclass(frozen=True)
class Record:
    """One resource. `body` holds the members of its Describe answer by their wire names (JSON values; times as
    seconds since the epoch); `hidden` what the house must remember and no client sees (a job's phase, run ids).

    `key` is unique in (scope, kind); `version` counts the writes and guards `replace` against lost updates.
    """

    kind: str
    scope: Scope
    key: str
    arn: str
    body: Mapping[str, Any]
    created: float
    modified: float
    status: str = ""
    parent: str = ""
    hidden: Mapping[str, Any] = field(default_factory=dict)
    version: int = 0

    @property
    def place(self) -> tuple[str, Scope, str]:
        """Kind, scope and key: what no other record has."""
        return self.kind, self.scope, self.key


@dataclass(frozen=True)
class Query:
    """A page of records of one kind. Answered by an index, never by a scan.

    `sort` is `name`, `created`, `modified` or `status`; ties are broken by key, so that pages are stable.
    `after` is the position behind which the page begins: (sort value, key) of the last record seen.
    `contains` is a case-sensitive substring of the key; `created` and `modified` are bounds, both exclusive.
    `linked` asks for records that links lead to or from, whatever their kind. `mentions` are texts that the JSON of the
    body must have in it: whoever looks for a value spares himself the reading of most bodies that have another one.
    """

    kind: str
    scope: Scope
    limit: int
    sort: str = "created"
    descending: bool = False
    after: tuple[Any, str] | None = None
    contains: str = ""
    statuses: tuple[str, ...] = ()
    parent: str | None = None
    created: tuple[float | None, float | None] = (None, None)
    modified: tuple[float | None, float | None] = (None, None)
    linked: Linked | None = None
    mentions: tuple[str, ...] = ()


class DuplicateKey(Exception):
    """`insert` met a record with the same (kind, scope, key)."""


class StaleVersion(Exception):
    """`replace` met another version than it was given: somebody else wrote in between."""


class Transaction(Protocol):
    """Reads and writes that happen together or not at all. An acknowledged commit survives `kill -9`."""

    def insert(self, record: Record) -> Record:
        """Add a record (its version becomes 1); `DuplicateKey` when the key is taken."""
        ...

    def get(self, kind: str, scope: Scope, key: str) -> Record | None:
        """The record of a key, or None."""
        ...

    def get_ignoring_case(self, kind: str, scope: Scope, key: str) -> Record | None:
        """The record whose key differs from `key` in nothing but case, or None."""
        ...

    def get_by_arn(self, arn: str) -> Record | None:
        """The record of an ARN, or None."""
        ...

    def get_by_arns(self, arns: Sequence[str]) -> dict[str, Record]:
        """The records of many ARNs, by ARN; those that are absent are left out."""
        ...

    def replace(self, record: Record) -> Record:
        """Write a record over the one of the same key and version; `StaleVersion` when that is gone or newer."""
        ...

    def delete(self, record: Record) -> None:
        """Remove a record with its tags and all links of its ARN."""
        ...

    def page(self, query: Query) -> list[Record]:
        """Up to `query.limit` records."""
        ...

    def by_status(self, kind: str, statuses: tuple[str, ...]) -> list[Record]:
        """All records of a kind with one of these statuses, in every scope, oldest first (for start-up)."""
        ...

    def counts(self, kind: str, scope: Scope) -> dict[str, int]:
        """How many records of a kind there are in a scope, by their statuses."""
        ...

    def drop(self, extent: Extent) -> int:
        """Remove all records of a part of the house with their tags, and its links; how many records there were."""
        ...

    def tags(self, arn: str) -> list[tuple[str, str]]:
        """The tags of a resource in order of their keys."""
        ...

    def set_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        """Add tags, or overwrite those with the same keys."""
        ...

    def drop_tags(self, arn: str, keys: tuple[str, ...]) -> None:
        """Remove tags by key."""
        ...

    def link(self, link: Link) -> None:
        """Add a link; `DuplicateKey` when there is one of this relation between the two."""
        ...

    def get_link(self, relation: str, source: str, destination: str) -> Link | None:
        """The link between two ARNs, or None."""
        ...

    def unlink(self, relation: str, source: str, destination: str) -> bool:
        """Remove a link; False when there is none."""
        ...

    def links(self, query: LinkQuery) -> list[Link]:
        """Up to `query.limit` links."""
        ...

    def links_of(self, relation: str, end: str, arns: Sequence[str]) -> list[Link]:
        """All links of a relation that have one of these ARNs at `end`, in no order."""
        ...

    def mark(self, mark: Mark) -> None:
        """Remember to come back to a record. A mark that is there stays as fresh as it is, at the new version."""
        ...

    def marked(self, limit: int) -> list[Mark]:
        """Up to `limit` marks, in no order."""
        ...

    def unmark(self, mark: Mark) -> None:
        """Forget a mark, unless its record was marked at another version since."""
        ...


class Store(Protocol):
    """Remembers records. Thread safe: one writer at a time, readers never wait for it."""

    @property
    def commits(self) -> int:
        """How often was written: an answer that was read before is still true while this has not changed."""
        ...

    def read(self) -> AbstractContextManager[Transaction]:
        """A consistent view; writing in it is an error."""
        ...

    def write(self) -> AbstractContextManager[Transaction]:
        """A transaction: committed when the block ends, rolled back when it raises."""
        ...

    def reset(self) -> None:
        """Forget everything."""
        ...

    def close(self) -> None:
        """Flush and let go of the files."""
        ...
