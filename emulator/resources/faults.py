"""Errors of a kind, worded: what a kind declares as data becomes the exception that is raised."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.errors import AccessDenied, CallerFault, Conflict, InUse, LimitExceeded, NotFound, Validation
from emulator.kinds.facts import Facts
from emulator.kinds.kind import Fault

FAULTS: Mapping[str, type[CallerFault]] = {
    fault.code: fault for fault in (Validation, NotFound, InUse, LimitExceeded, Conflict, AccessDenied)
}


def fault(error: Fault, facts: Facts, key: str, arn: str, **more: str) -> CallerFault:
    """The exception for an error of a kind, about the record of a key and ARN; `more` fills in what else it names."""
    parent, _, name = key.rpartition("/")
    message = error.message.format(arn=arn, name=name, parent=parent, kind=facts.kind.noun, **more)
    return FAULTS[error.code](message) if error.code in FAULTS else CallerFault(message, error.code)
