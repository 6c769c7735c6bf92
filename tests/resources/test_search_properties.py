"""Names of properties: what the model knows, in which spelling, and where their values are."""

from __future__ import annotations

from typing import Any

import pytest

from emulator import spec
from emulator.errors import Validation
from emulator.resources.search.properties import Values
from emulator.resources.search.searchable import searchable

RESOURCES = spec.load("sagemaker").shape_for("ResourceType").enum

JOB: dict[str, Any] = {
    "TrainingJobName": "j",
    "TrainingTimeInSeconds": 7,
    "EnableNetworkIsolation": False,
    "HyperParameters": {"eta": "0.1", "a.b": "2"},
    "Environment": {"HOME": "/x"},
    "FinalMetricDataList": [{"MetricName": "auc", "Value": 0.9}, {"MetricName": "x.max", "Value": 3.0}],
    "InputDataConfig": [
        {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": "s3://a", "AttributeNames": ["p", "q"]}}},
        {"ChannelName": "test"},
    ],
    "Tags": [{"Key": "team", "Value": "blue"}, {"Key": "a.b", "Value": "c"}],
    "TensorBoardOutputConfig": {},
}
COMPONENT: dict[str, Any] = {
    "Parameters": {"lr": {"NumberValue": 0.1, "StringValue": "0.1"}, "Sage.Type": {"StringValue": "ml"}},
    "InputArtifacts": {"data.set": {"MediaType": "text/csv", "Value": "s3://b"}},
    "Metrics": [{"MetricName": "test:acc", "Max": 0.9, "Last": 0.5}],
    "Parents": [{"TrialName": "t", "ExperimentName": "e"}],
}
FOUND = {
    ("TrainingJob", "TrainingJobName"): (Values.TEXT, ["j"]),
    ("TrainingJob", "trainingjobname"): (Values.TEXT, ["j"]),
    ("TrainingJob", "TrainingTimeInSeconds"): (Values.NUMBER, [7]),
    ("TrainingJob", "TrainingEndTime"): (Values.TIME, []),
    ("TrainingJob", "EnableNetworkIsolation"): (Values.BOOLEAN, [False]),
    ("TrainingJob", "HyperParameters.eta"): (Values.DECIMAL, ["0.1"]),
    ("TrainingJob", "hyperparameters.a.b"): (Values.DECIMAL, ["2"]),
    ("TrainingJob", "HyperParameters.ETA"): (Values.DECIMAL, []),
    ("TrainingJob", "HyperParameters"): (Values.ENTRIES, [JOB["HyperParameters"]]),
    ("TrainingJob", "Environment.HOME"): (Values.LOOSE, ["/x"]),
    ("TrainingJob", "Metrics.auc"): (Values.NUMBER, [0.9]),
    ("TrainingJob", "metrics.x.max"): (Values.NUMBER, [3.0]),
    ("TrainingJob", "FinalMetricDataList.auc"): (Values.NUMBER, [0.9]),
    ("TrainingJob", "FinalMetricDataList.MetricName"): (Values.TEXT, ["auc", "x.max"]),
    ("TrainingJob", "InputDataConfig.ChannelName"): (Values.TEXT, ["train", "test"]),
    ("TrainingJob", "InputDataConfig.DataSource.S3DataSource.S3Uri"): (Values.TEXT, ["s3://a"]),
    ("TrainingJob", "InputDataConfig.DataSource.S3DataSource.AttributeNames"): (Values.PARTS, [["p", "q"]]),
    ("TrainingJob", "Tags.team"): (Values.LOOSE, ["blue"]),
    ("TrainingJob", "tags.a.b"): (Values.LOOSE, ["c"]),
    ("TrainingJob", "Tags.Key"): (Values.LOOSE, []),
    ("TrainingJob", "TensorBoardOutputConfig"): (Values.PARTS, []),
    ("ExperimentTrialComponent", "Parameters.lr"): (Values.MIXED, [0.1, "0.1"]),
    ("ExperimentTrialComponent", "Parameters.Sage.Type"): (Values.MIXED, ["ml"]),
    ("ExperimentTrialComponent", "Parameters.lr.NumberValue"): (Values.NUMBER, [0.1]),
    ("ExperimentTrialComponent", "InputArtifacts.data.set.Value"): (Values.TEXT, ["s3://b"]),
    ("ExperimentTrialComponent", "InputArtifacts.data.set"): (Values.PARTS, [COMPONENT["InputArtifacts"]["data.set"]]),
    ("ExperimentTrialComponent", "metrics.test:acc.max"): (Values.NUMBER, [0.9]),
    ("ExperimentTrialComponent", "Metrics.test:acc"): (Values.NUMBER, [0.5]),
    ("ExperimentTrialComponent", "Parents.ExperimentName"): (Values.TEXT, ["e"]),
}


@pytest.mark.parametrize(("asked", "found"), FOUND.items(), ids=lambda value: ".".join(map(str, value))[:50])
def test_a_name_is_a_path_with_values_of_a_kind(asked: tuple[str, str], found: tuple[Values, list[Any]]) -> None:
    resource, name = asked
    what = searchable(resource)
    prop = what.property(name)
    body = COMPONENT if resource == "ExperimentTrialComponent" else JOB
    assert (prop.kind, list(prop.values(body))) == found
    assert what.property(prop.name) == prop, "the name that the index knows it by means the same"


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        ("TrainingJob", "Color"),
        ("TrainingJob", "TrainingJobName.x"),
        ("TrainingJob", "InputDataConfig.Color"),
        ("TrainingJob", "."),
        ("TrainingJob", "AllTags"),
        ("ExperimentTrialComponent", "ExperimentName"),
        ("ExperimentTrialComponent", "TrialName"),
    ],
)
def test_a_name_that_the_model_does_not_know_is_refused_in_the_services_words(resource: str, name: str) -> None:
    with pytest.raises(Validation) as refused:
        searchable(resource).property(name)
    assert str(refused.value) == f"Unknown property name: {name}"


def test_some_resources_know_names_that_are_not_in_the_model() -> None:
    assert searchable("FeatureGroup").property("AllTags").name == "Tags"
    assert searchable("FeatureMetadata").property("AllParameters").name == "Parameters"
    assert searchable("FeatureMetadata").property("Parameters.idType").kind is Values.LOOSE
    assert searchable("FeatureGroup").property("FeatureGroupARN").name == "FeatureGroupArn"
    assert searchable("Model").property("ModelName").name == "Model.ModelName"
    assert searchable("Model").property("Model.ModelName").name == "Model.ModelName"
    assert searchable("Model").property("Tags.team").name == "Model.Tags.team"


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_resource_can_be_asked_by_what_its_results_show(resource: str) -> None:
    what = searchable(resource)
    for member in what.shape.members:
        assert what.property(member).head == member


def test_a_nested_filter_is_about_a_list_of_structures() -> None:
    elements = searchable("TrainingJob").names.elements
    within, resolve = elements("InputDataConfig")
    assert list(within.values(JOB)) == JOB["InputDataConfig"]
    assert list(resolve("DataSource.S3DataSource.S3Uri").values(JOB["InputDataConfig"][0])) == ["s3://a"]
    for name in ("TrainingJobName", "ResourceConfig", "HyperParameters", "Tags.team", "Color"):
        with pytest.raises(Validation):
            elements(name)
