"""The operations that the generic life answers, by name: what dispatch falls back on where no behaviour is declared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from emulator.call import Answer, Call
from emulator.errors import NotBuilt, Validation
from emulator.kinds.derive import list_member, operation
from emulator.kinds.kind import Kind
from emulator.resources import tokens
from emulator.resources.resources import Resources

Operation = Callable[[Call], Answer]
VERBS = ("Create", "Describe", "List", "Update", "Delete", "Start", "Stop")


def generic_operations(kinds: Iterable[Kind], resources: Resources) -> Mapping[str, Operation]:
    """Every operation of every kind that can be answered from its record alone; refusals of work included."""
    found: dict[str, Operation] = {
        "AddTags": resources.tags.add,
        "DeleteTags": resources.tags.delete,
        "ListTags": resources.tags.list,
    }
    for kind in kinds:
        for verb in VERBS:
            if name := operation(kind, verb):
                found[name] = _operation(kind, verb, resources)
        found |= {name: partial(_refuse_about, resources, kind.noun, reason) for name, reason in kind.refuses.items()}
        found |= {name: partial(_nothing, resources, kind.noun, member) for name, member in kind.empty.items()}
    return found


def refusal(kind: Kind, verb: str) -> str:
    """Why the generic life does not do this; "" when it does."""
    if kind.work and verb in ("Create", "Start"):
        return f"no engine here does the work of {kind.noun}"
    if kind.lifecycle and not kind.work and verb in ("Create", "Update", "Delete", "Start", "Stop"):
        return f"{kind.noun} is more than a record, and no behaviour is declared for this operation"
    return kind.without.get(verb, "")


def _operation(kind: Kind, verb: str, resources: Resources) -> Operation:
    if reason := refusal(kind, verb):
        return partial(_refuse, reason)
    if verb == "Create":
        return partial(_create, resources, kind.noun)
    methods: dict[str, Callable[[str, Call], dict[str, Any]]] = {
        "Describe": resources.describe,
        "List": resources.list,
        "Update": resources.update,
        "Delete": resources.delete,
        "Start": resources.start,
        "Stop": resources.stop,
    }
    return partial(methods[verb], kind.noun)


def _create(resources: Resources, noun: str, call: Call) -> Answer:
    facts = resources.facts(noun)
    unseen = facts.unshown(call.params)
    if unseen:
        raise NotBuilt(f"{call.operation} with {unseen[0]} is not built. Leave {unseen[0]} away. Nothing was created.")
    return resources.answer("Create", resources.create(noun, call))


def _refuse(reason: str, call: Call) -> Answer:
    raise NotBuilt(
        f"{call.operation} is not built: {reason}. Nothing was done. docs/coverage.md lists what every operation does."
    )


def _refuse_about(resources: Resources, noun: str, reason: str, call: Call) -> Answer:
    """An absent record is told first: nothing can be done to that anywhere."""
    facts = resources.facts(noun)
    named = "/".join(facts.values(call.params))
    own = facts.derived.arn_member
    by_arn = next((str(value) for name, value in call.params.items() if own and name.endswith(own)), "")
    if named.strip("/") or by_arn:
        resources.get(noun, call.scope, named if named.strip("/") else by_arn)
    return _refuse(reason, call)


def _nothing(resources: Resources, noun: str, member: str, call: Call) -> Answer:
    """An empty page: of a record that must exist, where the request names one."""
    if member and call.params.get(member):
        resources.get(noun, call.scope, call.params[member])
    if call.params.get("NextToken"):
        raise Validation(tokens.INVALID)
    return {list_member(call.service, call.operation): []}
