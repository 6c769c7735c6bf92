"""Records by kind: each method is one operation's worth of work, in one transaction of the store."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from emulator.call import Call, Scope
from emulator.clock import Clock
from emulator.errors import CallerFault, Validation
from emulator.kinds.facts import Facts
from emulator.kinds.kind import Kind
from emulator.resources import listing, making, moving, tagging
from emulator.resources.faults import fault
from emulator.resources.notes import Notes
from emulator.resources.quotas import Quota
from emulator.resources.tags import Tags
from emulator.store.records import Query, Record, StaleVersion, Store, Transaction

log = logging.getLogger(__name__)

Publish = Callable[[str, Record], None]
"""Told of every record that was "created", "updated" or "deleted", after the commit."""

Compute = Callable[[Record, Mapping[str, Any]], Mapping[str, Any]]
"""Adds to a Describe answer what is known only now."""

PAGES_KEPT = 128


def _quiet(event: str, record: Record) -> None:
    """Nobody listens."""


def _as_is(record: Record, body: Mapping[str, Any]) -> Mapping[str, Any]:
    return body


@dataclass(frozen=True)
class Hooks:
    """Who takes part in the life of records. `pace`: seconds that a status takes which moves by itself; `quotas`: how
    many records there may be, by noun."""

    publish: Publish = _quiet
    compute: Compute = _as_is
    pace: float = 0.0
    quotas: Mapping[str, Quota] = field(default_factory=dict)


class Resources:
    """The generic life of records. Thread safe, as its store is."""

    def __init__(self, store: Store, kinds: Iterable[Kind], clock: Clock, hooks: Hooks = Hooks()) -> None:
        self._store = store
        self._facts = {kind.noun: Facts(kind) for kind in kinds}
        self._clock = clock
        self._publish = hooks.publish
        self._compute = hooks.compute
        self._quotas = hooks.quotas
        self._travels = moving.Travels(clock, hooks.pace, self._arrive)
        self.tags = Tags(store)
        self.notes = Notes(store)
        self._pages: dict[tuple[str, Scope, str], tuple[int, dict[str, Any]]] = {}
        """Pages as they were at a number of commits: clients that poll a list ask the same again and again."""

    def facts(self, kind: str) -> Facts:
        """What is known of a kind; `KeyError` for a noun that is none."""
        return self._facts[kind]

    # --- for behaviours and engines -------------------------------------------------------------------------------

    def create(self, kind: str, call: Call, **given: Any) -> Record:
        """Make a record of a Create request; raises the kind's error when the name is taken.

        `given` is what the request does not say: the members of `making.Given`. A request that is sent again with its
        idempotency token answers the record that it made.
        """
        facts = self._facts[kind]
        tags = tagging.given(call.params.get("Tags"))
        record = making.new_record(facts, call, self._now(), making.Given(**given))
        if "status" not in given:
            record = making.in_status(facts, moving.begun(facts, "Create", record, self._travels.pace))
        with self._store.write() as transaction:
            for parent in self._referred(transaction, facts, call):
                moving.check_lasting(self._facts[parent.kind], parent)
            other = transaction.get_ignoring_case(kind, call.scope, record.key) if facts.kind.folded else None
            other = other or transaction.get(kind, call.scope, record.key)
            if other is not None and making.asked_again(record, other):
                return other
            if other is not None and other.status in facts.gives_way:
                transaction.delete(other)
            elif other is not None:
                raise fault(facts.taken, facts, other.key, other.arn)
            self._check_quota(transaction, facts, call.scope)
            record = transaction.insert(record)
            if tags:
                transaction.set_tags(record.arn, tags)
        self._tell("created", record)
        self._set_out(facts, record)
        return record

    def get(self, kind: str, scope: Scope, key: str) -> Record:
        """The record of a key or ARN; raises the kind's error for an absent one."""
        with self._store.read() as transaction:
            return self._get(transaction, self._facts[kind], scope, key)

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

    def change(self, kind: str, scope: Scope, key: str, edit: Callable[[Record], Record]) -> Record:
        """Edit a record in one transaction. `edit` must be pure: it is called again when somebody else was faster."""
        facts = self._facts[kind]
        while True:
            try:
                with self._store.write() as transaction:
                    before = self._get(transaction, facts, scope, key)
                    after = transaction.replace(making.touched(facts, before, edit(before), self._now()))
                break
            except StaleVersion:
                continue
        self._tell("updated", after)
        return after

    def move(
        self, kind: str, scope: Scope, key: str, verb: str, edit: Callable[[Record], Record] = lambda record: record
    ) -> Record:
        """Let a verb change a record: where its status allows it, and on to the status that the verb leads to."""
        facts = self._facts[kind]

        def step(current: Record) -> Record:
            moving.check(facts, verb, current)
            return moving.begun(facts, verb, edit(current), self._travels.pace)

        record = self.change(kind, scope, key, step)
        self._set_out(facts, record)
        return record

    def remove(self, kind: str, scope: Scope, key: str, statuses: tuple[str, ...] = ()) -> None:
        """Delete a record with its tags; raises the kind's error for an absent one, or one that others hang on.

        With `statuses` it is deleted only if it is there and has one of them.
        """
        facts = self._facts[kind]
        with self._store.write() as transaction:
            there = transaction.get(kind, scope, key) if statuses else None
            if statuses and (there is None or there.status not in statuses):
                return
            record = there or self._get(transaction, facts, scope, key)
            self._check_childless(transaction, facts, record)
            transaction.delete(record)
        self._tell("deleted", record)

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """Tags of ours on a record."""
        self.tags.put(arn, tags)

    def retag(self, record: Record, call: Call) -> None:
        """Add the tags that an Update request gives."""
        if call.params.get("Tags"):
            self.tags.add(replace(call, params={"ResourceArn": record.arn, "Tags": call.params["Tags"]}))

    def recover(self) -> None:
        """Let the records arrive that a former life left on their way."""
        for facts in self._facts.values():
            for record in self.unsettled(facts.kind.noun, tuple(facts.rests)):
                self._travels.set_out(record)

    def close(self) -> None:
        """Let no record move any more."""
        self._travels.give_up()

    # --- operations -----------------------------------------------------------------------------------------------

    def describe(self, kind: str, call: Call) -> dict[str, Any]:
        """The answer to a Describe request."""
        facts = self._facts[kind]
        record = self.get(kind, call.scope, self.key(kind, call))
        body = dict(self._compute(record, record.body))
        return {facts.derived.wrapper: body} if facts.derived.wrapper else body

    def list(self, kind: str, call: Call) -> dict[str, Any]:
        """The answer to a List request: one page."""
        asked = (kind, call.scope, repr(sorted(call.params.items())))
        known = self._pages.get(asked)
        if known is not None and known[0] == self._store.commits:
            return known[1]
        commits = self._store.commits  # before the reading: what is written meanwhile makes this page an old one
        facts = self._facts[kind]
        plan = listing.plan(facts, call)
        with self._store.read() as transaction:
            self._referred(transaction, facts, call, facts.kind.listing.contains)
            page = listing.answer(transaction, facts, plan)
        if len(self._pages) >= PAGES_KEPT:
            self._pages.clear()
        self._pages[asked] = commits, page
        return page

    def update(self, kind: str, call: Call) -> dict[str, Any]:
        """Do an Update request, member by member, and answer it."""
        facts = self._facts[kind]
        key = self.key(kind, call)
        record = self.move(kind, call.scope, key, "Update", lambda current: making.edited(facts, current, call))
        self.retag(record, call)
        return self.answer("Update", record)

    def delete(self, kind: str, call: Call) -> dict[str, Any]:
        """Do a Delete request and answer it."""
        facts = self._facts[kind]
        record = self.get(kind, call.scope, self.key(kind, call))
        moving.check(facts, "Delete", record)
        if moving.begun(facts, "Delete", record, self._travels.pace) is record:
            self.remove(kind, record.scope, record.key)
        else:
            with self._store.read() as transaction:
                self._check_childless(transaction, facts, record)
            self.move(kind, record.scope, record.key, "Delete")
        return self.answer("Delete", record)

    def start(self, kind: str, call: Call) -> dict[str, Any]:
        """Do a Start request and answer it."""
        return self.answer("Start", self.move(kind, call.scope, self.key(kind, call), "Start"))

    def stop(self, kind: str, call: Call) -> dict[str, Any]:
        """Do a Stop request and answer it."""
        return self.answer("Stop", self.move(kind, call.scope, self.key(kind, call), "Stop"))

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

    # --- within a transaction -------------------------------------------------------------------------------------

    def _get(self, transaction: Transaction, facts: Facts, scope: Scope, key: str) -> Record:
        named_by_arn = key.startswith("arn:") and len(facts.key) == 1
        get = transaction.get_ignoring_case if facts.kind.caseless else transaction.get
        record = transaction.get_by_arn(key) if named_by_arn else get(facts.kind.noun, scope, key)
        if record is None or record.kind != facts.kind.noun or record.scope != scope:
            arn = key if named_by_arn else making.arn_in(scope, facts, key)
            raise fault(facts.missing, facts, key, arn)
        return record

    def _referred(
        self, transaction: Transaction, facts: Facts, call: Call, loose: tuple[str, ...] = ()
    ) -> tuple[Record, ...]:
        """The records that a request refers to, but for `loose` members; raises the error of the first absent one."""
        params = call.params
        strict = {
            member: kind for member, kind in facts.kind.refers.items() if params.get(member) and member not in loose
        }
        found = (self._get(transaction, self._facts[kind], call.scope, params[name]) for name, kind in strict.items())
        return tuple(found)

    def _check_quota(self, transaction: Transaction, facts: Facts, scope: Scope) -> None:
        quota = self._quotas.get(facts.kind.noun)
        if quota is not None:
            counts = transaction.counts(facts.kind.noun, scope)
            quota.check(sum(count for status, count in counts.items() if status not in facts.gives_way))

    @cached_property
    def _children(self) -> dict[str, tuple[Facts, ...]]:
        """By kind: those whose records hang on one of its records."""
        found: dict[str, tuple[Facts, ...]] = {}
        for facts in self._facts.values():
            parent = facts.kind.refers.get(facts.parent) if facts.kind.refers and facts.parent else None
            if parent is not None:
                found[parent] = (*found.get(parent, ()), facts)
        return found

    def _check_childless(self, transaction: Transaction, facts: Facts, record: Record) -> None:
        for child in self._children.get(record.kind, ()):
            if transaction.page(Query(child.kind.noun, record.scope, 1, parent=record.key)):
                raise fault(facts.occupied, facts, record.key, record.arn, others=child.kind.noun)

    # --- records that move by themselves --------------------------------------------------------------------------

    def _set_out(self, facts: Facts, record: Record) -> None:
        if record.status in facts.rests:
            self._travels.set_out(record)

    def _arrive(self, record: Record) -> None:
        """Let a record come to rest that is still where it set out from."""
        facts = self._facts[record.kind]
        there = self.find(record.kind, record.scope, record.key)
        if there is None or there.status != record.status:
            return
        rest = facts.rests[there.status]
        way = there.status
        try:
            if rest:
                self.change(*there.place, lambda now: replace(now, status=rest) if now.status == way else now)
            else:
                self.remove(*there.place, statuses=(way,))
        except CallerFault:
            log.debug("%s %s was taken away on its way", record.kind, record.key)

    def _now(self) -> float:
        return round(self._clock.now(), 3)

    def _tell(self, event: str, record: Record) -> None:
        try:
            self._publish(event, record)
        except Exception:
            # The write is acknowledged already: who merely reacts to it cannot undo it.
            log.exception("A reaction to %s %s %s failed", record.kind, record.key, event)
