"""Lineage of a job, and of what is added by hand, in the calls that the SageMaker Python SDK makes."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.journeys.conftest import IMAGE, ROLE, Client, csv, table, variant


def associations(client, **asked) -> list[dict]:
    return client.sagemaker.list_associations(**asked)["AssociationSummaries"]


def component_of(client, job: dict) -> str:
    (found,) = client.sagemaker.list_trial_components(SourceArn=job["TrainingJobArn"])["TrialComponentSummaries"]
    return found["TrialComponentArn"]


def artifact(client, uri: str) -> dict | None:
    found = client.sagemaker.list_artifacts(SourceUri=uri)["ArtifactSummaries"]
    return found[0] if found else None


def walk(client, start: str, **asked) -> dict[tuple[str, str], str]:
    """The ARNs of what QueryLineage finds, by lineage type and type."""
    given = {"IncludeEdges": False, **asked}
    found = client.sagemaker.query_lineage(StartArns=[start], **given)["Vertices"]
    return {(vertex["LineageType"], vertex.get("Type", "")): vertex["Arn"] for vertex in found}


def refusal(do, **params) -> str:
    with pytest.raises(ClientError) as caught:
        do(**params)
    return caught.value.response["Error"]["Code"]


def test_a_job_leaves_its_lineage(client, training_data) -> None:
    """As the SDK's table of a job's lineage asks."""
    sagemaker = client.sagemaker
    job = client.train(training_data)
    model = job["ModelArtifacts"]["S3ModelArtifacts"]
    component = component_of(client, job)
    shown = sagemaker.describe_trial_component(TrialComponentName=f"{job['TrainingJobName']}-aws-training-job")
    assert shown["TrialComponentArn"] == component

    into, out_of = associations(client, DestinationArn=component), associations(client, SourceArn=component)
    uris = {}
    for one in into + out_of:
        arn = one["DestinationArn"] if one["SourceArn"] == component else one["SourceArn"]
        described = sagemaker.describe_artifact(ArtifactArn=arn)
        uris[described["ArtifactType"]] = (described["Source"]["SourceUri"], one["AssociationType"])
    assert uris == {
        "Image": (IMAGE, "ContributedTo"),
        "DataSet": (f"s3://{training_data}/train", "ContributedTo"),
        "Model": (model, "Produced"),
    }
    (produced,) = out_of
    assert (produced["SourceType"], produced["DestinationType"]) == ("SageMakerTrainingJob", "Model")

    again = client.train(training_data)
    readers = {one["DestinationArn"] for one in associations(client, SourceArn=_arn(client, training_data))}
    assert readers == {component, component_of(client, again)}, "both have read the one data set"


def _arn(client, bucket: str) -> str:
    found = artifact(client, f"s3://{bucket}/train")
    assert found is not None
    return found["ArtifactArn"]


@pytest.mark.proves("QueryLineage", "DeleteAssociation")
def test_what_is_added_by_hand_is_found_from_both_ends_and_taken_apart(client, training_data) -> None:
    sagemaker = client.sagemaker
    job = client.train(training_data)
    made = artifact(client, job["ModelArtifacts"]["S3ModelArtifacts"])
    assert made is not None
    model, data, name = made["ArtifactArn"], _arn(client, training_data), client.name("served")
    source = {"SourceUri": f"arn:{name}", "SourceType": "ARN"}
    action = sagemaker.create_action(
        ActionName=name, Source=source, ActionType="ModelDeployment", Status="InProgress", Properties={"stage": "beta"}
    )["ActionArn"]
    context = sagemaker.create_context(ContextName=name, Source=source, ContextType="Endpoint")["ContextArn"]
    for ends in ((model, action), (action, context)):
        sagemaker.add_association(SourceArn=ends[0], DestinationArn=ends[1], AssociationType="ContributedTo")
    sagemaker.add_tags(ResourceArn=context, Tags=[{"Key": "stage", "Value": "beta"}])

    below = walk(client, data, Direction="Descendants", Filters={"LineageTypes": ["Context", "Action"]})
    assert below == {("Context", "Endpoint"): context, ("Action", "ModelDeployment"): action}
    above = walk(client, context, Direction="Ascendants")
    assert above == {
        ("Action", "ModelDeployment"): action,
        ("Artifact", "Model"): model,
        ("TrialComponent", "TrainingJob"): component_of(client, job),
        ("Artifact", "DataSet"): data,
        ("Artifact", "Image"): artifact(client, IMAGE)["ArtifactArn"],
    }
    assert walk(client, context, Direction="Ascendants", MaxDepth=2).keys() == {
        ("Action", "ModelDeployment"),
        ("Artifact", "Model"),
    }
    assert walk(client, data, Filters={"Properties": {"stage": "beta"}}) == {("Action", "ModelDeployment"): action}
    edges = sagemaker.query_lineage(StartArns=[context], Direction="Ascendants", IncludeEdges=True)["Edges"]
    assert {"SourceArn": action, "DestinationArn": context, "AssociationType": "ContributedTo"} in edges

    assert refusal(sagemaker.delete_context, ContextName=name) == "ValidationException"
    sagemaker.delete_association(SourceArn=action, DestinationArn=context)
    assert sagemaker.delete_context(ContextName=name)["ContextArn"] == context
    assert refusal(sagemaker.describe_context, ContextName=name) == "ResourceNotFound"
    assert refusal(sagemaker.query_lineage, StartArns=[context]) == "ResourceNotFound"
    assert walk(client, data, Direction="Descendants", Filters={"LineageTypes": ["Context"]}) == {}


def test_an_endpoint_is_traced_back_to_the_data_of_its_model(client, training_data) -> None:
    """The questions of the SDK's EndpointContext, ModelArtifact and DatasetArtifact."""
    sagemaker, group = client.sagemaker, client.name("group")
    job = client.train(training_data)
    data = job["ModelArtifacts"]["S3ModelArtifacts"]
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    package = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        InferenceSpecification={
            "Containers": [{"Image": IMAGE, "ModelDataUrl": data}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    name = client.name("served")
    sagemaker.create_model(ModelName=name, PrimaryContainer={"ModelPackageName": package}, ExecutionRoleArn=ROLE)
    client.configure(name, [variant("all", name)])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    endpoint = client.in_service(name)["EndpointArn"]

    (context,) = sagemaker.list_contexts(SourceUri=endpoint)["ContextSummaries"]
    above = walk(client, context["ContextArn"], Direction="Ascendants")
    assert above["TrialComponent", "TrainingJob"] == component_of(client, job)
    assert above["Artifact", "DataSet"] == _arn(client, training_data)
    assert ("Action", "Approval") in above
    models = {"LineageTypes": ["Artifact"], "Types": ["Model"]}
    asked = {"Direction": "Ascendants", "IncludeEdges": False, "Filters": models}
    found = sagemaker.query_lineage(StartArns=[context["ContextArn"]], **asked)["Vertices"]
    described = [sagemaker.describe_artifact(ArtifactArn=vertex["Arn"]) for vertex in found]
    assert {one["Source"]["SourceUri"] for one in described} == {package, data}
    below = walk(client, _arn(client, training_data), Direction="Descendants", Filters={"Types": ["Endpoint"]})
    assert below == {("Context", "Endpoint"): context["ContextArn"]}
    (deployment,) = sagemaker.list_actions(SourceUri=endpoint)["ActionSummaries"]
    assert (deployment["ActionType"], deployment["Status"]) == ("ModelDeployment", "Completed")
    sagemaker.delete_endpoint(EndpointName=name)


@pytest.mark.proves("ListLineageGroups", "DescribeLineageGroup")
def test_lineage_outlives_a_killed_server(own_server) -> None:
    own_server.start()
    client = Client(own_server)
    bucket = client.bucket()
    client.s3.put_object(Bucket=bucket, Key="train/rows.csv", Body=csv(table()))
    job = client.train(bucket)

    # When the server is killed before anybody has asked what the job has left
    own_server.kill()
    own_server.start()
    client = Client(own_server)

    # Then it is there nevertheless, once
    component = component_of(client, job)
    assert {one["AssociationType"] for one in associations(client, DestinationArn=component)} == {"ContributedTo"}
    (produced,) = associations(client, SourceArn=component)
    found = artifact(client, job["ModelArtifacts"]["S3ModelArtifacts"])
    assert found is not None and found["ArtifactArn"] == produced["DestinationArn"]
    assert len(client.sagemaker.list_artifacts()["ArtifactSummaries"]) == 3
    groups = client.sagemaker.list_lineage_groups()["LineageGroupSummaries"]
    assert [one["LineageGroupName"] for one in groups] == ["sagemaker-default-lineage-group"]
    group = client.sagemaker.describe_lineage_group(LineageGroupName=groups[0]["LineageGroupName"])
    assert (
        group["LineageGroupArn"]
        == client.sagemaker.describe_artifact(ArtifactArn=found["ArtifactArn"])["LineageGroupArn"]
    )
