"""Answers about what nothing here makes, from the table in `emulator.kinds.elsewhere`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import NotBuilt, NotFound, Validation
from emulator.kinds.derive import list_member
from emulator.kinds.elsewhere import ELSEWHERE
from emulator.resources import tokens


def answer(rooms: Rooms, call: Call) -> Answer:
    """What is absent is told first, as anywhere; then what is missing here; what is left is an empty page."""
    said = ELSEWHERE[call.service][call.operation]
    for name in _named(call.params, said.member):
        if said.kind:
            rooms.resources.get(said.kind, call.scope, name)
        else:
            raise NotFound(f"{said.noun} {name} does not exist.")
    if said.refused:
        raise NotBuilt(
            f"{call.operation} is not built: {said.refused}. Nothing was done. docs/coverage.md lists what every "
            "operation does."
        )
    if call.params.get("NextToken"):
        raise Validation(tokens.INVALID)
    return {list_member(call.service, call.operation): []}


def _named(params: Mapping[str, Any], member: str) -> Iterator[str]:
    head, _, rest = member.partition("[].")
    if rest:
        for one in params.get(head) or ():
            yield from _named(one, rest)
    elif params.get(head):
        yield str(params[head])
