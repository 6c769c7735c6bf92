"""Every kind lives the generic life: create, describe, list, delete, with requests made from the model."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from emulator.errors import CallerFault, NotBuilt
from emulator.kinds import KINDS, Kind
from emulator.kinds.derive import fit
from emulator.kinds.facts import TOKENS, UNSEEN, Facts
from emulator.kinds.kind import Move
from emulator.resources.making import USERS, fill
from tests.kinds.samples import request
from tests.resources.conftest import SCOPE

BY_NOUN = {kind.noun: kind for kind in KINDS}
MADE = [kind for kind in KINDS if Facts(kind).operation("Create")]
WORK = [kind for kind in KINDS if kind.work and Facts(kind).operation("Create")]


def made(registry: Any, kind: Kind) -> tuple[Facts, dict[str, Any], Any]:
    """A record of a kind, after the records that it refers to."""
    facts = registry.resources.facts(kind.noun)
    named = {noun for member, noun in kind.refers.items() if member in facts.derived.inputs("Create")}
    parents = {noun: made(registry, BY_NOUN[noun])[2].key for noun in named}
    params = request(facts, parents)
    for member in () if facts.minted else facts.key:
        params.setdefault(member, "made-up")
    whole = parents[kind.versions.of] if kind.versions else ""
    return facts, params, create(registry, facts, params, whole)


def create(registry: Any, facts: Facts, params: dict[str, Any], whole: str) -> Any:
    """A record of its own, or the next version of the whole where requests name versions by their numbers."""
    noun = facts.kind.noun
    if facts.numbers[0]:
        return registry.resources.create(noun, registry.call(f"Create{noun}", **params), version_of=whole)
    return registry.create(noun, **params)


def names(facts: Facts, record: Any, params: dict[str, Any]) -> dict[str, Any]:
    """The key members of a Describe or Delete request."""
    number, _ = facts.numbers
    if number:
        return {**{member: params[member] for member in facts.key}, number: record.body[number]}
    if len(facts.key) > 1:
        return {member: params[member] for member in facts.key}
    return {facts.key[0]: record.body.get(facts.key[0], record.key)}


@pytest.mark.parametrize("kind", MADE, ids=[kind.noun for kind in MADE])
def test_what_was_created_is_described_listed_tagged_and_deleted(registry: Any, kind: Kind) -> None:
    facts, params, record = made(registry, kind)
    key = names(facts, record, params)
    answer = registry.resources.describe(kind.noun, registry.call("Describe", **key))
    body = answer[facts.derived.wrapper] if facts.derived.wrapper else answer
    for name, value in params.items():
        if name in facts.derived.answered and name not in UNSEEN:
            shown = copy.deepcopy(fit(facts.derived.answered[name], value))
            fill({name: shown}, kind.defaults)
            assert shown in ({}, []) or body[name] == shown, name
    assert set(body) <= set(facts.derived.answered), "Describe answers only what the model knows"
    empty = {member for member, value in body.items() if value == {}}
    assert empty <= {*USERS, *kind.defaults}, "never an empty structure for what was not set"
    if facts.derived.arn_member:
        assert body[facts.derived.arn_member] == record.arn
    assert registry.resources.by_arn(record.arn) == record

    if facts.operation("List"):
        page = registry.resources.list(kind.noun, registry.call(f"List{kind.noun}s"))
        assert len(page[facts.lister.answer]) == 1
        assert page[facts.lister.answer][0] or kind.work
        assert "NextToken" not in page
    if "Tags" in params:
        assert registry.do("ListTags", ResourceArn=record.arn)["Tags"] == params["Tags"]

    delete = facts.moves.get("Delete", Move())
    if delete.since:  # it must be stopped first
        registry.resources.change(kind.noun, SCOPE, record.key, lambda now: replace(now, status=delete.since[0]))
    registry.resources.delete(kind.noun, registry.call("Delete", **key))
    if delete.to:
        answer = registry.resources.describe(kind.noun, registry.call("Describe", **key))
        assert answer[facts.status_member] == delete.to, "who is deleted stays to be seen for a while"
        return
    with pytest.raises(CallerFault) as gone:
        registry.resources.describe(kind.noun, registry.call("Describe", **key))
    assert gone.value.code == facts.missing.code
    assert registry.told[-1] == ("deleted", kind.noun, record.key)


@pytest.mark.parametrize("kind", MADE, ids=[kind.noun for kind in MADE])
def test_a_name_is_taken_once(registry: Any, kind: Kind) -> None:
    facts, params, record = made(registry, kind)
    params |= {token: "another" for token in TOKENS if token in params}
    if facts.minted or facts.numbers[0]:
        assert create(registry, facts, params, record.parent).key != record.key
        return
    with pytest.raises(CallerFault) as taken:
        registry.create(kind.noun, **params)
    assert taken.value.code == facts.taken.code
    name = record.key.rsplit("/", 1)[-1]
    assert taken.value.message == facts.taken.message.format(arn=record.arn, name=name, kind=kind.noun)


@pytest.mark.parametrize("kind", WORK, ids=[kind.noun for kind in WORK])
def test_work_without_an_engine_is_refused_and_leaves_nothing(registry: Any, kind: Kind) -> None:
    facts = registry.resources.facts(kind.noun)
    with pytest.raises(NotBuilt, match=f"Create{kind.noun} is not built"):
        registry.do(f"Create{kind.noun}", **request(facts, dict.fromkeys(kind.refers.values(), "x")))
    assert registry.told == []
    with pytest.raises(CallerFault) as absent:
        registry.do(f"Describe{kind.noun}", **dict.fromkeys(facts.key, "none"))
    assert absent.value.code == facts.missing.code
    listing = facts.operation("List")
    if listing and not set(facts.derived.inputs("List")) & set(kind.refers):
        assert registry.do(listing) == {facts.lister.answer: []}


def test_kinds_with_a_life_of_their_own_are_not_faked(registry: Any) -> None:
    for operation in ("CreateTrainingJob", "CreateTransformJob", "CreateEndpoint", "DeleteEndpoint"):
        with pytest.raises(NotBuilt, match=operation):
            registry.do(operation, EndpointName="e")
