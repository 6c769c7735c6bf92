"""Records by kind: each method is one operation's worth of work, in one transaction of the store."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from emulator.call import Call, Extent, Scope
from emulator.clock import Clock
from emulator.errors import CallerFault, Validation
from emulator.kinds.facts import Facts
from emulator.kinds.kind import Kind
from emulator.resources import listing, making, moving, tagging
from emulator.resources.faults import fault
from emulator.resources.links import Links
from emulator.resources.notes import Notes
from emulator.resources.quotas import Quota
from emulator.resources.relations import Relations
from emulator.resources.tags import Tags
from emulator.store.links import Mark
from emulator.store.records import Query, Record, StaleVersion, Store, Transaction

log = logging.getLogger(__name__)

Publish = Callable[[str, Record], None]
"""Told of every record that was "created", "updated" or "deleted", after the commit."""

Compute = Callable[[Record, Mapping[str, Any]], Mapping[str, Any]]
"""Adds to a Describe answer what is known only now."""

Result = TypeVar("Result")

PAGES_KEPT = 128


def _quiet(event: str, record: Record) -> None:
    """Nobody listens."""


def _as_is(record: Record, body: Mapping[str, Any]) -> Mapping[str, Any]:
    return body


@dataclass(frozen=True)
class Hooks:
    """Who takes part in the life of records. `pace`: seconds that a status takes which moves by itself; `quotas`: how
    many records there may be, by noun; `followed`: kinds whose records are marked when written, for who comes back."""

    publish: Publish = _quiet
    compute: Compute = _as_is
    pace: float = 0.0
    quotas: Mapping[str, Quota] = field(default_factory=dict)
    followed: frozenset[str] = frozenset()


class Resources:
    """The generic life of records. Thread safe, as its store is."""

    def __init__(self, store: Store, kinds: Iterable[Kind], clock: Clock, hooks: Hooks = Hooks()) -> None:
        self._store = store
        self._facts = {kind.noun: Facts(kind) for kind in kinds}
        self._relations = Relations(self._facts)
        self._clock = clock
        self._publish = hooks.publish
        self._compute = hooks.compute
        self._quotas = hooks.quotas
        self._travels = moving.Travels(clock, hooks.pace, self._arrive)
        self._followed = hooks.followed
        self.tags = Tags(store)
        self.links = Links(store)
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
        facts, wish, now = self._facts[kind], making.Given(**given), self._now()
        tags = tagging.given(call.params.get("Tags"))
        with self._store.write() as transaction:
            named = self._relations.named(transaction, facts, call)
            self._relations.check_lasting(transaction, named.values(), wish.on)
            call = self._relations.resolved(facts, call, named)
            counted = self._relations.counted(transaction, facts, call, wish, now)
            if counted is not None and counted.made is not None:
                return counted.made
            record = self._new(facts, call, *((counted.now, counted.given) if counted else (now, wish)))
            other = transaction.get_ignoring_case(kind, call.scope, record.key) if facts.kind.folded else None
            other = other or transaction.get(kind, call.scope, record.key)
            if other is not None and making.asked_again(record, other):
                return other
            if other is not None and other.status in facts.gives_way:
                transaction.delete(other)
            elif other is not None:
                raise fault(facts.taken, facts, other.key, other.arn)
            record = self._insert(transaction, facts, record, tags)
            if counted is not None:
                transaction.replace(counted.whole)
        self._tell("created", record)
        self._set_out(facts, record)
        return record

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

    def change(self, kind: str, scope: Scope, key: str, edit: Callable[[Record], Record]) -> Record:
        """Edit a record in one transaction. `edit` must be pure: it is called again when somebody else was faster."""
        facts = self._facts[kind]
        while True:
            try:
                with self._store.write() as transaction:
                    before = self._relations.get(transaction, facts, scope, key)
                    edited = edit(before)
                    if moving.leaves(facts, before, edited):
                        self._relations.check_childless(transaction, facts, before)
                    after = transaction.replace(making.touched(facts, before, edited, self._now()))
                    self._relations.keep(transaction, after)
                    self._mark(transaction, after)
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
            record = there or self._relations.get(transaction, facts, scope, key)
            dropped = self._relations.drop(transaction, record)
        for gone in dropped:
            self._tell("deleted", gone)

    def arn(self, kind: str, scope: Scope, key: str) -> str:
        """The ARN that a record of this key has, or would have."""
        return making.arn_in(scope, self._facts[kind], key)

    def draft(self, kind: str, call: Call, at: float, **given: Any) -> Record:
        """The record that `create` would have made of a request at some time; not written."""
        return making.new_record(self._facts[kind], call, at, making.Given(**given))

    def together(self, work: Callable[[Transaction], Result]) -> Result:
        """Do work in one transaction of the store. Nobody is told of the records that it writes."""
        with self._store.write() as transaction:
            return work(transaction)

    def reading(self, work: Callable[[Transaction], Result]) -> Result:
        """Read in one view of the store."""
        with self._store.read() as transaction:
            return work(transaction)

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

    def forget(self, extent: Extent) -> int:
        """Delete all records of a part of the house, whatever hangs on them, untold; how many there were."""
        self._travels.give_up(extent)
        with self._store.write() as transaction:
            count = transaction.drop(extent)
        self._travels.give_up(extent)  # who set out in between
        return count

    def close(self) -> None:
        """Let no record move any more."""
        self._travels.give_up()

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

    def update(self, kind: str, call: Call) -> dict[str, Any]:
        """Do an Update request, member by member, and answer it."""
        facts = self._facts[kind]
        there = self.named(kind, call)
        self.tags.check(there.arn, call)
        record = self.move(kind, call.scope, there.key, "Update", lambda current: making.edited(facts, current, call))
        self.retag(record, call)
        return self.answer("Update", record)

    def delete(self, kind: str, call: Call) -> dict[str, Any]:
        """Do a Delete request and answer it."""
        facts = self._facts[kind]
        record = self.named(kind, call)
        moving.check(facts, "Delete", record)
        if moving.begun(facts, "Delete", record, self._travels.pace) is record:
            self.remove(kind, record.scope, record.key)
        else:
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

    def _new(self, facts: Facts, call: Call, now: float, given: making.Given) -> Record:
        record = making.new_record(facts, call, now, given)
        if given.status is not None:
            return record
        return making.in_status(facts, moving.begun(facts, "Create", record, self._travels.pace))

    def _insert(self, transaction: Transaction, facts: Facts, record: Record, tags: Mapping[str, str]) -> Record:
        self._check_quota(transaction, facts, record.scope)
        record = transaction.insert(record)
        self._relations.keep(transaction, record)
        self._mark(transaction, record)
        if tags:
            transaction.set_tags(str(record.body.get(facts.derived.arn_member) or record.arn), tags)
        return record

    def _mark(self, transaction: Transaction, record: Record) -> None:
        if record.kind in self._followed:
            transaction.mark(Mark(record.arn, record.version, fresh=record.version == 1))

    def _check_quota(self, transaction: Transaction, facts: Facts, scope: Scope) -> None:
        quota = self._quotas.get(facts.kind.noun)
        if quota is not None:
            counts = transaction.counts(facts.kind.noun, scope)
            quota.check(sum(count for status, count in counts.items() if status not in facts.gives_way))

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
