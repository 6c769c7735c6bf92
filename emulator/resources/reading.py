"""Records by kind, as they are read: each method is one operation's worth of work, in one view of the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from emulator.call import Call, Scope
from emulator.errors import Validation
from emulator.kinds.facts import Facts
from emulator.kinds.kind import Kind
from emulator.resources import listing, making
from emulator.resources.hooks import Compute, as_is
from emulator.resources.relations import Relations
from emulator.store.records import Query, Record, Store, Transaction

Result = TypeVar("Result")

PAGES_KEPT = 128


class Reading:
    """What there is of records, and what it answers. Thread safe, as its store is."""

    def __init__(self, store: Store, kinds: Iterable[Kind], compute: Compute = as_is) -> None:
        self._store = store
        self._facts = {kind.noun: Facts(kind) for kind in kinds}
        self._relations = Relations(self._facts)
        self._compute = compute
        self._pages: dict[tuple[str, Scope, str], tuple[int, dict[str, Any]]] = {}
        """Pages as they were at a number of commits: clients that poll a list ask the same again and again."""

    def facts(self, kind: str) -> Facts:
        """What is known of a kind; `KeyError` for a noun that is none."""
        return self._facts[kind]

    # --- for behaviours and engines -------------------------------------------------------------------------------

    def named(self, kind: str, call: Call, latest: bool = False) -> Record:
        """The record that a request names: by key or ARN, and of a kind with versions by number or alias.

        `latest`: whether the latest version is meant where the request says nothing of versions.
        """
        facts = self._facts[kind]
        with self._store.read() as transaction:
            call = self._relations.addressed(transaction, facts, call)
            key = self.key(kind, call)
            version = self._relations.version(transaction, facts, call, key, latest)
            if version is None and any(facts.numbers):
                raise Validation(f"{call.operation} needs a {' or '.join(filter(None, facts.numbers))}.")
            return version or self._relations.get(transaction, facts, call.scope, key)

    def get(self, kind: str, scope: Scope, key: str) -> Record:
        """The record of a key or ARN; raises the kind's error for an absent one."""
        with self._store.read() as transaction:
            return self._relations.get(transaction, self._facts[kind], scope, key)

    def find(self, kind: str, scope: Scope, key: str) -> Record | None:
        """The record of a key, or None."""
        with self._store.read() as transaction:
            return transaction.get(kind, scope, key)

    def by_arn(self, arn: str) -> Record | None:
        """The record of an ARN, of any kind, or None."""
        with self._store.read() as transaction:
            return transaction.get_by_arn(arn)

    def each(self, query: Query) -> Iterator[Record]:
        """All records that a query asks for, read page by page; its limit is the size of a page."""
        while True:
            with self._store.read() as transaction:
                page = transaction.page(query)
            yield from page
            if len(page) < query.limit:
                return
            query = replace(query, after=listing.position(query, page[-1]))

    def unsettled(self, kind: str, statuses: tuple[str, ...]) -> list[Record]:
        """All records of a kind with one of these statuses, in every scope, oldest first."""
        with self._store.read() as transaction:
            return transaction.by_status(kind, statuses)

    def arn(self, kind: str, scope: Scope, key: str) -> str:
        """The ARN that a record of this key has, or would have."""
        return making.arn_in(scope, self._facts[kind], key)

    def reading(self, work: Callable[[Transaction], Result]) -> Result:
        """Read in one view of the store."""
        with self._store.read() as transaction:
            return work(transaction)

    # --- operations -----------------------------------------------------------------------------------------------

    def describe(self, kind: str, call: Call) -> dict[str, Any]:
        """The answer to a Describe request."""
        facts = self._facts[kind]
        record = self.named(kind, call, latest=True)
        body = dict(self._compute(record, record.body))
        return {facts.derived.wrapper: body} if facts.derived.wrapper else body

    def list(self, kind: str, call: Call, only: listing.Only | None = None) -> dict[str, Any]:
        """The answer to a List request: one page."""
        asked = (kind, call.scope, repr((sorted(call.params.items()), only.words if only else "")))
        known = self._pages.get(asked)
        if known is not None and known[0] == self._store.commits:
            return known[1]
        commits = self._store.commits  # before the reading: what is written meanwhile makes this page an old one
        facts = self._facts[kind]
        with self._store.read() as transaction:
            named = self._relations.named(transaction, facts, call, facts.kind.listing.contains)
            call = self._relations.resolved(facts, call, named)
            within = self._relations.within(transaction, facts, call)
            page = listing.answer(transaction, facts, listing.plan(facts, call, named, within, only))
        if len(self._pages) >= PAGES_KEPT:
            self._pages.clear()
        self._pages[asked] = commits, page
        return page

    def key(self, kind: str, call: Call) -> str:
        """The key, or ARN, that a request names; UpdateModelPackage gives the ARN where Describe takes the name."""
        facts = self._facts[kind]
        values = facts.values(call.params)
        if len(values) == 1:
            values = [values[0] or str(call.params.get(facts.derived.arn_member) or "")]
        missing = [member for member, value in zip(facts.key, values, strict=True) if not value]
        if missing:
            raise Validation(f"{call.operation} needs {' and '.join(missing)}.")
        return values[0] if len(values) == 1 else "/".join(values)

    def answer(self, verb: str, record: Record) -> dict[str, Any]:
        """What Create, Update or Delete answers about a record: its ARN, its key, or all of it, as the model says."""
        facts = self._facts[record.kind]
        found: dict[str, Any] = {}
        for member, shape in facts.derived.outputs(verb).items():
            if member == facts.derived.wrapper:
                found[member] = dict(record.body)
            elif member in record.body:
                found[member] = record.body[member]
            elif member.endswith("Arn"):
                found[member] = record.arn
            elif shape.type_name == "boolean":
                found[member] = True
        return found
