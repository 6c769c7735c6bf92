"""A feature group through real boto3: made, added to, described feature by feature, found, and kept over a kill."""

from __future__ import annotations

import time

import pytest
from botocore.exceptions import ClientError

from tests.journeys.conftest import ROLE, Client

FEATURES = [
    {"FeatureName": "customer", "FeatureType": "Integral"},
    {"FeatureName": "at", "FeatureType": "String"},
    {"FeatureName": "age", "FeatureType": "Fractional"},
]


def create(client: Client, name: str, **stores) -> str:
    made = client.sagemaker.create_feature_group(
        FeatureGroupName=name,
        RecordIdentifierFeatureName="customer",
        EventTimeFeatureName="at",
        FeatureDefinitions=FEATURES,
        RoleArn=ROLE,
        Tags=[{"Key": "team", "Value": "a"}],
        **(stores or {"OnlineStoreConfig": {"EnableOnlineStore": True}}),
    )
    return made["FeatureGroupArn"]


def created(client: Client, name: str) -> dict:
    return client.until(lambda: client.sagemaker.describe_feature_group(FeatureGroupName=name), "Created")


def updated(client: Client, name: str) -> dict:
    """What Describe answers when the last update is over."""
    end = time.monotonic() + 20
    while True:
        told = client.sagemaker.describe_feature_group(FeatureGroupName=name)
        if told["LastUpdateStatus"]["Status"] == "Successful":
            return told
        assert time.monotonic() < end, told["LastUpdateStatus"]
        time.sleep(0.01)


@pytest.mark.proves(
    "CreateFeatureGroup", "DescribeFeatureGroup", "ListFeatureGroups", "UpdateFeatureGroup", "DeleteFeatureGroup"
)
def test_a_group_is_made_added_to_listed_and_deleted(records):
    sagemaker, name = records.sagemaker, records.name("people")
    where = {"S3StorageConfig": {"S3Uri": "s3://features/offline"}}
    arn = create(records, name, OfflineStoreConfig=where, OnlineStoreConfig={"EnableOnlineStore": True})
    told = created(records, name)
    epoch = int(told["CreationTime"].timestamp())
    assert told["OfflineStoreConfig"]["S3StorageConfig"]["ResolvedOutputS3Uri"] == (
        f"s3://features/offline/123456789012/sagemaker/us-east-1/offline-store/{name}-{epoch}/data"
    )
    assert told["OfflineStoreConfig"]["DataCatalogConfig"]["Database"] == "sagemaker_featurestore"
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "a"}]
    (listed,) = sagemaker.list_feature_groups(NameContains=name, OfflineStoreStatusEquals="Active")[
        "FeatureGroupSummaries"
    ]
    assert (listed["FeatureGroupArn"], listed["FeatureGroupStatus"]) == (arn, "Created")

    added = {"FeatureName": "city", "FeatureType": "String"}
    sagemaker.update_feature_group(FeatureGroupName=name, FeatureAdditions=[added])
    assert updated(records, name)["FeatureDefinitions"] == [*FEATURES, added]

    sagemaker.delete_feature_group(FeatureGroupName=name)
    with pytest.raises(sagemaker.exceptions.ResourceNotFound, match=f"can't find a FeatureGroup with name {name}"):
        records.until(lambda: sagemaker.describe_feature_group(FeatureGroupName=name), "gone")


@pytest.mark.proves("DescribeFeatureMetadata", "UpdateFeatureMetadata", "Search")
def test_features_are_described_and_found(records):
    sagemaker, name = records.sagemaker, records.name("places")
    create(records, name)
    asked = {"FeatureGroupName": name, "FeatureName": "age"}
    team = {"Key": "team", "Value": "blue"}
    sagemaker.update_feature_metadata(**asked, Description="in years", ParameterAdditions=[team])
    told = sagemaker.describe_feature_metadata(**asked)
    assert (told["Description"], told["Parameters"], told["FeatureType"]) == ("in years", [team], "Fractional")
    filters = [
        {"Name": "FeatureGroupName", "Operator": "Equals", "Value": name},
        {"Name": "Description", "Operator": "Contains", "Value": "years"},
    ]
    found = sagemaker.search(Resource="FeatureMetadata", SearchExpression={"Filters": filters})["Results"]
    assert [one["FeatureMetadata"]["FeatureName"] for one in found] == ["age"]
    with pytest.raises(sagemaker.exceptions.ResourceNotFound, match="Feature with name city"):
        sagemaker.describe_feature_metadata(FeatureGroupName=name, FeatureName="city")


def test_what_cannot_be_made_is_refused_in_typed_errors(records):
    sagemaker, name = records.sagemaker, records.name("twice")
    create(records, name)
    with pytest.raises(sagemaker.exceptions.ResourceInUse, match="Choose a different name"):
        create(records, name)
    with pytest.raises(ClientError, match="OnlineStore and OfflineStore cannot be both disabled") as refused:
        create(records, records.name("none"), OnlineStoreConfig={"EnableOnlineStore": False})
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_records_of_absent_groups_are_told_and_all_others_refused(records):
    runtime, name = records.of("sagemaker-featurestore-runtime"), records.name("data")
    record = [{"FeatureName": "customer", "ValueAsString": "1"}]
    with pytest.raises(runtime.exceptions.ResourceNotFound, match="can't find a FeatureGroup"):
        runtime.get_record(FeatureGroupName=name, RecordIdentifierValueAsString="1")
    with pytest.raises(runtime.exceptions.ValidationError, match="can't find a FeatureGroup"):
        runtime.put_record(FeatureGroupName=name, Record=record)
    create(records, name)
    with pytest.raises(ClientError, match="no store holds their data") as refused:
        runtime.put_record(FeatureGroupName=name, Record=record)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_a_group_and_its_features_outlive_a_server_that_is_killed(own_server):
    client = Client(own_server.start())
    create(client, "people")
    own_server.kill()
    client = Client(own_server.start())
    assert created(client, "people")["FeatureDefinitions"] == FEATURES
    told = client.sagemaker.describe_feature_metadata(FeatureGroupName="people", FeatureName="age")
    assert told["CreationTime"] == created(client, "people")["CreationTime"]
