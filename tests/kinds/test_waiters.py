"""botocore's waiters come to an end here: by words that records reach, or by the error of an absent one."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import UnknownServiceError
from botocore.loaders import create_loader

from emulator import spec
from emulator.behaviours import OPERATIONS
from emulator.kinds import KINDS
from emulator.kinds.facts import Facts
from emulator.resources.operations import refusal

BY_DESCRIBE = {facts.operation("Describe"): facts for facts in map(Facts, KINDS)}
ANSWERED = {name for _, name, _ in OPERATIONS}
REFUSED: frozenset[str] = frozenset()
"""Waiters of what nothing here can create."""

OLD = {"ResourceNotFoundException"}
"""What waiters of images expected before boto3 1.43, and no operation of the control plane models."""


def waiters() -> list[tuple[str, str, dict[str, Any]]]:
    """(service, name, waiter) of every SageMaker service."""
    found, loader = [], create_loader()
    for service in spec.SERVICES:
        try:
            model = loader.load_service_model(service, "waiters-2")
        except UnknownServiceError:
            continue
        found += [(service, name, waiter) for name, waiter in model["waiters"].items()]
    return found


def reached(facts: Facts) -> set[str]:
    """The words in which a record comes to rest."""
    settled = facts.kind.lifecycle.settled if facts.kind.lifecycle else ()
    return {move.to for move in facts.moves.values()} | set(settled)


def told(facts: Facts) -> str:
    """The code of Describe for a record that is absent."""
    modelled = facts.derived.errors("Describe")
    return facts.missing.code if facts.missing.code in modelled else "ValidationException"


def test_there_are_waiters() -> None:
    assert {service for service, _, _ in waiters()} == {"sagemaker"}, "others than these are shown here too"
    assert len(waiters()) >= 13


@pytest.mark.parametrize(("service", "name", "waiter"), waiters(), ids=[name for _, name, _ in waiters()])
def test_a_waiter_can_end_well_and_does_not_fail_on_the_way(service: str, name: str, waiter: dict[str, Any]) -> None:
    facts = BY_DESCRIBE[waiter["operation"]]
    refused = bool(refusal(facts.kind, "Create")) and facts.operation("Create") not in ANSWERED
    assert refused == (name in REFUSED)
    words, code = reached(facts), told(facts)
    good = [acceptor for acceptor in waiter["acceptors"] if acceptor["state"] == "success"]
    bad = [acceptor for acceptor in waiter["acceptors"] if acceptor["state"] == "failure"]
    for acceptor in good:
        if acceptor["matcher"] == "path":
            assert acceptor["argument"] == facts.status_member
            assert acceptor["expected"] in words
        else:
            assert acceptor["expected"] in {code, *OLD}
    enum = set(facts.derived.answered[facts.status_member].enum)
    failed = {acceptor["expected"] for acceptor in bad if acceptor["matcher"] == "path"}
    assert failed <= enum
    assert not failed & {move.via for move in facts.moves.values()}, "a record that is well passes no word of failure"
    if any(acceptor["matcher"] == "error" for acceptor in good):
        assert code not in {acceptor["expected"] for acceptor in bad}
