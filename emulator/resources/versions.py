"""Versions: how they are numbered, kept, found and named by aliases. In a transaction of the caller's.

The record that has the versions remembers, hidden, the last number that it gave (`COUNT`), which versions the last
requests made (`MADE`), and its aliases (`ALIASES`). So no number is given twice, though its version be deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from emulator.call import Call
from emulator.kinds.facts import Facts
from emulator.kinds.kind import Fault
from emulator.resources import making
from emulator.resources.faults import fault
from emulator.resources.making import Given
from emulator.store.records import Query, Record, Transaction

COUNT = "last_version"
MADE = "versions_made"
ALIASES = "aliases"
LISTED = "listed"
TOKENS_KEPT = 20
TICK = 0.001
"""Seconds by which a version is younger than the one before, at least: their ages are in the order of their numbers."""


def key(whole: Record, number: Any) -> str:
    """The key of a version."""
    return f"{whole.key}/{number}"


# --- numbering --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Counted:
    """What counts a new version, after that; what the version is given, and when; or the version that is there."""

    whole: Record
    given: Given
    made: Record | None = None
    now: float = 0.0


def counted(transaction: Transaction, facts: Facts, whole: Record, call: Call, given: Given) -> Counted:
    """The next version of a record for a request; the one that it made when it was sent before."""
    assert facts.kind.versions is not None
    asked, before = "/".join(making.asked(call) or ()), dict(whole.hidden.get(MADE) or {})
    if asked in before:
        made = transaction.get(facts.kind.noun, whole.scope, key(whole, before[asked]))
        if made is not None:
            return Counted(whole, given, made)
    number = int(whole.hidden.get(COUNT, 0)) + 1
    kept = dict([*before.items(), (asked, number)][-TOKENS_KEPT:]) if asked else before
    whole = replace(whole, hidden={**whole.hidden, COUNT: number, MADE: kept})
    if given.aliases:
        whole = renamed(facts, whole, number, given.aliases, ())
    extra = {facts.kind.versions.number: number, **given.extra}
    given = replace(given, key=key(whole, number), extra=extra)
    return Counted(whole, given)


def moment(transaction: Transaction, facts: Facts, whole: Record, now: float) -> float:
    """When a new version is made: later than the last one, though the clock may have stood still or been set back."""
    before = last(transaction, facts, whole, must=False)
    return now if before is None else max(now, round(before.created + TICK, 3))


# --- copies -----------------------------------------------------------------------------------------------------------


def number_of(facts: Facts, whole: Record) -> Any:
    """The number of the version that a record is now. `facts` are those of its copies."""
    of = facts.kind.versions
    assert of is not None
    return whole.body[of.number] if of.number in facts.derived.answered else whole.hidden.get(COUNT, 1)


def keep(transaction: Transaction, facts: Facts, whole: Record) -> None:
    """Write the copy of a record for the number that it has."""
    assert facts.kind.versions is not None
    number = number_of(facts, whole)
    there = transaction.get(facts.kind.noun, whole.scope, key(whole, number))
    created = there.created if there is not None else moment(transaction, facts, whole, whole.modified)
    copy = replace(
        whole,
        kind=facts.kind.noun,
        key=key(whole, number),
        arn=f"{whole.arn}/{number}",
        parent=whole.key,
        created=created,
        hidden={LISTED: {facts.kind.versions.number: number}},
        version=there.version if there is not None else 0,
    )
    if there is None:
        transaction.insert(copy)
    else:
        transaction.replace(copy)


def following(facts: Facts, whole: Record, body: Mapping[str, Any]) -> Record:
    """A record with a new body, which is its next version. `facts` are those of its copies."""
    of, number = facts.kind.versions, int(number_of(facts, whole)) + 1
    assert of is not None
    rest = {name: value for name, value in body.items() if name != of.aliases}
    own = {of.number: number} if of.number in facts.derived.answered else {}
    return replace(whole, body={**rest, **own}, hidden={**whole.hidden, COUNT: number})


# --- finding ----------------------------------------------------------------------------------------------------------


def find(transaction: Transaction, facts: Facts, whole: Record, number: Any, alias: str = "") -> Record:
    """The version of a number or an alias; the kind's error for an absent one."""
    if alias:
        number = aliases(whole).get(alias)
    record = transaction.get(facts.kind.noun, whole.scope, key(whole, number)) if number is not None else None
    if record is None:
        named = key(whole, alias or number)
        raise fault(facts.missing, facts, named, making.arn_in(whole.scope, facts, named))
    return record


def last(transaction: Transaction, facts: Facts, whole: Record, must: bool = True) -> Record | None:
    """The youngest version; without one the kind's error, or None if there need not be one."""
    query = Query(facts.kind.noun, whole.scope, 1, parent=whole.key, descending=True)
    page = transaction.page(query)
    if not page and must:
        said = facts.kind.versions.none if facts.kind.versions else ""
        raise fault(Fault(facts.missing.code, said or facts.missing.message), facts, whole.key, whole.arn)
    return page[0] if page else None


# --- aliases ----------------------------------------------------------------------------------------------------------


def aliases(whole: Record) -> dict[str, Any]:
    """The aliases of a record's versions, each with a number."""
    return dict(whole.hidden.get(ALIASES) or {})


def of_number(whole: Record, number: Any) -> list[str]:
    """The aliases of one version, in the order in which they were added."""
    return [alias for alias, other in aliases(whole).items() if other == number]


def without(whole: Record, number: Any) -> Record:
    """A record that has forgotten the aliases of a version."""
    rest = {alias: other for alias, other in aliases(whole).items() if other != number}
    return replace(whole, hidden={**whole.hidden, ALIASES: rest})


def renamed(facts: Facts, whole: Record, number: Any, add: Iterable[str], remove: Iterable[str]) -> Record:
    """A record after aliases of one of its versions were removed and others added; none may be another version's."""
    known = {alias: other for alias, other in aliases(whole).items() if alias not in remove or other != number}
    for alias in add:
        other = known.setdefault(alias, number)
        if other != number:
            message = f"The alias {alias} belongs to version {other} of {whole.arn}. Remove it from that version first."
            raise fault(Fault(facts.derived.conflict("Update"), message), facts, whole.key, whole.arn)
    return replace(whole, hidden={**whole.hidden, ALIASES: known})
