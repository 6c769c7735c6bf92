"""Feature groups as records: what they must be like, where their stores would be, what is added, what is found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from emulator.errors import CallerFault, InUse, LimitExceeded, NotBuilt, NotFound, Validation
from emulator.house import House
from tests.behaviours.houses import ROLE, Caller, caller

DEFINITIONS = [
    {"FeatureName": "id", "FeatureType": "Integral"},
    {"FeatureName": "at", "FeatureType": "String"},
    {"FeatureName": "age", "FeatureType": "Fractional"},
]
ONLINE = {"OnlineStoreConfig": {"EnableOnlineStore": True}}
OFFLINE = {"OfflineStoreConfig": {"S3StorageConfig": {"S3Uri": "s3://bucket/features/"}}}
CATALOG = {"TableName": "own_table", "Catalog": "AwsDataCatalog", "Database": "own"}


@pytest.fixture
def sagemaker() -> Iterator[Caller]:
    with caller() as made:
        yield made


def group(sagemaker: Caller, name: str = "g", **told: Any) -> str:
    given: dict[str, Any] = {
        "RecordIdentifierFeatureName": "id",
        "EventTimeFeatureName": "at",
        "FeatureDefinitions": DEFINITIONS,
        "RoleArn": ROLE,
        **(told if {"OnlineStoreConfig", "OfflineStoreConfig"} & set(told) else ONLINE | told),
    }
    return str(sagemaker.do("CreateFeatureGroup", FeatureGroupName=name, **given)["FeatureGroupArn"])


def offline(**more: Any) -> dict[str, Any]:
    return {"OfflineStoreConfig": {**OFFLINE["OfflineStoreConfig"], **more}}


def described(sagemaker: Caller, name: str = "g") -> dict[str, Any]:
    return dict(sagemaker.do("DescribeFeatureGroup", FeatureGroupName=name))


def feature(sagemaker: Caller, name: str, of: str = "g") -> dict[str, Any]:
    return dict(sagemaker.do("DescribeFeatureMetadata", FeatureGroupName=of, FeatureName=name))


def test_a_group_is_created_described_by_name_or_arn_and_deleted(sagemaker: Caller) -> None:
    arn = group(sagemaker, "Group-1", **OFFLINE, **ONLINE)
    assert arn == "arn:aws:sagemaker:eu-west-1:123456789012:feature-group/Group-1"
    assert described(sagemaker, "Group-1")["FeatureGroupStatus"] == "Creating"
    sagemaker.wait(2)
    told = described(sagemaker, arn)
    epoch = int(told["CreationTime"])
    where = f"s3://bucket/features/123456789012/sagemaker/eu-west-1/offline-store/Group-1-{epoch}/data"
    assert told["FeatureGroupStatus"] == "Created"
    assert told["OfflineStoreConfig"] == {
        "S3StorageConfig": {"S3Uri": "s3://bucket/features/", "ResolvedOutputS3Uri": where},
        "DisableGlueTableCreation": False,
        "DataCatalogConfig": {
            "TableName": f"group_1_{epoch}",
            "Catalog": "AwsDataCatalog",
            "Database": "sagemaker_featurestore",
        },
    }
    assert told["OfflineStoreStatus"] == {"Status": "Active"}
    assert told["ThroughputConfig"] == {"ThroughputMode": "OnDemand"}
    assert not {"OnlineStoreTotalSizeBytes", "LastUpdateStatus", "NextToken"} & set(told)
    sagemaker.do("DeleteFeatureGroup", FeatureGroupName="Group-1")
    assert described(sagemaker, "Group-1")["FeatureGroupStatus"] == "Deleting"
    sagemaker.wait(2)
    with pytest.raises(NotFound, match="can't find a FeatureGroup with name Group-1"):
        described(sagemaker, "Group-1")


def test_an_online_group_has_no_offline_store(sagemaker: Caller) -> None:
    group(sagemaker)
    told = described(sagemaker)
    assert told["OnlineStoreConfig"] == {"EnableOnlineStore": True}
    assert not {"OfflineStoreConfig", "OfflineStoreStatus"} & set(told)


def test_a_taken_name_is_refused_in_the_words_of_the_service(sagemaker: Caller) -> None:
    group(sagemaker)
    with pytest.raises(InUse, match=r"FeatureGroup with name g already exists\. Choose a different name\.\nInfo: Fe"):
        group(sagemaker)


def test_a_table_of_the_callers_is_named_as_given_and_none_is_named_where_none_is_wanted(sagemaker: Caller) -> None:
    group(sagemaker, "own", **offline(DataCatalogConfig=CATALOG, TableFormat="Iceberg"))
    assert described(sagemaker, "own")["OfflineStoreConfig"]["DataCatalogConfig"] == CATALOG
    theirs = {"TableName": "any-Table", "Catalog": "123456789012", "Database": "any-db"}
    group(sagemaker, "theirs", **offline(DataCatalogConfig=theirs, DisableGlueTableCreation=True))
    assert described(sagemaker, "theirs")["OfflineStoreConfig"]["DataCatalogConfig"] == theirs
    group(sagemaker, "none", **offline(DisableGlueTableCreation=True))
    assert "DataCatalogConfig" not in described(sagemaker, "none")["OfflineStoreConfig"]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"OnlineStoreConfig": {"EnableOnlineStore": False}}, "OnlineStore and OfflineStore cannot be both disabled"),
        ({"RecordIdentifierFeatureName": "name"}, "RecordIdentifierFeatureName name is not one of"),
        ({"EventTimeFeatureName": "name"}, "EventTimeFeatureName name is not one of"),
        ({"EventTimeFeatureName": "id"}, "must be String or Fractional"),
        (offline(TableFormat="Iceberg") | {"EventTimeFeatureName": "age"}, "With Iceberg it must be String"),
        (offline(TableFormat="Iceberg", DisableGlueTableCreation=True), "DisableGlueTableCreation must be False"),
        (offline(DataCatalogConfig={**CATALOG, "Catalog": "Own"}), "It must be AwsDataCatalog"),
        (offline(DataCatalogConfig={**CATALOG, "TableName": "own-table"}), "TableName own-table may have only"),
        (offline(DataCatalogConfig={**CATALOG, "Database": "Own"}), "Database Own may have only"),
        (
            {"FeatureDefinitions": [*DEFINITIONS, {"FeatureName": "age", "FeatureType": "String"}]},
            "age is defined more than once",
        ),
        (
            {"FeatureDefinitions": [*DEFINITIONS, {"FeatureName": "write_time", "FeatureType": "String"}]},
            "cannot be any of is_deleted, write_time",
        ),
        (
            {
                "OnlineStoreConfig": {"EnableOnlineStore": True, "StorageType": "InMemory"},
                "ThroughputConfig": {"ThroughputMode": "Provisioned"},
            },
            "not supported for the InMemory",
        ),
    ],
)
def test_what_the_model_cannot_express_is_checked(sagemaker: Caller, told: dict[str, Any], said: str) -> None:
    with pytest.raises(Validation, match=said):
        group(sagemaker, **told)
    assert sagemaker.do("ListFeatureGroups") == {"FeatureGroupSummaries": []}


VECTOR = {"FeatureName": "v", "FeatureType": "Fractional", "CollectionType": "Vector"}
IN_MEMORY = {"OnlineStoreConfig": {"EnableOnlineStore": True, "StorageType": "InMemory"}}


@pytest.mark.parametrize(
    ("definition", "store", "said"),
    [
        ({"FeatureName": "l", "FeatureType": "String", "CollectionType": "List"}, ONLINE, "InMemory StorageType"),
        (VECTOR, IN_MEMORY, "needs the FeatureType Fractional and a VectorConfig"),
        ({**VECTOR, "FeatureType": "String"}, IN_MEMORY, "FeatureType Fractional"),
    ],
    ids=["tier", "no dimension", "type"],
)
def test_collections_are_checked(sagemaker: Caller, definition: Any, store: Any, said: str) -> None:
    with pytest.raises(Validation, match=said):
        group(sagemaker, FeatureDefinitions=[*DEFINITIONS, definition], **store)


def test_collections_are_kept_as_they_are_given(sagemaker: Caller) -> None:
    definitions = [*DEFINITIONS, {**VECTOR, "CollectionConfig": {"VectorConfig": {"Dimension": 3}}}]
    group(sagemaker, FeatureDefinitions=definitions, **IN_MEMORY)
    assert described(sagemaker)["FeatureDefinitions"] == definitions


def test_one_feature_may_be_identifier_and_event_time(sagemaker: Caller) -> None:
    group(sagemaker, RecordIdentifierFeatureName="at")
    assert described(sagemaker)["RecordIdentifierFeatureName"] == "at"


def test_groups_are_listed_filtered_and_sorted(sagemaker: Caller) -> None:
    group(sagemaker, "b-offline", **OFFLINE)
    sagemaker.wait(3)
    group(sagemaker, "a-online")

    def listed(**asked: Any) -> list[str]:
        found = sagemaker.pages("ListFeatureGroups", "FeatureGroupSummaries", **asked)
        return [one["FeatureGroupName"] for one in found]

    assert listed() == ["a-online", "b-offline"]
    assert listed(SortBy="CreationTime", SortOrder="Ascending", MaxResults=1) == ["b-offline", "a-online"]
    assert listed(FeatureGroupStatusEquals="Creating") == listed(NameContains="online") == ["a-online"]
    assert listed(OfflineStoreStatusEquals="Active") == ["b-offline"]
    assert listed(OfflineStoreStatusEquals="Blocked") == []
    assert set(listed(SortBy="OfflineStoreStatus")) == {"a-online", "b-offline"}
    assert listed(CreationTimeBefore=sagemaker.house.clock.now() - 1) == ["b-offline"]
    summary = sagemaker.do("ListFeatureGroups", NameContains="offline")["FeatureGroupSummaries"][0]
    assert summary["OfflineStoreStatus"] == {"Status": "Active"}


def test_features_are_added_and_the_update_takes_its_time(sagemaker: Caller) -> None:
    arn = group(sagemaker)
    more = [{"FeatureName": "city", "FeatureType": "String"}]
    with pytest.raises(Validation, match="Creating"):
        sagemaker.do("UpdateFeatureGroup", FeatureGroupName="g", FeatureAdditions=more)
    sagemaker.wait(2)
    answer = sagemaker.do("UpdateFeatureGroup", FeatureGroupName=arn, FeatureAdditions=more)
    assert answer == {"FeatureGroupArn": arn}
    told = described(sagemaker)
    assert told["FeatureDefinitions"] == [*DEFINITIONS, *more]
    assert (told["LastUpdateStatus"], told["FeatureGroupStatus"]) == ({"Status": "InProgress"}, "Created")
    with pytest.raises(Validation, match="another update of FeatureGroup g is in progress"):
        sagemaker.do("UpdateFeatureGroup", FeatureGroupName="g", FeatureAdditions=[{**more[0], "FeatureName": "x"}])
    sagemaker.wait(2)
    assert described(sagemaker)["LastUpdateStatus"] == {"Status": "Successful"}
    with pytest.raises(Validation, match="city is defined more than once"):
        sagemaker.do("UpdateFeatureGroup", FeatureGroupName="g", FeatureAdditions=more)


def test_the_time_to_live_and_the_tier_of_an_online_store_are_updated(sagemaker: Caller) -> None:
    group(sagemaker)

    def update(**change: Any) -> dict[str, Any]:
        sagemaker.wait(2)
        sagemaker.do("UpdateFeatureGroup", FeatureGroupName="g", OnlineStoreConfig=change)
        return dict(described(sagemaker)["OnlineStoreConfig"])

    life = {"Unit": "Hours", "Value": 2}
    assert update(TtlDuration=life) == {"EnableOnlineStore": True, "TtlDuration": life}
    assert update(StorageType="Standard_V2")["StorageType"] == "Standard_V2"
    assert update(TtlDuration={}) == {"EnableOnlineStore": True, "StorageType": "Standard_V2"}
    with pytest.raises(Validation, match="cannot change from Standard_V2 to Standard"):
        update(StorageType="Standard")
    with pytest.raises(Validation, match="both Unit and Value"):
        update(TtlDuration={"Unit": "Hours"})


def test_throughput_is_updated(sagemaker: Caller) -> None:
    group(sagemaker)

    def update(**change: Any) -> dict[str, Any]:
        sagemaker.wait(2)
        sagemaker.do("UpdateFeatureGroup", FeatureGroupName="g", ThroughputConfig=change)
        return dict(described(sagemaker)["ThroughputConfig"])

    provisioned = {"ThroughputMode": "Provisioned", "ProvisionedReadCapacityUnits": 5}
    assert update(**provisioned) == provisioned
    assert update(ProvisionedWriteCapacityUnits=2) == {**provisioned, "ProvisionedWriteCapacityUnits": 2}
    assert update(ThroughputMode="OnDemand") == {"ThroughputMode": "OnDemand"}


def test_an_update_that_cannot_be_is_refused(sagemaker: Caller) -> None:
    group(sagemaker, **OFFLINE)
    sagemaker.wait(2)
    for change, said in (
        ({}, "one of FeatureAdditions"),
        ({"FeatureAdditions": [DEFINITIONS[0]], "ThroughputConfig": {"ThroughputMode": "OnDemand"}}, "at a time"),
        ({"OnlineStoreConfig": {"TtlDuration": {"Unit": "Hours", "Value": 2}}}, "has no OnlineStore"),
    ):
        with pytest.raises(Validation, match=said):
            sagemaker.do("UpdateFeatureGroup", FeatureGroupName="g", **change)
    with pytest.raises(NotFound):
        sagemaker.do("UpdateFeatureGroup", FeatureGroupName="other", FeatureAdditions=[DEFINITIONS[0]])
    assert "LastUpdateStatus" not in described(sagemaker)


def test_features_are_described_each_with_its_time(sagemaker: Caller) -> None:
    arn = group(sagemaker)
    made = described(sagemaker)["CreationTime"]
    assert feature(sagemaker, "age", of=arn) == {
        "FeatureGroupArn": arn,
        "FeatureGroupName": "g",
        "FeatureName": "age",
        "FeatureType": "Fractional",
        "CreationTime": made,
        "LastModifiedTime": made,
    }
    sagemaker.wait(5)
    added = [{"FeatureName": "city", "FeatureType": "String"}]
    sagemaker.do("UpdateFeatureGroup", FeatureGroupName="g", FeatureAdditions=added)
    assert feature(sagemaker, "city")["CreationTime"] == made + 5
    assert feature(sagemaker, "age")["CreationTime"] == made


def test_descriptions_and_parameters_of_features_are_changed(sagemaker: Caller) -> None:
    group(sagemaker)
    sagemaker.wait(3)

    def update(**change: Any) -> dict[str, Any]:
        told = sagemaker.do("UpdateFeatureMetadata", FeatureGroupName="g", FeatureName="age", **change)
        assert told == {}
        return feature(sagemaker, "age")

    first = {"Key": "team", "Value": "a"}
    told = update(Description="in years", ParameterAdditions=[first, {"Key": "unit", "Value": "y"}])
    assert (told["Description"], len(told["Parameters"])) == ("in years", 2)
    assert told["LastModifiedTime"] == told["CreationTime"] + 3
    told = update(ParameterAdditions=[{"Key": "team", "Value": "b"}], ParameterRemovals=["unit"])
    assert (told["Description"], told["Parameters"]) == ("in years", [{"Key": "team", "Value": "b"}])
    with pytest.raises(Validation, match="at most 25 parameters"):
        update(ParameterAdditions=[{"Key": f"k{number}", "Value": "v"} for number in range(25)])
    assert "Parameters" not in update(ParameterRemovals=["team"])


def test_absent_groups_and_features_are_told(sagemaker: Caller) -> None:
    with pytest.raises(NotFound, match="can't find a FeatureGroup with name g"):
        feature(sagemaker, "age")
    group(sagemaker)
    for operation in ("DescribeFeatureMetadata", "UpdateFeatureMetadata"):
        with pytest.raises(NotFound, match="can't find a Feature with name city in the FeatureGroup g"):
            sagemaker.do(operation, FeatureGroupName="g", FeatureName="city")


def test_features_go_with_their_group_and_a_new_one_has_its_own(sagemaker: Caller) -> None:
    group(sagemaker)
    sagemaker.do("UpdateFeatureMetadata", FeatureGroupName="g", FeatureName="age", Description="old")
    sagemaker.wait(2)
    sagemaker.do("DeleteFeatureGroup", FeatureGroupName="g")
    sagemaker.wait(2)
    group(sagemaker, FeatureDefinitions=DEFINITIONS[:2])
    with pytest.raises(NotFound, match="Feature with name age"):
        feature(sagemaker, "age")
    assert "Description" not in feature(sagemaker, "id")


def test_groups_and_features_are_found_by_a_search(sagemaker: Caller) -> None:
    group(sagemaker, "people")
    group(sagemaker, "places", FeatureDefinitions=DEFINITIONS[:2])
    sagemaker.do("UpdateFeatureMetadata", FeatureGroupName="people", FeatureName="age", Description="in years")

    def found(resource: str, **asked: str) -> list[Any]:
        filters = [{"Name": name, "Operator": "Equals", "Value": value} for name, value in asked.items()]
        answer = sagemaker.do("Search", Resource=resource, SearchExpression={"Filters": filters})
        return [one[resource] for one in answer["Results"]]

    (told,) = found("FeatureMetadata", FeatureName="age")
    assert (told["FeatureGroupName"], told["Description"]) == ("people", "in years")
    assert len(found("FeatureMetadata", FeatureGroupName="places")) == 2
    assert len(found("FeatureMetadata", FeatureType="Integral")) == 2
    assert [one["FeatureGroupName"] for one in found("FeatureGroup", FeatureGroupName="people")] == ["people"]


def test_a_group_of_the_most_features_has_a_record_for_each(sagemaker: Caller) -> None:
    many = [{"FeatureName": f"f{number}", "FeatureType": "String"} for number in range(2497)]
    group(sagemaker, FeatureDefinitions=[*DEFINITIONS, *many])
    assert feature(sagemaker, "f2496")["FeatureType"] == "String"
    sagemaker.wait(2)
    with pytest.raises(Validation, match="at most 2500"):
        more = [{"FeatureName": "one-more", "FeatureType": "String"}]
        sagemaker.do("UpdateFeatureGroup", FeatureGroupName="g", FeatureAdditions=more)
    sagemaker.do("DeleteFeatureGroup", FeatureGroupName="g")
    sagemaker.wait(2)
    assert sagemaker.do("Search", Resource="FeatureMetadata")["Results"] == []


RUNTIME = [
    ("PutRecord", {"FeatureGroupName": "g", "Record": [{"FeatureName": "id", "ValueAsString": "1"}]}),
    ("GetRecord", {"FeatureGroupName": "g", "RecordIdentifierValueAsString": "1"}),
    ("DeleteRecord", {"FeatureGroupName": "g", "RecordIdentifierValueAsString": "1", "EventTime": "1"}),
    ("BatchGetRecord", {"Identifiers": [{"FeatureGroupName": "g", "RecordIdentifiersValueAsString": ["1"]}]}),
    ("ListRecords", {"FeatureGroupName": "g"}),
]


@pytest.mark.parametrize(("operation", "params"), RUNTIME, ids=[operation for operation, _ in RUNTIME])
def test_records_are_refused_after_an_absent_group_is_told(
    sagemaker: Caller, operation: str, params: dict[str, Any]
) -> None:
    runtime = sagemaker.of("sagemaker-featurestore-runtime")
    with pytest.raises(CallerFault, match="can't find a FeatureGroup with name g") as absent:
        runtime.do(operation, **params)
    known = {"GetRecord": "ResourceNotFound", "ListRecords": "ResourceNotFound"}
    assert absent.value.code == known.get(operation, "ValidationError")
    group(sagemaker)
    with pytest.raises(NotBuilt, match=f"{operation} is not built: .* no store holds their data"):
        runtime.do(operation, **params)


def test_four_groups_are_created_at_a_time_where_quotas_hold() -> None:
    house = House.for_tests(settle_seconds=2.0, quotas=True)
    try:
        sagemaker = Caller(house)
        for number in range(4):
            group(sagemaker, f"g{number}")
        with pytest.raises(LimitExceeded, match="creation workflows executing in parallel' is 4 FeatureGroups"):
            group(sagemaker, "g4")
        sagemaker.wait(2)
        group(sagemaker, "g4")
    finally:
        house.close()


def test_the_bus_is_told_of_a_group(sagemaker: Caller) -> None:
    events = sagemaker.house.neighbours.bus
    group(sagemaker)
    assert not events.is_news(described(sagemaker)["FeatureGroupArn"], ("Creating", ""))
