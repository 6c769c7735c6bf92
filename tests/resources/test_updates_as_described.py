"""Every member of every Update request, given alone: Describe shows it, and everything else as it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from emulator.call import Call
from emulator.house import House
from emulator.kinds import KINDS
from emulator.kinds.derive import fit
from emulator.kinds.facts import TOKENS, Facts
from emulator.store.records import Record
from tests.kinds.samples import sample
from tests.resources.population import SCOPE, Population, another

UPDATED = [
    facts
    for facts in map(Facts, KINDS)
    if facts.operation("Update")
    and facts.operation("Create")
    and not (facts.kind.work or facts.kind.lifecycle or facts.kind.versions or facts.kind.without)
]

RUNS_AS = {"ExecutionRole": "arn:aws:iam::123456789012:role/Other"}

GIVEN: Mapping[tuple[str, str], Any] = {
    ("NotebookInstance", "VolumeSizeInGB"): 100,
    ("NotebookInstance", "DefaultCodeRepository"): "https://example.com/one",
    ("NotebookInstance", "AdditionalCodeRepositories"): ["https://example.com/two"],
    ("Domain", "DefaultUserSettings"): RUNS_AS,
    ("Domain", "DefaultSpaceSettings"): RUNS_AS,
    ("UserProfile", "UserSettings"): RUNS_AS,
    ("Space", "SpaceSettings"): {"RemoteAccess": "ENABLED"},
    ("PartnerApp", "AuthType"): "IAM",
}
"""Values that are checked further than the model says."""

NEEDED = {"TargetVersion": 1}
"""What some requests must give beside what they change."""

OTHERWISE = {
    "Tags": "ListTags shows them",
    "ToRemove": "they take away",
    "ToAdd": "they add to a list",
    "DeleteProperties": "it takes away",
    "Disassociate": "test_notebooks",
    "LifecycleConfigName": "test_notebooks",
    "AppVersion": "there is none to go to: test_mlflow_projects",
    "IdcConfig": "it goes with an AuthType: test_mlflow_projects",
    "ServiceCatalogProvisioningUpdateDetails": "test_mlflow_projects",
    "TemplateProvidersToUpdate": "test_mlflow_projects",
    "DefaultDomainIdList": "domains that exist: test_mlflow_projects",
    "MemberDefinitions": "test_people",
    "OidcConfig": "test_people",
    "HomeEfsFileSystemCreation": "it is not taken back: test_studio",
    "DomainSettingsForUpdate": "test_studio",
    "PipelineDefinition": "it makes a version: test_pipeline_records",
    "EnableIotRoleAlias": "it makes a role alias",
    "ModelCard.Content": "it follows a schema: test_model_cards",
    "MonitoringSchedule.": "what it watches must exist: test_monitoring_records",
    "Cluster.": "test_clusters",
    "FeatureGroup.": "test_feature_groups",
    "HubContent.": "it is a version that is updated: test_hubs",
    "PipelineVersionAliases": "they come with a definition: test_pipeline_records",
    "TargetVersion": "it tells which version is meant",
}
"""Parts of names of members that do something else, or are checked further, and where that is looked at."""


def members(facts: Facts) -> Iterator[str]:
    for name in facts.derived.inputs("Update"):
        whole = f"{facts.kind.noun}.{name}"
        if name not in (*facts.key, *TOKENS) and not any(part in whole for part in OTHERWISE):
            yield name


CASES = [(facts, member) for facts in UPDATED for member in members(facts)]


@pytest.fixture
def house() -> Iterator[House]:
    house = House.for_tests()
    yield house
    house.close()


def required(facts: Facts) -> list[str]:
    model = facts.derived.model("Update")
    return list(model.input_shape.required_members) if model and model.input_shape else []


def ready(house: House, facts: Facts) -> tuple[Population, Record]:
    """A new record in a status in which it can be updated."""
    population = Population(house, facts.kind, 0)
    record = population.gain(1)[0].record
    move = facts.moves.get("Update")
    if move is not None and move.since:
        record = house.resources.change(*record.place, lambda now: replace(now, status=move.since[0]))
    return population, record


def other_value(facts: Facts, member: str, described: Mapping[str, Any]) -> Any:
    """A value that a record has not."""
    if (facts.kind.noun, member) in GIVEN:
        return GIVEN[facts.kind.noun, member]
    shape, there = facts.derived.inputs("Update")[member], described.get(member)
    values = [another(shape, member, sample(shape, member), number) for number in range(5)]
    return next(value for value in values if value != there and value not in ({}, []))


def holds(facts: Facts, member: str, shown: Any, given: Any) -> bool:
    """Whether what Describe shows is what was given; maps that an update adds to hold it and more."""
    wanted = fit(facts.derived.answered[member], given)
    if member in facts.kind.merges:
        return isinstance(shown, Mapping) and all(shown.get(name) == value for name, value in wanted.items())
    return bool(shown == wanted)


@pytest.mark.parametrize(("facts", "member"), CASES, ids=[f"{facts.kind.noun}-{member}" for facts, member in CASES])
def test_describe_shows_an_update_and_nothing_else_is_changed(house: House, facts: Facts, member: str) -> None:
    population, record = ready(house, facts)
    _, before = population.described(record)
    value = other_value(facts, member, before)
    house.clock.advance(1)  # type: ignore[attr-defined]
    needed = {name: before.get(name) or NEEDED[name] for name in required(facts) if name in before or name in NEEDED}
    given = {**needed, **population.named(record), member: value}
    house.dispatch(Call("sagemaker", facts.operation("Update"), given, SCOPE))
    _, after = population.described(record)
    assert holds(facts, member, after.get(member), value)
    own = {member, f"{facts.kind.noun}Version", facts.derived.modified_member, facts.status_member, *facts.kind.follows}
    assert {name: item for name, item in after.items() if name not in own} == {
        name: item for name, item in before.items() if name not in own
    }
    if facts.derived.modified_member:
        assert after[facts.derived.modified_member] > before[facts.derived.modified_member]
