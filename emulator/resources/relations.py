"""What holds between records: who names whom, who hangs on whom, what is whose version. In the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from emulator.call import Call, Scope
from emulator.kinds.facts import Facts
from emulator.kinds.kind import Versions
from emulator.resources import making, moving, versions
from emulator.resources.faults import fault
from emulator.resources.links import has_links
from emulator.resources.making import Given
from emulator.store.records import Query, Record, Transaction

PAGE = 200


@dataclass(frozen=True)
class Within:
    """What the records of a list hang on: its key, and the members of the request that named it."""

    key: str
    members: tuple[str, ...]


class Relations:
    """The relations of the records of all kinds. Holds nothing but the kinds."""

    def __init__(self, facts: Mapping[str, Facts]) -> None:
        self._facts = facts

    # --- finding ----------------------------------------------------------------------------------------------------

    def get(self, transaction: Transaction, facts: Facts, scope: Scope, key: str) -> Record:
        """The record of a key or ARN; raises the kind's error for an absent one."""
        named_by_arn = key.startswith("arn:") and len(facts.key) == 1
        get = transaction.get_ignoring_case if facts.kind.caseless else transaction.get
        record = transaction.get_by_arn(key) if named_by_arn else get(facts.kind.noun, scope, key)
        if record is None or record.kind != facts.kind.noun or record.scope != scope:
            arn = key if named_by_arn else making.arn_in(scope, facts, key)
            raise fault(facts.missing, facts, key, arn)
        return record

    def named(
        self, transaction: Transaction, facts: Facts, call: Call, loose: tuple[str, ...] = ()
    ) -> dict[str, Record]:
        """The records that members of a request name, by member; raises the kind's error for an absent one.

        What `loose` members name need not exist.
        """
        given = {member: call.params.get(member) for member in facts.kind.refers if member not in loose}
        return {
            member: self.get(transaction, self._facts[facts.kind.refers[member]], call.scope, value)
            for member, value in given.items()
            if value
        }

    def resolved(self, facts: Facts, call: Call, named: Mapping[str, Record]) -> Call:
        """A request whose references are keys: where it gives the ARN of a record, or its name in another case."""
        keys = {
            member: record.key
            for member, record in named.items()
            if member == facts.parent or str(call.params[member]).startswith("arn:")
        }
        return replace(call, params={**call.params, **keys}) if keys else call

    def addressed(self, transaction: Transaction, facts: Facts, call: Call) -> Call:
        """A request whose references are keys where it gives ARNs; what it names otherwise need not exist."""
        names = tuple(name for name in facts.kind.refers if not str(call.params.get(name) or "").startswith("arn:"))
        return self.resolved(facts, call, self.named(transaction, facts, call, loose=names))

    def version(self, transaction: Transaction, facts: Facts, call: Call, key: str, latest: bool) -> Record | None:
        """The version that a request names, of a kind with versions; None where it names the whole.

        `key` names what is asked for, or what has the versions. Without number or alias that is the latest version,
        which only some requests may mean.
        """
        copies = self.copies.get(facts.kind.noun)
        number, alias = (copies or facts).numbers
        wanted = call.params.get(number) if number else None
        called = str(call.params.get(alias) or "") if alias else ""
        if not number or (copies is not None and wanted is None and not called):
            return None
        noun = facts.kind.noun if copies is not None or facts.kind.versions is None else facts.kind.versions.of
        whole = self.get(transaction, self._facts[noun], call.scope, key)
        if wanted is None and not called:
            return versions.last(transaction, facts, whole) if latest else None
        return versions.find(transaction, copies or facts, whole, wanted, called)

    def within(self, transaction: Transaction, facts: Facts, call: Call) -> Within | None:
        """What has the versions that a list is of, where the request names it; it must exist."""
        if facts.kind.versions is None:
            return None
        whole = self._facts[facts.kind.versions.of]
        values = whole.values(call.params)
        if not all(values):
            return None
        return Within(self.get(transaction, whole, call.scope, "/".join(values)).key, whole.key)

    def counted(
        self, transaction: Transaction, facts: Facts, call: Call, given: Given, now: float
    ) -> versions.Counted | None:
        """What a new version is given by what it is a version of; None for a record of its own."""
        if not given.version_of or facts.kind.versions is None:
            return None
        whole = self.get(transaction, self._facts[facts.kind.versions.of], call.scope, given.version_of)
        moving.check_lasting(self._facts[whole.kind], whole)
        given = replace(given, version_of="", parent=whole.key)
        counted = versions.counted(transaction, facts, whole, call, given)
        return replace(counted, now=versions.moment(transaction, facts, whole, now))

    # --- rules ------------------------------------------------------------------------------------------------------

    def check_there(self, transaction: Transaction, scope: Scope, needs: Iterable[tuple[str, str]]) -> None:
        """The error for an absent record where one of these (noun, key) is."""
        for noun, key in needs:
            self.get(transaction, self._facts[noun], scope, key)

    def check_lasting(self, transaction: Transaction, named: Iterable[Record], others: Sequence[Record] = ()) -> None:
        """The error for an absent record when one that a request would hang something on is gone, or about to go.

        `named` were read in this transaction, `others` before.
        """
        again = [self.get(transaction, self._facts[other.kind], other.scope, other.key) for other in others]
        for record in (*named, *again):
            moving.check_lasting(self._facts[record.kind], record)

    @cached_property
    def copies(self) -> Mapping[str, Facts]:
        """By noun: the kind that its numbered copies are of."""
        return {facts.kind.versions.of: facts for facts in self._facts.values() if facts.kind.versions and facts.copied}

    @cached_property
    def _children(self) -> Mapping[str, tuple[Facts, ...]]:
        """By kind: those whose records hang on one of its records."""
        found: dict[str, tuple[Facts, ...]] = {noun: (copies,) for noun, copies in self.copies.items()}
        for facts in self._facts.values():
            parent = facts.kind.refers.get(facts.parent) if facts.kind.refers and facts.parent else None
            if parent is not None:
                found[parent] = (*found.get(parent, ()), facts)
        return found

    def check_childless(self, transaction: Transaction, facts: Facts, record: Record) -> None:
        """The kind's error for a record that others hang on, which do not go with it."""
        for child in self._children.get(record.kind, ()):
            query = Query(child.kind.noun, record.scope, 1, parent=record.key)
            if not child.copied and not child.kind.bound and transaction.page(query):
                raise fault(facts.occupied, facts, record.key, record.arn, others=child.kind.noun)
        for relation in facts.kind.tied:
            if has_links(transaction, record, relation):
                raise fault(facts.occupied, facts, record.key, record.arn, others=relation)

    # --- writing ----------------------------------------------------------------------------------------------------

    def keep(self, transaction: Transaction, record: Record) -> None:
        """Write the copy of a record that is the version which it shows now."""
        copies = self.copies.get(record.kind)
        if copies is not None:
            versions.keep(transaction, copies, record)

    def drop(self, transaction: Transaction, record: Record) -> list[Record]:
        """Delete a record and what goes with it; the deleted records."""
        facts = self._facts[record.kind]
        self.check_childless(transaction, facts, record)
        dropped: list[Record] = []
        for child in self._children.get(record.kind, ()):
            query = Query(child.kind.noun, record.scope, PAGE, parent=record.key)
            while page := transaction.page(query):
                dropped += [gone for inner in page for gone in self.drop(transaction, inner)]
        transaction.delete(record)
        self._forget_aliases(transaction, facts.kind.versions, record)
        return [*dropped, record]

    def _forget_aliases(self, transaction: Transaction, of: Versions | None, record: Record) -> None:
        whole = transaction.get(of.of, record.scope, record.parent) if of is not None else None
        number = record.body.get(of.number) if of is not None else None
        if whole is not None and number in versions.aliases(whole).values():
            transaction.replace(versions.without(whole, number))
