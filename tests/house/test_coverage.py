"""The ledger of coverage is up to date and honest: every operation has one state, and what runs is real code."""

from __future__ import annotations

import importlib
import re

import pytest

from emulator import spec
from emulator.behaviours import OPERATIONS
from tests.house.coverage_ledger import ROOT, VERSION, coverage, rows

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
    assert operation in spec.load(service).operation_names
    module, _, name = path.partition(":")
    assert callable(getattr(importlib.import_module(module), name))


def test_work_without_an_engine_is_refused_and_its_records_are_told_of_honestly() -> None:
    found = {name: (state, note) for name, state, note in rows("sagemaker")}
    assert found["CreateHyperParameterTuningJob"] == (
        "refused",
        "no engine here does the work of HyperParameterTuningJob",
    )
    assert found["DescribeHyperParameterTuningJob"][0] == "records"
    assert found["CreateLabelingJob"][0] == "refused"
    assert found["CreateTrainingJob"][0] == "runs"
