"""KINDS is a table of differences: complete, without redundancy, and understood by the derivation."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import botocore
import pytest

from emulator import spec
from emulator.kinds import KINDS, Kind
from emulator.kinds.derive import derive, list_member, operation, operation_names, words
from emulator.kinds.facts import Facts
from emulator.kinds.listing import parent_member
from emulator.kinds.moves import derived_moves

ALL = [kind.noun for kind in KINDS]
KNOWN = [kind for kind in KINDS if operation(kind, "Describe")]
"""An older botocore has not all the nouns of the table."""

NOUNS = [kind.noun for kind in KNOWN]
LISTED = [kind for kind in KINDS if operation(kind, "List")]
RECORDS = [kind for kind in KNOWN if not kind.work]
YOUNG = tuple(map(int, botocore.__version__.split(".")[:2])) >= (1, 44)
"""Whether the installed botocore knows every noun and operation of the table."""

PARTS_OF_OTHERS = {
    "ClusterEvent",
    "ClusterNode",
    "ClusterOperation",
    "JobSchemaVersion",
    "PipelineDefinitionForExecution",
    "TrainingPlanExtensionHistory",
}
"""Described nouns that are no records of their own: facets of a cluster, a pipeline..."""


def test_every_described_noun_is_a_kind_once() -> None:
    described = {name.removeprefix("Describe") for name in operation_names("sagemaker") if name.startswith("Describe")}
    nouns = {kind.noun for kind in KINDS if not Facts(kind).copied}
    assert described - PARTS_OF_OTHERS <= nouns
    assert len(ALL) == len(set(ALL))
    if YOUNG:
        assert nouns <= described, "a noun of the table that no botocore knows"


@pytest.mark.parametrize("kind", KNOWN, ids=NOUNS)
def test_nothing_is_declared_that_the_model_says_already(kind: Kind) -> None:
    derived, plain = derive(kind.noun), Kind(kind.noun)
    told = {"key": derived.key, "arn": derived.arn, "parent": parent_member(plain), "missing": derived.missing}
    told |= {"taken": derived.taken, "occupied": derived.occupied}
    if kind.lifecycle is not None:
        assert kind.lifecycle.member != derived.status_member
    redundant = [name for name, value in told.items() if getattr(kind, name) and getattr(kind, name) == value]
    redundant += [verb for verb, move in kind.moves.items() if derived_moves(plain).get(verb) == move]
    redundant += [name for name in kind.unshown if name in derived.answered]
    assert not redundant, f"{kind.noun} declares what is derived: {redundant}"
    for member, path in kind.listing.summary.items():
        assert derived.path(member) != (derived.path(path) or tuple(path.split(".")))


@pytest.mark.parametrize("kind", KNOWN, ids=NOUNS)
def test_what_is_declared_exists(kind: Kind) -> None:
    derived = derive(kind.noun)
    nouns = set(ALL)
    assert set(kind.refers.values()) <= nouns
    assert set(kind.linked) <= set(kind.refers), "links lead from or to what another record is named by"
    asked = {*derived.inputs("Create"), *derived.inputs("List")} or {*derived.inputs("Describe")}
    assert set(kind.refers) <= asked
    assert set(kind.merges) <= {kind.renamed.get(name, name) for name in derived.inputs("Update")}
    for path in kind.defaults:
        assert re.split(r"\[\]\.|\.", path)[0] in derived.answered
    for verb in kind.without:
        assert operation(kind, verb)
    known = operation_names(kind.service)
    assert not YOUNG or {*kind.refuses, *kind.empty} <= known
    for name, member in ((name, member) for name, member in kind.empty.items() if name in known):
        model = spec.load(kind.service).operation_model(name)
        assert list_member(kind.service, name)
        assert not member or member in model.input_shape.members
    if kind.versions is not None:
        described = {*derived.answered, *derived.inputs("Describe")}
        assert kind.versions.of in nouns
        assert kind.versions.number in described
        if "IncludedData" in derive("ModelCard").inputs("Describe"):  # aliases of pipelines are as young as that
            assert {kind.versions.alias, kind.versions.aliases} - {""} <= described
    assert not kind.bound or kind.refers[parent_member(kind)]
    given = {*derived.inputs("Create"), *derived.inputs("Update")}
    assert {*kind.renamed, *kind.unshown} <= given
    assert set(kind.renamed.values()) <= set(derived.answered)
    if kind.lifecycle is not None and derived.status_member:
        enum = derived.answered[derived.status_member].enum
        assert {kind.lifecycle.begin, *kind.lifecycle.settled, kind.lifecycle.failed} <= set(enum)


@pytest.mark.parametrize("kind", KNOWN, ids=NOUNS)
def test_the_model_tells_what_the_generic_life_needs(kind: Kind) -> None:
    facts = Facts(kind)
    assert facts.key
    assert facts.missing.code in ("ValidationException", "ResourceNotFound")
    assert facts.taken.code in ("ValidationException", "ResourceInUse", "ConflictException")
    assert {"{key}", "{name}", "{short}"} & set(re.findall(r"{\w+}", facts.arn))


@pytest.mark.parametrize("kind", KNOWN, ids=NOUNS)
def test_statuses_that_move_by_themselves_are_words_of_the_model(kind: Kind) -> None:
    facts = Facts(kind)
    if kind.moves:
        enum = set(facts.derived.answered[facts.status_member].enum)
        for verb, move in kind.moves.items():
            assert {move.via, move.to, *move.since} - {""} <= enum, verb
    ways: dict[str, set[str]] = {}
    for move in facts.moves.values():
        if move.via:
            ways.setdefault(move.via, set()).add(move.to)
    assert all(len(rests) == 1 for rests in ways.values()), "a record on its way knows where from its status alone"
    assert not set(facts.rests) & set(facts.rests.values()), "no record travels in a circle"


@pytest.mark.parametrize("kind", RECORDS, ids=[kind.noun for kind in RECORDS])
def test_a_record_has_an_arn_and_a_time_in_its_describe_answer(kind: Kind) -> None:
    derived = derive(kind.noun)
    assert derived.arn_member in derived.answered or kind.noun == "FeatureMetadata", "features have none"
    assert derived.created_member in derived.answered or kind.noun in RESERVATIONS


RESERVATIONS = {"TrainingPlan", "ReservedCapacity"}
"""They tell when they begin, not when they were made."""


@pytest.mark.parametrize("kind", LISTED, ids=[kind.noun for kind in LISTED])
def test_a_list_call_is_understood(kind: Kind) -> None:
    lister = Facts(kind).lister
    assert lister.answer
    assert lister.summary or lister.echoed
    if not kind.work:
        assert set(lister.unknown) - set(kind.listing.same) <= REFUSED_FILTERS | ANSWERED_FILTERS


REFUSED_FILTERS = {"ModelPackageType", "MinVersion", "MaxSchemaVersion", "CrossAccountFilterOption"}
"""They ask about other accounts, versions: what a single record does not know."""

ANSWERED_FILTERS = {"Filters"}
"""Lists of conditions: a behaviour reads them."""


@pytest.mark.parametrize(
    ("noun", "arn"),
    [
        ("TrainingJob", "training-job/{key}"),
        ("AutoMLJobV2", "automl-job/{key}"),
        ("Trial", "experiment-trial/{key}"),
        ("InferenceComponent", "inference-component/{key}"),
        ("DataQualityJobDefinition", "data-quality-job-definition/{key}"),
        ("EdgeDeploymentPlan", "edge-deployment/{key}"),
        ("ModelPackageGroup", "model-package-group/{key}"),
    ],
)
def test_arn_segments_come_from_the_model(noun: str, arn: str) -> None:
    assert derive(noun).arn == arn


def test_facts_of_the_service_that_clients_match_on() -> None:
    by_noun = {kind.noun: Facts(kind) for kind in KINDS}
    assert by_noun["Model"].missing.message == 'Could not find model "{arn}".'
    assert by_noun["Endpoint"].missing.message == 'Could not find endpoint "{arn}".'
    assert by_noun["EndpointConfig"].missing.message == 'Could not find endpoint configuration "{arn}".'
    assert by_noun["TrainingJob"].missing.message == "Requested resource not found."
    assert by_noun["InferenceComponent"].missing.message == 'Could not find inference component "{arn}".'
    assert by_noun["ModelPackage"].missing.message == "ModelPackage {arn} does not exist."
    assert by_noun["Model"].taken.message == 'Cannot create already existing model "{arn}".'
    for noun in ("Experiment", "Trial", "TrialComponent", "Artifact", "Action", "Context", "Pipeline"):
        assert by_noun[noun].taken.code == "ValidationException"
        assert "already exists" in by_noun[noun].taken.message


def test_nouns_are_worded_as_the_service_does() -> None:
    assert words("ModelPackageGroup") == "model package group"
    assert words("AutoMLJob") == "automl job"
    assert words("HumanTaskUi") == "human task ui"


def test_the_table_loads_without_the_models() -> None:
    code = "import sys, emulator.kinds; from emulator.spec import models; sys.exit(models.load.cache_info().currsize)"
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
