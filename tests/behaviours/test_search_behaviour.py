"""What search results show of other records, and of this moment: sources, endpoints, cards, times that grow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from emulator.behaviours import COMPUTED, SEARCHED
from emulator.call import Call, Scope
from emulator.clock import ManualClock
from emulator.house import House
from emulator.jobs.lifecycle import Job
from emulator.jobs.record import hidden_life
from emulator.resources.search import AFRESH, KEPT
from emulator.resources.search.searchable import NOUNS, WRAPPED, searchable

SCOPE = Scope("123456789012", "us-east-1")
ROLE = "arn:aws:iam::123456789012:role/SageletExecutionRole"


@pytest.fixture
def house() -> Iterator[House]:
    house = House.for_tests()
    yield house
    house.close()


def do(house: House, operation: str, **params: Any) -> dict[str, Any]:
    return dict(house.dispatch(Call("sagemaker", operation, params, SCOPE)))


def make(house: House, noun: str, extra: dict[str, Any], **params: Any) -> str:
    """A record of a kind whose Create is more than that; its ARN."""
    hidden = {"life": hidden_life(Job())} if noun.endswith("Job") else {}
    call = Call("sagemaker", f"Create{noun}", params, SCOPE)
    return house.resources.create(noun, call, extra=extra, hidden=hidden).arn


def search(house: House, resource: str, *given: str, **params: Any) -> list[dict[str, Any]]:
    if given:
        params["SearchExpression"] = {"Filters": [dict(zip(("Name", "Operator", "Value"), given, strict=False))]}
    found: list[dict[str, Any]] = do(house, "Search", Resource=resource, **params)["Results"]
    return found


def test_every_row_names_a_member_of_the_results_and_says_how_long_it_stays() -> None:
    resources = {noun: resource for resource, noun in NOUNS.items()}
    for noun, member, _, keeps in SEARCHED:
        shape = searchable(resources.get(noun, noun)).shape
        assert member in shape.members, (noun, member)
        assert keeps in (KEPT, AFRESH)
    assert not {noun for noun, _, _ in COMPUTED} & set(WRAPPED), "what is wrapped would need its growing members inside"


def test_a_trial_component_shows_the_job_that_it_came_from(house: House) -> None:
    job = make(
        house,
        "TrainingJob",
        {"TrainingTimeInSeconds": 7},
        TrainingJobName="job",
        RoleArn=ROLE,
        Tags=[{"Key": "team", "Value": "blue"}],
    )
    do(house, "CreateTrialComponent", TrialComponentName="by-hand")
    source = {"SourceArn": job, "SourceType": "SageMakerTrainingJob"}
    make(house, "TrialComponent", {"Source": source}, TrialComponentName="of-job")
    of_job = search(house, "ExperimentTrialComponent", "SourceDetail.TrainingJob.TrainingJobName", "Equals", "job")
    # The job gets one of its own, a little later
    (shown,) = [
        one["TrialComponent"]["SourceDetail"]
        for one in of_job
        if one["TrialComponent"]["TrialComponentName"] == "of-job"
    ]
    assert shown["SourceArn"] == job
    assert shown["TrainingJob"]["TrainingTimeInSeconds"] == 7
    assert shown["TrainingJob"]["Tags"] == [{"Key": "team", "Value": "blue"}]
    without = search(house, "ExperimentTrialComponent", "SourceDetail", "NotExists")
    assert [one["TrialComponent"]["TrialComponentName"] for one in without] == ["by-hand"]


def test_a_component_is_found_by_its_experiment_as_long_as_it_is_in_it(house: House) -> None:
    do(house, "CreateExperiment", ExperimentName="e")
    do(house, "CreateTrial", TrialName="t", ExperimentName="e")
    for name, rate in (("a", 0.3), ("b", 0.1), ("c", 0.2)):
        do(house, "CreateTrialComponent", TrialComponentName=name, Parameters={"rate": {"NumberValue": rate}})

    def names() -> list[str]:
        order = {"SortBy": "Parameters.rate", "SortOrder": "Ascending"}
        found = search(house, "ExperimentTrialComponent", "Parents.ExperimentName", "Equals", "e", **order)
        return [one["TrialComponent"]["TrialComponentName"] for one in found]

    assert names() == []
    for name in "ab":
        do(house, "AssociateTrialComponent", TrialComponentName=name, TrialName="t")
    assert names() == ["b", "a"]
    do(house, "DisassociateTrialComponent", TrialComponentName="b", TrialName="t")
    assert names() == ["a"]


def test_a_model_shows_its_endpoints_and_its_card(house: House) -> None:
    container = {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/x:1"}
    for name in ("used", "idle"):
        house.resources.create(
            "Model", Call("sagemaker", "CreateModel", {"ModelName": name, "PrimaryContainer": container}, SCOPE)
        )
    variant = {"VariantName": "a", "ModelName": "used", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    make(house, "EndpointConfig", {}, EndpointConfigName="config", ProductionVariants=[variant])
    make(house, "Endpoint", {}, EndpointName="endpoint", EndpointConfigName="config")
    content = {"model_overview": {"model_id": "used"}, "intended_uses": {"risk_rating": "High"}}
    do(house, "CreateModelCard", ModelCardName="card", ModelCardStatus="Draft", Content=json.dumps(content))
    (found,) = search(house, "Model", "Endpoints.EndpointName", "Equals", "endpoint")
    shown = found["Model"]
    assert shown["Model"]["ModelName"] == "used"
    assert [one["EndpointStatus"] for one in shown["Endpoints"]] == ["Creating"]
    assert (shown["ModelCard"]["ModelCardName"], shown["ModelCard"]["RiskRating"]) == ("card", "High")
    (idle,) = search(house, "Model", "ModelName", "Equals", "idle")
    assert set(idle["Model"]) == {"Model"}


def test_a_card_is_found_by_what_its_content_says(house: House) -> None:
    for name, content in (
        ("a", {"model_overview": {"model_id": "m"}}),
        ("b", {"intended_uses": {"risk_rating": "Low"}}),
        ("c", {}),
    ):
        do(house, "CreateModelCard", ModelCardName=name, ModelCardStatus="Draft", Content=json.dumps(content))
    assert [one["ModelCard"]["ModelCardName"] for one in search(house, "ModelCard", "ModelId", "Equals", "m")] == ["a"]
    assert [one["ModelCard"]["ModelCardName"] for one in search(house, "ModelCard", "RiskRating", "Equals", "Low")] == [
        "b"
    ]


def test_the_training_time_of_a_job_that_runs_is_that_of_now(house: House) -> None:
    clock = house.clock
    assert isinstance(clock, ManualClock)
    make(house, "TrainingJob", {"TrainingStartTime": clock.now()}, TrainingJobName="job", RoleArn=ROLE)
    longer = ("TrainingTimeInSeconds", "GreaterThan", "60")
    assert search(house, "TrainingJob", *longer) == []
    clock.advance(100)
    (found,) = search(house, "TrainingJob", *longer)
    assert found["TrainingJob"]["TrainingTimeInSeconds"] == 100


def test_a_reset_house_finds_nothing(house: House) -> None:
    do(house, "CreateExperiment", ExperimentName="e")
    assert len(search(house, "Experiment")) == 1
    house.reset()
    assert search(house, "Experiment") == []
    do(house, "CreateExperiment", ExperimentName="f")
    assert [one["Experiment"]["ExperimentName"] for one in search(house, "Experiment")] == ["f"]
