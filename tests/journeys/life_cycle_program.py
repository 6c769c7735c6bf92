"""The life of a record of every kind, lived through boto3 by a process of its own.

`python -m tests.journeys.life_cycle_program URL` prints one JSON document: which boto3 it was, the operations whose
effect was seen, and what went wrong. It goes by the table of kinds; what is particular to one is in
`life_cycle_differences`. The model of the installed botocore says which nouns there are.
"""

from __future__ import annotations

import json
import re
import sys
import time
import traceback
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import boto3
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from emulator.behaviours import OPERATIONS
from emulator.kinds import KINDS, Kind
from emulator.kinds.derive import fit
from emulator.kinds.facts import TOKENS, UNSEEN, Facts
from emulator.kinds.kind import Move
from emulator.resources.operations import refusal
from tests.journeys.life_cycle_differences import DIFFERENCES, Difference
from tests.journeys.life_cycle_world import World
from tests.kinds.samples import request, sample
from tests.kinds.texts import text

BY_NOUN = {kind.noun: kind for kind in KINDS}
SECONDS = 20.0
PAST, FUTURE = 1.0, 4_000_000_000.0
UNDER_WAY = ("InProgress",)
"""Of what an engine works at, whatever the table of kinds says."""

NOT_BUILT = "NotImplementedException"


class Life:
    """One record, from its creation to its end."""

    def __init__(self, world: World, kind: Kind, label: str = "life") -> None:
        self.world = world
        self.facts = Facts(kind)
        self.noun = kind.noun
        self.difference = DIFFERENCES.get(kind.noun, Difference())
        self.label = f"{label}-{kind.noun.lower()}"
        self.params: dict[str, Any] = {}
        self.answer: dict[str, Any] = {}

    # --- what it is ---------------------------------------------------------------------------------------------

    def made_up(self) -> dict[str, Any]:
        """The Create request: everything that Describe can show."""
        facts, inputs = self.facts, self.facts.derived.inputs("Create")
        nouns = {noun for member, noun in facts.kind.refers.items() if member in inputs}
        parents = {noun: self.world.parent(noun).name for noun in nouns}
        params = request(facts, parents)
        for member in facts.key:
            if member in inputs and member not in facts.kind.refers:
                params[member] = text(inputs[member], self.label)
        params = {name: value for name, value in params.items() if name not in (*TOKENS, *self.difference.leave)}
        return self.difference.request(self.world, params)

    @property
    def name(self) -> str:
        """By what other records refer to this one."""
        return str(self.key[self.facts.key[-1]])

    @property
    def key(self) -> dict[str, Any]:
        """The members that name the record in Describe."""
        found = {**self.params, **self.answer}
        own = self.arn.rpartition("/")[2]
        key = {member: found.get(member) or (self.arn if member.endswith("Arn") else own) for member in self.facts.key}
        versions = self.facts.kind.versions
        return {**key, versions.number: int(own)} if versions and self.difference.numbered else key

    def named(self, verb: str) -> dict[str, Any]:
        """The members by which an operation of another verb names the record."""
        inputs = self.facts.derived.inputs(verb)
        found = {member: value for member, value in self.key.items() if member in inputs}
        own = self.facts.derived.arn_member
        return found or {member: self.arn for member in (own, "ResourceArn") if member in inputs}

    @property
    def arn(self) -> str:
        """The ARN that Create answered."""
        arns = [value for member, value in self.answer.items() if member.endswith("Arn")]
        return str(arns[0]) if arns else ""

    def body(self) -> dict[str, Any]:
        """What Describe answers now."""
        answer = self.world.ask(self.facts.operation("Describe"), **self.key)
        return answer[self.facts.derived.wrapper] if self.facts.derived.wrapper else answer

    def wait(self, *ends: str) -> None:
        """Use each of botocore's waiters that ends well with one of these words or codes."""
        for name, good in self.world.waiters.get(self.facts.operation("Describe"), {}).items():
            if good & set(ends):
                waiter = self.world.client.get_waiter(xform_name(name))
                waiter.wait(**self.key, WaiterConfig={"Delay": 0.02, "MaxAttempts": 500})
                self.world.waited.add(name)

    # --- the steps ----------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Create."""
        self.params = self.made_up()
        self.answer = self.world.ask(self.facts.operation("Create"), **self.params)
        lifecycle = self.facts.kind.lifecycle
        self.wait(lifecycle.settled[0] if lifecycle else self.facts.moves.get("Create", Move()).to)

    def settle(self) -> dict[str, Any]:
        """The body once the status rests."""
        facts, end = self.facts, time.monotonic() + SECONDS
        while True:
            body = self.body()
            status = body.get(facts.status_member, "") if facts.status_member else ""
            lifecycle = facts.kind.lifecycle
            if status not in (*facts.rests, *UNDER_WAY) and (lifecycle is None or status in lifecycle.settled):
                assert lifecycle is None or status != lifecycle.failed, body.get("FailureReason")
                return body
            assert time.monotonic() < end, f"{self.noun} is still {status}"
            time.sleep(0.01)

    def check_description(self) -> None:
        """Describe shows what was asked for, under the ARN that Create answered."""
        body, facts = self.settle(), self.facts
        for name, value in self.params.items():
            member = facts.kind.renamed.get(name, name)
            if member in facts.derived.answered and member not in UNSEEN:
                shown = fit(facts.derived.answered[member], value)
                assert shown in ({}, [], None) or holds(body.get(member), shown), f"{member}: {body.get(member)}"
        if facts.derived.arn_member and self.arn:
            assert body[facts.derived.arn_member] == self.arn
        assert not facts.derived.created_member or body[facts.derived.created_member]
        self.prove("Create", "Describe")

    def check_tags(self) -> None:
        """Tags of Create are there; more are added, read, and taken away again."""
        ask, arn = self.world.ask, self.arn
        if "Tags" not in self.params or not arn:
            return
        given = self.params["Tags"]
        house = [tag for tag in ask("ListTags", ResourceArn=arn)["Tags"] if tag["Key"].startswith("sagelet:")]
        more = [{"Key": "size", "Value": "L"}]
        assert {tag["Key"] for tag in ask("AddTags", ResourceArn=arn, Tags=more)["Tags"]} >= {"size"}
        assert {tag["Key"]: tag["Value"] for tag in ask("ListTags", ResourceArn=arn)["Tags"]}["size"] == "L"
        ask("DeleteTags", ResourceArn=arn, TagKeys=["size"])
        assert sorted(map(str, ask("ListTags", ResourceArn=arn)["Tags"])) == sorted(map(str, given + house))
        self.world.proved |= {"ListTags", "AddTags", "DeleteTags"}

    def check_update(self) -> None:
        """Update changes what Describe shows, or is refused."""
        operation = self.facts.operation("Update")
        if not operation or self.is_refused("Update"):
            return
        self.make_ready("Update")
        params = self.difference.update(self.world, {**self.updates(), **self.named("Update")})
        self.world.ask(operation, **params)
        self.wait(self.facts.moves.get("Update", Move()).to)
        body = self.settle()
        for name, value in params.items():
            member = self.facts.kind.renamed.get(name, name)
            if member in self.facts.derived.answered and member not in self.facts.key:
                shown = fit(self.facts.derived.answered[member], value)
                assert shown in ({}, [], None) or holds(body.get(member), shown), f"{member}: {body.get(member)}"
        self.prove("Update")

    def updates(self) -> dict[str, Any]:
        """Other values than Create's for the members of Update that Describe shows."""
        found = {}
        for name, shape in self.facts.derived.inputs("Update").items():
            member = self.facts.kind.renamed.get(name, name)
            if member in self.facts.derived.answered and name not in (*self.facts.key, *self.facts.kind.refers):
                found[name] = sample(shape, "other")
        return {name: value for name, value in found.items() if name not in self.difference.leave}

    def make_ready(self, verb: str) -> None:
        """Bring the record into a status in which a verb is allowed."""
        since = self.facts.moves.get(verb, Move()).since
        if not since or self.settle()[self.facts.status_member] in since:
            return
        for other in ("Stop", "Start"):
            if self.facts.moves.get(other, Move()).to in since:
                self.world.ask(self.facts.operation(other), **self.named(other))
                assert self.settle()[self.facts.status_member] in since
                self.prove(other)
                return

    def check_stop_and_start(self) -> None:
        """Stop and Start lead where the table says."""
        for verb in ("Stop", "Start", "Stop"):
            operation, move = self.facts.operation(verb), self.facts.moves.get(verb)
            if operation and move and not self.is_refused(verb):
                self.world.ask(operation, **self.named(verb))
                self.wait(move.to)
                assert self.settle()[self.facts.status_member] == move.to
                self.prove(verb)

    def check_taken(self) -> None:
        """The same name a second time is the kind's error; kinds that make up their keys make another record."""
        operation = self.facts.operation("Create")
        if (self.facts.minted and not self.difference.unique) or self.difference.numbered:
            other = self.world.ask(operation, **self.params)
            assert other != self.answer
            return
        code, message = self.world.refused(operation, **self.params)
        expected = self.code("Create", self.facts.taken.code)
        assert code == expected, f"{operation} again: {code} {message}"

    def check_end(self) -> None:
        """Delete, and nobody finds it any more."""
        operation = self.facts.operation("Delete")
        if not operation or self.is_refused("Delete"):
            return
        self.make_ready("Delete")
        self.world.ask(operation, **self.named("Delete"))
        move = self.facts.moves.get("Delete", Move())
        if move.to:
            assert self.settle()[self.facts.status_member] == move.to
        else:
            self.wait(self.code("Describe", self.facts.missing.code))
            self.await_end()
        self.prove("Delete")

    def await_end(self) -> None:
        """Wait until Describe finds nothing."""
        end = time.monotonic() + SECONDS
        while True:
            try:
                self.body()
            except ClientError as error:
                assert error.response["Error"]["Code"] == self.code("Describe", self.facts.missing.code), error
                return
            assert time.monotonic() < end, f"{self.noun} is still there"
            time.sleep(0.01)

    # --- lists --------------------------------------------------------------------------------------------------

    def check_lists(self) -> None:
        """Every filter and every order of the list call, each by itself."""
        facts, operation = self.facts, self.facts.operation("List")
        if not operation:
            return
        body = self.settle()
        needed = self.needed(body)
        assert self.is_listed(needed), f"{operation} does not list it"
        for name, (finds, misses) in self.filters(body):
            for value, found in ((finds, True), (misses, False)):
                if value is not None:
                    listed = self.is_listed({**needed, name: value})
                    assert listed is found, f"{operation} with {name}={value!r}: {listed}"
        inputs = facts.derived.inputs("List")
        for name in ("SortBy", "SortOrder"):
            for value in inputs[name].enum if name in inputs else ():
                assert self.is_listed({**needed, name: value}), f"{operation} with {name}={value}"
        self.prove("List")

    def needed(self, body: dict[str, Any]) -> dict[str, Any]:
        """What a list call must be told: the parent's name."""
        model = self.facts.derived.model("List")
        required = model.input_shape.required_members if model and model.input_shape else ()
        known = {**body, **self.params, **self.difference.listing}
        return {name: known[name] for name in required}

    def filters(self, body: dict[str, Any]) -> Iterator[tuple[str, tuple[Any, Any]]]:
        """For each filter a value with which the record is listed, and one with which it is not."""
        for item in self.facts.lister.filters:
            if item.member in self.difference.unfiltered:
                continue
            value = self.target(body, item.target)
            if value is None:
                continue
            yield item.member, TESTS[item.test](value)

    def target(self, body: dict[str, Any], path: tuple[str, ...]) -> Any:
        """The value that a filter looks at."""
        if path == ("key",):
            return self.name
        if path == ("status",):
            return body[self.facts.status_member]
        if path in (("created",), ("modified",)):
            derived = self.facts.derived
            member = derived.created_member if path == ("created",) else derived.modified_member
            return body.get(member or derived.created_member)
        path = (self.facts.parent,) if path == ("parent",) else path
        value: Any = {**self.params, **body}
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value if isinstance(value, (str, int, float, datetime)) else None

    def is_listed(self, params: dict[str, Any]) -> bool:
        """Whether any page of a listing shows the record."""
        operation, token = self.facts.operation("List"), {}
        while True:
            answer = self.world.ask(operation, **params, **token)
            if any(self.is_me(summary) for summary in answer[self.facts.lister.answer]):
                return True
            if "NextToken" not in answer:
                return False
            token = {"NextToken": answer["NextToken"]}

    def is_me(self, summary: Any) -> bool:
        values = summary.values() if isinstance(summary, dict) else [summary]
        return bool({self.arn, *self.key.values()} & {value for value in values if isinstance(value, str)})

    # --- what is said of it -------------------------------------------------------------------------------------

    def is_refused(self, verb: str) -> bool:
        """Whether nothing here does what a verb says, though the operation exists."""
        if verb in self.difference.skip:
            return True
        behaves = ("sagemaker", self.facts.operation(verb)) in {(service, name) for service, name, _ in OPERATIONS}
        return not behaves and bool(refusal(self.facts.kind, verb))

    def code(self, verb: str, code: str) -> str:
        """The code of a kind's error, as an operation may tell it."""
        model = self.facts.derived.model(verb)
        modelled = {name for shape in model.error_shapes for name in (shape.name, shape.error_code)} if model else set()
        return code if code in modelled else "ValidationException"

    def prove(self, *verbs: str) -> None:
        """Remember that the effect of operations was seen."""
        self.world.proved |= {self.facts.operation(verb) for verb in verbs if self.facts.operation(verb)}

    def live(self) -> None:
        """All of it."""
        self.begin()
        self.check_description()
        self.check_lists()
        self.check_tags()
        self.check_taken()
        self.check_stop_and_start()
        self.check_update()
        self.check_end()


def _times(value: Any, after: bool) -> tuple[Any, Any]:
    moment = value.timestamp() if isinstance(value, datetime) else float(value)
    return (moment - 60, FUTURE) if after else (moment + 60, PAST)


TESTS: dict[str, Any] = {
    "equals": lambda value: (value, None),
    "contains": lambda value: (re.findall("[a-zA-Z0-9]{2,}", value)[-1], "zzz-nobody"),
    "starts": lambda value: (value[:3], "zzz"),
    "after": lambda value: _times(value, True),
    "before": lambda value: _times(value, False),
}
"""For each test of a filter: from the value of the record, one that finds it and one that does not."""


def holds(shown: Any, given: Any) -> bool:
    """Whether what Describe shows has all that was given; it may have more, as defaults."""
    if isinstance(given, dict):
        return isinstance(shown, dict) and all(holds(shown.get(k), v) for k, v in given.items() if v not in ({}, []))
    if isinstance(given, list):
        return isinstance(shown, list) and len(shown) == len(given) and all(map(holds, shown, given))
    if isinstance(shown, datetime):
        return abs(shown.timestamp() - float(given)) < 0.01
    return bool(shown == given)


def where(error: BaseException) -> str:
    """The step in which something went wrong."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == __file__]
    return " > ".join(f"{frame.name}:{frame.lineno}" for frame in frames[-3:])


def refusals(world: World, kind: Kind) -> None:
    """Creating what would be work is refused by name."""
    life = Life(world, kind)
    operation = life.facts.operation("Create")
    code, message = world.refused(operation, **sample(life.facts.derived.model("Create").input_shape, everything=0))
    assert code in (NOT_BUILT, *REFERRING) and (code != NOT_BUILT or operation in message), f"{code} {message}"


REFERRING = ("ValidationException", "ResourceNotFound")
"""What a request that names something absent is told before anything else."""


def begun(world: World, noun: str) -> Life:
    """The life of a record that others refer to."""
    life = Life(world, BY_NOUN[noun], "parent")
    life.begin()
    life.settle()
    return life


def main(url: str) -> None:
    """Live every life, each in an account of its own; print what came of it."""
    world = World(url, begun)
    problems: dict[str, str] = {}
    for number, kind in enumerate(KINDS):
        began = time.monotonic()
        world.move(f"{700_000_000_000 + number}")
        life = Life(world, kind)
        if not life.facts.operation("Create") or not life.facts.operation("Describe"):
            continue
        try:
            refusals(world, kind) if life.is_refused("Create") else life.live()
        except (AssertionError, BotoCoreError, ClientError, LookupError) as error:
            problems[kind.noun] = f"{where(error)}: {type(error).__name__}: {error}"[:700]
        print(f"{kind.noun} {time.monotonic() - began:.2f} s", file=sys.stderr)
    unused = {name for waiters in world.waiters.values() for name in waiters} - world.waited
    told = {"boto3": boto3.__version__, "proved": sorted(world.proved), "problems": problems, "unused": sorted(unused)}
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main(sys.argv[1])
