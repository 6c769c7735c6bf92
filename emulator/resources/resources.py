"""Records by kind, as they are made and changed: each method is one operation's worth of work, in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from emulator.call import Call, Extent, Scope
from emulator.clock import Clock
from emulator.errors import CallerFault
from emulator.kinds.facts import Facts
from emulator.kinds.kind import Kind
from emulator.resources import making, moving, tagging
from emulator.resources.faults import fault
from emulator.resources.hooks import Hooks
from emulator.resources.links import Links
from emulator.resources.notes import Notes
from emulator.resources.reading import Reading
from emulator.resources.tags import Tags
from emulator.store.links import Mark
from emulator.store.records import DuplicateKey, Record, StaleVersion, Store, Transaction

log = logging.getLogger(__name__)

Result = TypeVar("Result")


class Resources(Reading):
    """The generic life of records. Thread safe, as its store is."""

    def __init__(self, store: Store, kinds: Iterable[Kind], clock: Clock, hooks: Hooks = Hooks()) -> None:
        super().__init__(store, kinds, hooks.compute)
        self._clock = clock
        self._publish = hooks.publish
        self._quotas = hooks.quotas
        self._travels = moving.Travels(clock, hooks.pace, self._arrive)
        self._followed = hooks.followed
        self.tags = Tags(store)
        self.links = Links(store)
        self.notes = Notes(store)

    # --- for behaviours and engines -------------------------------------------------------------------------------

    def create(self, kind: str, call: Call, **given: Any) -> Record:
        """Make a record of a Create request; raises the kind's error when the name is taken.

        `given` is what the request does not say: the members of `making.Given`. A request that is sent again with its
        idempotency token answers the record that it made.
        """
        facts, wish = self._facts[kind], making.Given(**given)
        # Most names are new: whether one is taken is asked only where the key alone does not tell.
        careful = facts.kind.folded or kind in self._quotas
        try:
            record, fresh = self._made(facts, call, wish, careful)
        except DuplicateKey:
            record, fresh = self._made(facts, call, wish, careful=True)
        if fresh:
            self._tell("created", record)
            self._set_out(facts, record)
        return record

    def _made(self, facts: Facts, call: Call, wish: making.Given, careful: bool) -> tuple[Record, bool]:
        """The record of a Create request, and whether it is new; `DuplicateKey` only if not `careful`."""
        now, tags = self._now(), tagging.given(call.params.get("Tags"))
        with self._store.write() as transaction:
            named = self._relations.named(transaction, facts, call)
            self._relations.check_there(transaction, call.scope, wish.needs)
            self._relations.check_lasting(transaction, named.values(), wish.on)
            call = self._relations.resolved(facts, call, named)
            counted = self._relations.counted(transaction, facts, call, wish, now)
            if counted is not None and counted.made is not None:
                return counted.made, False
            record = self._new(facts, call, *((counted.now, counted.given) if counted else (now, wish)))
            if careful and (other := self._other(transaction, facts, record)) is not None:
                return other, False
            record = self._insert(transaction, facts, record, tags)
            if counted is not None:
                transaction.replace(counted.whole)
        return record, True

    def _other(self, transaction: Transaction, facts: Facts, record: Record) -> Record | None:
        """The record that the same request has made before, if it has. One that gives way to the new one goes; raises
        the kind's error for any other one of its name."""
        find = transaction.get_ignoring_case if facts.kind.folded else transaction.get
        other = find(facts.kind.noun, record.scope, record.key)
        if other is None or making.asked_again(record, other):
            return other
        if other.status not in facts.gives_way:
            raise fault(facts.taken, facts, other.key, other.arn)
        transaction.delete(other)
        return None

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

    def draft(self, kind: str, call: Call, at: float, **given: Any) -> Record:
        """The record that `create` would have made of a request at some time; not written."""
        return making.new_record(self._facts[kind], call, at, making.Given(**given))

    def together(self, work: Callable[[Transaction], Result]) -> Result:
        """Do work in one transaction of the store. Nobody is told of the records that it writes."""
        with self._store.write() as transaction:
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
