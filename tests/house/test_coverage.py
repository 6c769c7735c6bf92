"""The ledger of coverage is up to date and honest: every operation has one state, and what runs is real code."""

from __future__ import annotations

import importlib
import re

import botocore
import pytest

from emulator import spec
from emulator.behaviours import OPERATIONS
from tests.house import proofs
from tests.house.coverage_ledger import NO_BEHAVIOUR, ROOT, UNPROVED, VERSION, coverage, rows, state

YOUNG = tuple(map(int, botocore.__version__.split(".")[:2])) >= (1, 44)
"""Whether the installed botocore knows every operation that is declared."""

REMEDY = "run `python -m tests.house.coverage_ledger`"


def test_the_ledger_is_up_to_date() -> None:
    """To the letter for the botocore that it was written with; with another, for the operations that both know."""
    written, fresh = (ROOT / "docs" / "coverage.md").read_text(), coverage()
    if VERSION in written:
        assert written == fresh, REMEDY
        return
    known, now = (dict(re.findall(r"^\| (\w+) \| (\w+) \|", text, re.MULTILINE)) for text in (written, fresh))
    assert {name: now[name] for name in known if name in now} == {n: s for n, s in known.items() if n in now}, REMEDY


@pytest.mark.parametrize("service", spec.SERVICES)
def test_every_operation_has_one_state(service: str) -> None:
    found = [name for name, _, _ in rows(service)]
    assert sorted(found) == sorted(spec.load(service).operation_names)
    assert {state for _, state, _ in rows(service)} <= {"runs", "records", "refused"}


@pytest.mark.parametrize(("service", "operation", "path"), OPERATIONS)
def test_a_declared_behaviour_exists_in_the_model_and_in_code(service: str, operation: str, path: str) -> None:
    known = service in spec.SERVICES and operation in spec.load(service).operation_names
    assert known or not YOUNG
    module, _, name = path.partition(":")
    assert callable(getattr(importlib.import_module(module), name))


def test_whatever_is_answered_is_shown_by_a_journey_or_a_life() -> None:
    """Else the document says `refused`: mark a journey with `pytest.mark.proves`, or let the life of the kind do it."""
    unproved = [f"{service}.{name}" for service in spec.SERVICES for name, _, note in rows(service) if note == UNPROVED]
    assert unproved == []


def test_marks_and_lives_name_operations_that_are_answered() -> None:
    known = {
        name if service == "sagemaker" else f"{service}.{name}"
        for service in spec.SERVICES
        for name in spec.load(service).operation_names
    }
    shown = {*proofs.marks(), *proofs.lived()}
    assert not YOUNG or shown <= known
    assert not {name for name in shown & known if state(name)[0] == "refused"}


@pytest.mark.parametrize(
    ("source", "operations"),
    [
        ('@pytest.mark.proves("A", "s.B")\ndef test_x():\n    assert f()', {"A", "s.B"}),
        ('@pytest.mark.proves("A")\ndef test_x():\n    with pytest.raises(E):\n        f()', {"A"}),
        ('@pytest.mark.proves("A")\ndef test_x():\n    f()', set()),
        ("def test_x():\n    assert client.a()", set()),
    ],
)
def test_a_journey_proves_what_it_is_marked_with_if_it_asserts_anything(source: str, operations: set[str]) -> None:
    assert set(proofs.shown_in(source)) == operations


def test_work_without_an_engine_is_refused_and_its_records_are_told_of_honestly() -> None:
    found = {name: (state, note) for name, state, note in rows("sagemaker")}
    nothing = "no engine here does the work of HyperParameterTuningJob"
    assert found["CreateHyperParameterTuningJob"] == ("refused", nothing)
    assert found["DescribeHyperParameterTuningJob"] == ("refused", f"finds none: {nothing}")
    assert found["CreateTrainingJob"] == ("runs", proofs.link("test_training_journey.py"))
    assert found["DescribeTrainingJob"] == ("records", proofs.link(proofs.LIVES))
    assert {state for state, note in found.values() if note == NO_BEHAVIOUR} <= {"refused"}
