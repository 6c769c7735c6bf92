"""Many records of one kind that differ in everything: names, parents, times, statuses, and what was given or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from emulator.call import Call, Scope
from emulator.house import House
from emulator.kinds import KINDS, Kind
from emulator.kinds.facts import Facts
from emulator.store.records import Record
from tests.kinds.samples import request, sample
from tests.kinds.texts import text

SCOPE = Scope("123456789012", "eu-west-1")
COLOURS = ("red", "blue", "redder", "Red", "infrared")
BY_NOUN = {kind.noun: kind for kind in KINDS}


@dataclass(frozen=True)
class Known:
    """A record, and how Describe shows it."""

    record: Record
    described: Mapping[str, Any]


class Population:
    """Records of `kind` in a house of their own, whose behaviours are not asked: any record may be listed."""

    def __init__(self, house: House, kind: Kind, count: int) -> None:
        self.house = house
        self.facts = house.resources.facts(kind.noun)
        self._above = kind.refers.get(self.facts.parent) or kind.refers.get(f"{self.facts.parent}Equals", "")
        self._parents = [dict(self._ancestors(kind, word)) for word in ("one", "two")]
        self._born = 0
        made = [self._made(number) for number in range(count)]
        for number in sorted(range(count), key=lambda number: (number * 5) % count):
            house.clock.advance(float(number % 2))  # type: ignore[attr-defined]
            self._vary(made[number], number)
        self.known = [Known(*self.described(record)) for record in made]

    def described(self, record: Record) -> tuple[Record, Mapping[str, Any]]:
        """A record as it is now, and its Describe answer."""
        now = self.house.resources.get(record.kind, record.scope, record.key)
        answer = self.house.resources.describe(record.kind, self._call("Describe", self.named(record)))
        return now, answer[self.facts.derived.wrapper] if self.facts.derived.wrapper else answer

    def named(self, record: Record) -> dict[str, Any]:
        """The members of a request that name a record."""
        if len(self.facts.key) > 1:
            return dict(zip(self.facts.key, record.key.split("/"), strict=True))
        return {self.facts.key[0]: record.body.get(self.facts.key[0], record.key)}

    def above(self, member: str) -> str:
        """What the first records hang on."""
        return self._parents[0][self.facts.kind.refers[member]]

    def lose(self, which: Callable[[Known], bool]) -> Known:
        """Remove a record."""
        gone = next(known for known in self.known if which(known))
        self.house.resources.remove(*gone.record.place)
        self.known.remove(gone)
        return gone

    def gain(self, count: int) -> list[Known]:
        """Newcomers."""
        came = [Known(*self.described(self._made(self._born))) for _ in range(count)]
        self.known += came
        return came

    def _call(self, operation: str, params: Mapping[str, Any]) -> Call:
        return Call("sagemaker", operation, params, SCOPE)

    def _ancestors(self, kind: Kind, word: str) -> Iterator[tuple[str, str]]:
        for noun in sorted({above for member, above in kind.refers.items() if member not in kind.linked}):
            facts = self.house.resources.facts(noun)
            own = dict(self._ancestors(BY_NOUN[noun], word))
            params = _named(facts, request(facts, own), word)
            yield noun, self.house.resources.create(noun, self._call(f"Create{noun}", params)).key

    def _made(self, number: int) -> Record:
        self._born += 1
        self.house.clock.advance(float(number % 3))  # type: ignore[attr-defined]
        noun, parents = self.facts.kind.noun, self._parents[number // 2 % 2]
        params = _named(self.facts, request(self.facts, parents), f"{COLOURS[number % len(COLOURS)]}{number}")
        if (parent := self.facts.parent) in params:
            free = another(self.facts.derived.inputs("Create")[parent], parent, params[parent], number // 2 % 2)
            params[parent] = parents.get(self._above, free)
        return self.house.resources.create(noun, self._call(f"Create{noun}", params))

    def _vary(self, record: Record, number: int) -> None:
        facts, kept = self.facts, _kept(self.facts)
        required = ("Name", "DisplayName")
        statuses = facts.derived.answered[facts.status_member].enum if facts.status_member else ("",)

        def edit(now: Record) -> Record:
            body = {name: value for name, value in now.body.items() if name in kept}
            for name, shape in facts.derived.answered.items():
                if name not in kept and (name in required or number % 4 != 3):
                    given = now.body.get(name) or sample(shape, name)
                    body[name] = another(shape, name, given, number)
            return replace(now, body=body, status=statuses[number % len(statuses)], parent=_source(facts, body, now))

        self.house.resources.change(*record.place, edit)


def _named(facts: Facts, params: dict[str, Any], word: str) -> dict[str, Any]:
    """A request for a record of another name; the names of what it hangs on stay."""
    inputs = facts.derived.inputs("Create")
    for member in () if facts.minted else facts.key:
        if member not in facts.kind.refers:
            params[member] = text(inputs[member], word) if member in inputs and not inputs[member].enum else word
    return {name: value for name, value in params.items() if name not in ("ClientToken", "ClientRequestToken")}


def _source(facts: Facts, body: Mapping[str, Any], now: Record) -> str:
    """What a record hangs on: what its source says, where that is the parent."""
    source = body.get("Source")
    return source.get(facts.parent, now.parent) if isinstance(source, Mapping) else now.parent


def _kept(facts: Facts) -> set[str]:
    """Members of Describe that tell who a record is, and those that the house keeps itself."""
    derived = facts.derived
    times = {derived.created_member, derived.modified_member, facts.status_member, derived.arn_member}
    own = {*facts.key, *times, *facts.kind.refers, *facts.kind.follows, facts.parent, f"{facts.kind.noun}Version"}
    return own | _numbers(facts)


def _numbers(facts: Facts) -> set[str]:
    """The member that tells a record's version, where there are versions of it."""
    return {kind.versions.number for kind in KINDS if kind.versions and kind.versions.of == facts.kind.noun}


def another(shape: Any, name: str, value: Any, number: int) -> Any:
    """A value of the same shape that one record in three shares."""
    if shape.type_name == "structure" and isinstance(value, dict):
        return {n: another(shape.members[n], n, inner, number) for n, inner in value.items() if n in shape.members}
    if shape.type_name == "map":
        return {key: another(shape.value, name, inner, number) for key, inner in value.items()}
    if shape.type_name in ("integer", "long", "timestamp"):
        most = shape.metadata.get("max")
        return value + number % 3 if most is None or value + number % 3 <= most else value - number % 3
    if shape.type_name == "list":
        return [another(shape.member, f"{name}-{position}", inner, number) for position, inner in enumerate(value)]
    if shape.type_name == "boolean":
        return number % 2 == 0
    if shape.type_name == "integer" and name.endswith("Version"):
        return number % 3 + 1
    if shape.type_name == "string" and getattr(shape, "enum", None):
        return shape.enum[number % len(shape.enum)]
    wanted = f"{number % 3 + 1}.0" if name.endswith("Version") else f"{name.lower()}-{number % 3}"
    return text(shape, wanted) if shape.type_name == "string" else value
