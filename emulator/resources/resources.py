"""Records by kind: each method is one operation's worth of work, in one transaction of the store."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

from emulator.call import Call, Scope
from emulator.clock import Clock
from emulator.errors import AccessDenied, CallerFault, Conflict, InUse, LimitExceeded, NotFound, Validation
from emulator.kinds.facts import Facts
from emulator.kinds.kind import Kind, Missing, Taken
from emulator.resources import listing, making, tagging, tokens
from emulator.store.records import DuplicateKey, Query, Record, StaleVersion, Store, Transaction

log = logging.getLogger(__name__)

Publish = Callable[[str, Record], None]
"""Told of every record that was "created", "updated" or "deleted", after the commit."""

Compute = Callable[[Record, Mapping[str, Any]], Mapping[str, Any]]
"""Adds to a Describe answer what is known only now."""

PAGES_KEPT = 128

FAULTS: Mapping[str, type[CallerFault]] = {
    fault.code: fault for fault in (Validation, NotFound, InUse, LimitExceeded, Conflict, AccessDenied)
}


def _quiet(event: str, record: Record) -> None:
    """Nobody listens."""


def _as_is(record: Record, body: Mapping[str, Any]) -> Mapping[str, Any]:
    return body


class Resources:
    """The generic life of records. Thread safe, as its store is."""

    def __init__(
        self,
        store: Store,
        kinds: Iterable[Kind],
        clock: Clock,
        publish: Publish = _quiet,
        compute: Compute = _as_is,
    ) -> None:
        self._store = store
        self._facts = {kind.noun: Facts(kind) for kind in kinds}
        self._clock = clock
        self._publish = publish
        self._compute = compute
        self._pages: dict[tuple[str, Scope, str], tuple[int, dict[str, Any]]] = {}
        """Pages as they were at a number of commits: clients that poll a list ask the same again and again."""

    def facts(self, kind: str) -> Facts:
        """What is known of a kind; `KeyError` for a noun that is none."""
        return self._facts[kind]

    # --- for behaviours and engines -------------------------------------------------------------------------------

    def create(
        self,
        kind: str,
        call: Call,
        *,
        status: str | None = None,
        extra: Mapping[str, Any] | None = None,
        hidden: Mapping[str, Any] | None = None,
    ) -> Record:
        """Make a record of a Create request; raises the kind's error when the name is taken.

        `extra` are members of Describe beside the echoed ones, `hidden` what no client sees.
        """
        facts = self._facts[kind]
        given = making.Given(status, extra or {}, hidden or {})
        tags = tagging.given(call.params.get("Tags"))
        record = making.new_record(facts, call, self._now(), given)
        with self._store.write() as transaction:
            self._check_references(transaction, facts, call)
            other = transaction.get_ignoring_case(kind, call.scope, record.key) if facts.kind.folded else None
            if other is not None:
                raise _fault(facts.taken, facts, other.key, other.arn)
            try:
                record = transaction.insert(record)
            except DuplicateKey:
                raise _fault(facts.taken, facts, record.key, record.arn) from None
            if tags:
                transaction.set_tags(record.arn, tags)
        self._tell("created", record)
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

    def remove(self, kind: str, scope: Scope, key: str) -> None:
        """Delete a record with its tags; raises the kind's error for an absent one."""
        facts = self._facts[kind]
        with self._store.write() as transaction:
            record = self._get(transaction, facts, scope, key)
            self._check_childless(transaction, facts, record)
            transaction.delete(record)
        self._tell("deleted", record)

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
            self._check_references(transaction, facts, call)
            page = listing.answer(transaction, facts, plan)
        if len(self._pages) >= PAGES_KEPT:
            self._pages.clear()
        self._pages[asked] = commits, page
        return page

    def update(self, kind: str, call: Call) -> dict[str, Any]:
        """Do an Update request, member by member, and answer it."""
        facts = self._facts[kind]
        key = self.key(kind, call)
        record = self.change(kind, call.scope, key, lambda current: making.edited(facts, current, call))
        return self.answer("Update", record)

    def delete(self, kind: str, call: Call) -> dict[str, Any]:
        """Do a Delete request and answer it."""
        key = self.key(kind, call)
        record = self.get(kind, call.scope, key)
        self.remove(kind, record.scope, record.key)
        return self.answer("Delete", record)

    def key(self, kind: str, call: Call) -> str:
        """The key, or ARN, that a request names."""
        facts = self._facts[kind]
        values = facts.values(call.params)
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

    # --- tags -----------------------------------------------------------------------------------------------------

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """Tags of ours on a record: none where the caller's own leave no room, or the record is gone."""
        with self._store.write() as transaction:
            if transaction.get_by_arn(arn) is not None:
                there = {key for key, _ in transaction.tags(arn)}
                if len(there | set(tags)) <= tagging.LIMIT:
                    transaction.set_tags(arn, dict(tags))

    def add_tags(self, call: Call) -> dict[str, Any]:
        """AddTags: values of known keys are overwritten; answers all tags."""
        arn, new = call.params["ResourceArn"], tagging.given(call.params["Tags"])
        with self._store.write() as transaction:
            record = self._tagged(transaction, arn)
            tagging.within({*(key for key, _ in transaction.tags(record.arn)), *new})
            transaction.set_tags(record.arn, new)
            return {"Tags": tagging.answer(transaction.tags(record.arn))}

    def delete_tags(self, call: Call) -> dict[str, Any]:
        """DeleteTags: unknown keys are ignored."""
        with self._store.write() as transaction:
            record = self._tagged(transaction, call.params["ResourceArn"])
            transaction.drop_tags(record.arn, tuple(call.params["TagKeys"]))
        return {}

    def list_tags(self, call: Call) -> dict[str, Any]:
        """ListTags: there are never more than fit on one page."""
        if call.params.get("NextToken"):
            raise Validation(tokens.INVALID)
        with self._store.read() as transaction:
            record = self._tagged(transaction, call.params["ResourceArn"])
            return {"Tags": tagging.answer(transaction.tags(record.arn))}

    # --- within a transaction -------------------------------------------------------------------------------------

    def _get(self, transaction: Transaction, facts: Facts, scope: Scope, key: str) -> Record:
        named_by_arn = key.startswith("arn:")
        record = transaction.get_by_arn(key) if named_by_arn else transaction.get(facts.kind.noun, scope, key)
        if record is None or record.kind != facts.kind.noun:
            arn = key if named_by_arn else making.arn_in(scope, facts, key)
            raise _fault(facts.missing, facts, key, arn)
        return record

    def _tagged(self, transaction: Transaction, arn: str) -> Record:
        record = transaction.get_by_arn(arn)
        if record is None:
            raise Validation(f"Could not find the resource {arn}. Tags belong to resources that exist.")
        return record

    def _check_references(self, transaction: Transaction, facts: Facts, call: Call) -> None:
        for member, kind in facts.kind.refers.items():
            value = call.params.get(member)
            if value:
                self._get(transaction, self._facts[kind], call.scope, value)

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
                fault = InUse if "ResourceInUse" in facts.derived.errors("Delete") else Validation
                what = f"{child.kind.noun}(s) are associated with it."
                raise fault(f"Unable to delete {record.kind} [{record.arn}] because {what}")

    def _now(self) -> float:
        return round(self._clock.now(), 3)

    def _tell(self, event: str, record: Record) -> None:
        try:
            self._publish(event, record)
        except Exception:
            # The write is acknowledged already: who merely reacts to it cannot undo it.
            log.exception("A reaction to %s %s %s failed", record.kind, record.key, event)


def _fault(error: Missing | Taken, facts: Facts, key: str, arn: str) -> CallerFault:
    name = key.rsplit("/", 1)[-1]
    message = error.message.format(arn=arn, name=name, kind=facts.kind.noun)
    return FAULTS[error.code](message) if error.code in FAULTS else CallerFault(message, error.code)
