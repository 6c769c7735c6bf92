"""Somebody trains a few models and looks for the best: by metrics, hyperparameters and tags, in order."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.journeys.conftest import training_request

RMSE = "train:rmse"


@pytest.mark.proves("Search", "GetSearchSuggestions")
def test_the_best_of_some_training_jobs_is_found(client, training_data):
    # Given three jobs of a project that differ in their depth, and one of nobody's
    project, jobs = client.name("project"), {}
    for depth in ("1", "2", "6"):
        jobs[depth] = start(client, training_data, depth, Tags=[{"Key": "project", "Value": project}])
    start(client, training_data, "9")
    done = {depth: settle(client, name) for depth, name in jobs.items()}
    ours = {"Name": "Tags.project", "Operator": "Equals", "Value": project}

    # When they are asked for, best first
    found = client.sagemaker.search(
        Resource="TrainingJob",
        SearchExpression={"Filters": [ours]},
        SortBy=f"Metrics.{RMSE}",
        SortOrder="Ascending",
        MaxResults=2,
    )
    # Then they come in the order of their metric, whole, with their tags
    best = sorted(done.values(), key=rmse)
    assert names(found) == [job["TrainingJobName"] for job in best[:2]]
    shown = found["Results"][0]["TrainingJob"]
    assert rmse(shown) == rmse(best[0])
    assert {"Key": "project", "Value": project} in shown["Tags"]
    assert shown["CreationTime"] == best[0]["CreationTime"]
    assert found.get("TotalHits", {"Value": 3})["Value"] == 3
    rest = client.sagemaker.search(
        Resource="TrainingJob",
        SearchExpression={"Filters": [ours]},
        SortBy=f"Metrics.{RMSE}",
        SortOrder="Ascending",
        MaxResults=2,
        NextToken=found["NextToken"],
    )
    assert names(rest) == [best[2]["TrainingJobName"]]
    assert "NextToken" not in rest

    # And a number is a number: of depths below 3 there are two, of 10 and more none
    shallow = {"Name": "HyperParameters.max_depth", "Operator": "LessThan", "Value": "3"}
    assert sorted(search(client, ours, shallow)) == sorted([jobs["1"], jobs["2"]])
    better = {"Name": f"Metrics.{RMSE}", "Operator": "LessThan", "Value": repr(rmse(done["1"]))}
    assert sorted(search(client, ours, better, shallow)) == [jobs["2"]]
    # And one can ask for the data that a job was trained on
    uri = {"Name": "InputDataConfig.DataSource.S3DataSource.S3Uri", "Operator": "Contains", "Value": training_data}
    channel = {"Name": "InputDataConfig.ChannelName", "Operator": "Equals", "Value": "train"}
    nested = {"NestedPropertyName": "InputDataConfig", "Filters": [channel, uri]}
    expression = {"Filters": [ours], "NestedFilters": [nested]}
    assert len(names(client.sagemaker.search(Resource="TrainingJob", SearchExpression=expression))) == 3

    # And names of properties are suggested
    query = {"PropertyNameQuery": {"PropertyNameHint": "max_d"}}
    suggested = client.sagemaker.get_search_suggestions(Resource="TrainingJob", SuggestionQuery=query)
    assert {"PropertyName": "hyperparameters.max_depth"} in suggested["PropertyNameSuggestions"]


def test_a_paginator_sees_every_experiment_once_and_tags_that_came_later(client):
    # Given twenty-five experiments
    stem = client.name("paged")
    for number in range(25):
        client.sagemaker.create_experiment(ExperimentName=f"{stem}-{number:02}")
    named = {"Filters": [{"Name": "ExperimentName", "Operator": "Contains", "Value": f"{stem}-"}]}
    pages = client.sagemaker.get_paginator("search").paginate(
        Resource="Experiment", SearchExpression=named, SortBy="ExperimentName", SortOrder="Ascending"
    )
    assert [one["Experiment"]["ExperimentName"] for page in pages for one in page["Results"]] == [
        f"{stem}-{number:02}" for number in range(25)
    ]
    # When one is tagged
    arn = client.sagemaker.describe_experiment(ExperimentName=f"{stem}-07")["ExperimentArn"]
    client.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "stage", "Value": stem}])
    # Then it is found by its tag, and no more when the tag is gone
    tagged = {"Filters": [{"Name": "Tags.stage", "Operator": "Equals", "Value": stem}]}
    (found,) = client.sagemaker.search(Resource="Experiment", SearchExpression=tagged)["Results"]
    assert found["Experiment"]["ExperimentArn"] == arn
    client.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["stage"])
    assert client.sagemaker.search(Resource="Experiment", SearchExpression=tagged)["Results"] == []


def test_two_regions_do_not_find_each_others_records(client):
    name = client.name("lonely")
    client.sagemaker.create_experiment(ExperimentName=name)
    named = {"Filters": [{"Name": "ExperimentName", "Operator": "Equals", "Value": name}]}
    west = client.of("sagemaker", region_name="eu-west-1")
    assert west.search(Resource="Experiment", SearchExpression=named)["Results"] == []
    assert len(client.sagemaker.search(Resource="Experiment", SearchExpression=named)["Results"]) == 1


def test_what_is_asked_wrongly_is_refused_in_the_services_words(client):
    wrong = {"Filters": [{"Name": "ExperimentName", "Operator": "Equals", "Value": "x"}]}
    with pytest.raises(ClientError) as refused:
        client.sagemaker.search(Resource="ExperimentTrialComponent", SearchExpression=wrong)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert refused.value.response["Error"]["Message"] == "Unknown property name: ExperimentName"
    twice = {"Filters": [{"Name": "RoleArn", "Operator": "Contains", "Value": value} for value in "ab"]}
    with pytest.raises(ClientError, match="'CONTAINS' operator usage limit of 1 exceeded"):
        client.sagemaker.search(Resource="TrainingJob", SearchExpression=twice)


def start(client, bucket: str, depth: str, **more) -> str:
    request = {**training_request(client.name("searched"), bucket), **more}
    request["HyperParameters"] = {**request["HyperParameters"], "max_depth": depth}
    client.sagemaker.create_training_job(**request)
    return request["TrainingJobName"]


def settle(client, name: str) -> dict:
    job = client.settle(lambda: client.sagemaker.describe_training_job(TrainingJobName=name), "TrainingJobStatus")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    return job


def rmse(job: dict) -> float:
    return next(one["Value"] for one in job["FinalMetricDataList"] if one["MetricName"] == RMSE)


def names(answer: dict) -> list[str]:
    return [one["TrainingJob"]["TrainingJobName"] for one in answer["Results"]]


def search(client, *filters: dict) -> list[str]:
    return names(client.sagemaker.search(Resource="TrainingJob", SearchExpression={"Filters": list(filters)}))
