"""Training plans: offerings that say in their ids what they are, and plans that begin and end by the clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

from emulator.errors import InUse, NotFound, Validation
from tests.behaviours.houses import ROLE, Caller, caller

DAY = 86400.0


@pytest.fixture
def sagemaker() -> Iterator[Caller]:
    with caller() as made:
        yield made


def at(sagemaker: Caller, days: float) -> datetime:
    return datetime.fromtimestamp(sagemaker.house.clock.now() + days * DAY, timezone.utc)


def search(sagemaker: Caller, **params: Any) -> list[dict[str, Any]]:
    asked = {"InstanceType": "ml.p5.48xlarge", "InstanceCount": 2, "DurationHours": 30, **params}
    found: list[dict[str, Any]] = sagemaker.do("SearchTrainingPlanOfferings", **asked)["TrainingPlanOfferings"]
    return found


def plan(sagemaker: Caller, name: str = "p", **params: Any) -> str:
    offering = search(sagemaker, **params)[0]["TrainingPlanOfferingId"]
    made = sagemaker.do("CreateTrainingPlan", TrainingPlanName=name, TrainingPlanOfferingId=offering)
    return str(made["TrainingPlanArn"])


def test_an_offering_is_computed_from_the_search_and_has_no_price(sagemaker: Caller) -> None:
    found = search(sagemaker)
    assert found == search(sagemaker)
    assert found[0]["TrainingPlanOfferingId"] == "tpo-p5-48xlarge-2-48h-0-training-job"
    assert (found[0]["DurationHours"], found[0]["TargetResources"]) == (48, ["training-job"])
    capacity = found[0]["ReservedCapacityOfferings"][0]
    assert (capacity["InstanceType"], capacity["InstanceCount"]) == ("ml.p5.48xlarge", 2)
    assert capacity["EndTime"] - capacity["StartTime"] == 2 * DAY
    assert not {"UpfrontFee", "CurrencyCode"} & set(found[0])
    assert "AvailabilityZone" not in capacity


def test_what_is_not_offered_is_an_empty_list(sagemaker: Caller) -> None:
    assert search(sagemaker, InstanceCount=3) == []
    assert search(sagemaker, DurationHours=183 * 24) == []
    assert search(sagemaker, StartTimeAfter=at(sagemaker, 1), EndTimeBefore=at(sagemaker, 2)) == []
    assert search(sagemaker, InstanceType=None, UltraServerType="ml.u-p6e-gb200x72") == []
    two = search(sagemaker, TargetResources=["training-job", "hyperpod-cluster"])
    assert [offering["TargetResources"] for offering in two] == [["training-job"], ["hyperpod-cluster"]]
    with pytest.raises(Validation, match="needs an InstanceType"):
        sagemaker.do("SearchTrainingPlanOfferings", DurationHours=24)


def test_a_plan_is_scheduled_then_active_then_expired(sagemaker: Caller) -> None:
    plan(sagemaker, StartTimeAfter=at(sagemaker, 1), DurationHours=24)

    def describe() -> dict[str, Any]:
        return dict(sagemaker.do("DescribeTrainingPlan", TrainingPlanName="p"))

    assert describe()["Status"] == "Pending"
    sagemaker.wait(2)
    told = describe()
    assert (told["Status"], told["TotalInstanceCount"], told["AvailableInstanceCount"]) == ("Scheduled", 2, 2)
    assert told["EndTime"] - told["StartTime"] == DAY
    summary = told["ReservedCapacitySummaries"][0]
    capacity = {"ReservedCapacityArn": summary["ReservedCapacityArn"]}
    assert sagemaker.do("DescribeReservedCapacity", **capacity)["Status"] == summary["Status"] == "Scheduled"
    sagemaker.wait(DAY)
    assert describe()["Status"] == "Active"
    assert describe()["ReservedCapacitySummaries"][0]["Status"] == "Active"
    sagemaker.wait(DAY)
    assert describe()["Status"] == "Expired"
    told = sagemaker.do("DescribeReservedCapacity", **capacity)
    assert (told["Status"], told["InstanceType"], told["TotalInstanceCount"]) == ("Expired", "ml.p5.48xlarge", 2)
    assert sagemaker.do("ListUltraServersByReservedCapacity", **capacity) == {"UltraServers": []}


def test_a_plan_without_a_start_begins_at_once(sagemaker: Caller) -> None:
    plan(sagemaker)
    sagemaker.wait(2)
    assert sagemaker.do("DescribeTrainingPlan", TrainingPlanName="p")["Status"] == "Active"


@pytest.mark.parametrize(
    "name",
    ["tpo-1", "tpo-p5-48xlarge-3-48h-0-training-job", "tpo-p5-48xlarge-2-47h-0-training-job", "tpo-x-2-48h-0-endpoint"],
)
def test_an_id_that_no_search_answers_is_no_offering(sagemaker: Caller, name: str) -> None:
    with pytest.raises(NotFound, match=f"Could not find training plan offering '{name}'"):
        sagemaker.do("CreateTrainingPlan", TrainingPlanName="p", TrainingPlanOfferingId=name)


def test_names_are_taken_once_and_what_is_over_is_no_longer_offered(sagemaker: Caller) -> None:
    offering = search(sagemaker, StartTimeAfter=at(sagemaker, 1))[0]["TrainingPlanOfferingId"]
    params = {"TrainingPlanName": "p", "TrainingPlanOfferingId": offering}
    sagemaker.do("CreateTrainingPlan", **params)
    with pytest.raises(InUse, match="already exists"):
        sagemaker.do("CreateTrainingPlan", **params)
    with pytest.raises(Validation, match="SpareInstanceCountPerUltraServer"):
        sagemaker.do("CreateTrainingPlan", **params, SpareInstanceCountPerUltraServer=1)
    sagemaker.wait(4 * DAY)
    with pytest.raises(NotFound, match="Could not find training plan offering"):
        sagemaker.do("CreateTrainingPlan", **{**params, "TrainingPlanName": "q"})
    with pytest.raises(NotFound, match="does not exist"):
        sagemaker.do("DescribeTrainingPlan", TrainingPlanName="q")


def test_plans_are_listed_by_status_start_and_name(sagemaker: Caller) -> None:
    for name, days in (("b", 3.0), ("a", 1.0), ("c", 2.0)):
        plan(sagemaker, name, StartTimeAfter=at(sagemaker, days), DurationHours=24)
    sagemaker.wait(1.5 * DAY)

    def names(**params: Any) -> list[str]:
        listed = sagemaker.pages("ListTrainingPlans", "TrainingPlanSummaries", MaxResults=2, **params)
        return [summary["TrainingPlanName"] for summary in listed]

    assert names() == ["b", "c", "a"]
    assert names(SortBy="TrainingPlanName", SortOrder="Ascending") == ["a", "b", "c"]
    assert names(Filters=[{"Name": "Status", "Value": "Active"}]) == ["a"]
    assert names(SortBy="Status", SortOrder="Ascending") == ["a", "b", "c"]
    assert names(StartTimeAfter=at(sagemaker, 0.2)) == ["b", "c"]
    assert names(StartTimeAfter=at(sagemaker, 0.2), StartTimeBefore=at(sagemaker, 1)) == ["c"]


def test_a_cluster_takes_instances_of_a_plan(sagemaker: Caller) -> None:
    arn = plan(sagemaker, TargetResources=["hyperpod-cluster"])
    other = plan(sagemaker, "q")
    group = {"InstanceGroupName": "g", "InstanceCount": 1, "ExecutionRole": ROLE, "InstanceType": "ml.p5.48xlarge"}
    sagemaker.wait(2)
    with pytest.raises(Validation, match="is not for hyperpod-cluster"):
        sagemaker.do("CreateCluster", ClusterName="c", InstanceGroups=[{**group, "TrainingPlanArn": other}])
    with pytest.raises(Validation, match=r"reserves ml\.p5\.48xlarge only"):
        wrong = {**group, "InstanceType": "ml.m5.large", "TrainingPlanArn": arn}
        sagemaker.do("CreateCluster", ClusterName="c", InstanceGroups=[wrong])
    sagemaker.do("CreateCluster", ClusterName="c", InstanceGroups=[{**group, "TrainingPlanArn": arn}])
    told = sagemaker.do("DescribeTrainingPlan", TrainingPlanName="p")
    assert (told["InUseInstanceCount"], told["AvailableInstanceCount"]) == (1, 1)
    shown = sagemaker.do("DescribeCluster", ClusterName="c")["InstanceGroups"][0]
    assert (shown["TrainingPlanArn"], shown["TrainingPlanStatus"]) == (arn, "Active")
    listed = sagemaker.do("ListClusters", TrainingPlanArn=arn)["ClusterSummaries"]
    assert [summary["TrainingPlanArns"] for summary in listed] == [[arn]]
    assert sagemaker.do("ListClusters", TrainingPlanArn=other)["ClusterSummaries"] == []


def test_a_plan_is_extended_by_what_is_offered_to_follow_on_it(sagemaker: Caller) -> None:
    arn = plan(sagemaker, DurationHours=24)
    sagemaker.wait(2)
    found = sagemaker.do("SearchTrainingPlanOfferings", TrainingPlanArn=arn, DurationHours=30)
    assert found["TrainingPlanOfferings"] == []
    offering = found["TrainingPlanExtensionOfferings"][0]
    end = sagemaker.do("DescribeTrainingPlan", TrainingPlanName="p")["EndTime"]
    assert (offering["StartDate"], offering["DurationHours"]) == (end, 48)
    wanted = {"TrainingPlanExtensionOfferingId": offering["TrainingPlanExtensionOfferingId"]}
    extended = sagemaker.do("ExtendTrainingPlan", **wanted)["TrainingPlanExtensions"]
    assert [(one["Status"], one["EndDate"]) for one in extended] == [("Scheduled", end + 2 * DAY)]
    assert "PaymentStatus" not in extended[0]
    told = sagemaker.do("DescribeTrainingPlan", TrainingPlanName="p")
    assert (told["EndTime"], told["DurationHours"]) == (end + 2 * DAY, 72)
    capacity = told["ReservedCapacitySummaries"][0]["ReservedCapacityArn"]
    assert sagemaker.do("DescribeReservedCapacity", ReservedCapacityArn=capacity)["EndTime"] == end + 2 * DAY
    with pytest.raises(NotFound, match="no longer there"):
        sagemaker.do("ExtendTrainingPlan", **wanted)
    history = sagemaker.do("DescribeTrainingPlanExtensionHistory", TrainingPlanArn=arn)
    assert history["TrainingPlanExtensions"] == extended
    sagemaker.wait(4 * DAY)
    with pytest.raises(Validation, match=r"is Expired\. Only Active and Scheduled plans"):
        sagemaker.do("SearchTrainingPlanOfferings", TrainingPlanArn=arn)
    with pytest.raises(NotFound):
        sagemaker.do("ExtendTrainingPlan", TrainingPlanExtensionOfferingId="tpeo-none-1-24h")
