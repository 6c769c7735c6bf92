"""What hangs together: trials and their components, lineage, packages and who may see them, cards and images."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
from botocore.exceptions import ClientError

from tests.journeys.conftest import IMAGE, ROLE, archive

POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sagemaker:*"}]})


def artifact(records, name: str) -> str:
    source = {"SourceUri": f"s3://somewhere/{name}"}
    return records.sagemaker.create_artifact(ArtifactName=name, ArtifactType="Data", Source=source)["ArtifactArn"]


@pytest.mark.proves("AddAssociation", "ListAssociations", "DeleteAssociation", "QueryLineage")
def test_lineage_is_followed_both_ways(records):
    # Given a dataset that became a model by way of an action
    sagemaker, names = records.sagemaker, [records.name(stem) for stem in ("data", "model", "step")]
    data, model = artifact(records, names[0]), artifact(records, names[1])
    source = {"SourceUri": f"arn:{names[2]}"}
    step = sagemaker.create_action(ActionName=names[2], ActionType="Training", Source=source)["ActionArn"]
    sagemaker.add_association(SourceArn=data, DestinationArn=step, AssociationType="ContributedTo")
    sagemaker.add_association(SourceArn=step, DestinationArn=model, AssociationType="Produced")
    # Then its associations are listed, and the graph is walked in both directions
    (listed,) = sagemaker.list_associations(SourceArn=step)["AssociationSummaries"]
    assert (listed["DestinationArn"], listed["AssociationType"]) == (model, "Produced")
    for start, direction, found in ((data, "Descendants", {step, model}), (model, "Ascendants", {step, data})):
        answer = sagemaker.query_lineage(StartArns=[start], Direction=direction, IncludeEdges=True)
        assert {vertex["Arn"] for vertex in answer["Vertices"]} - {start} == found
        assert len(answer["Edges"]) == 2
    # Until they are taken away
    sagemaker.delete_association(SourceArn=data, DestinationArn=step)
    assert sagemaker.list_associations(SourceArn=data)["AssociationSummaries"] == []
    with pytest.raises(ClientError) as absent:
        sagemaker.delete_association(SourceArn=data, DestinationArn=step)
    assert absent.value.response["Error"]["Code"] == "ResourceNotFound"


@pytest.mark.proves("ListLineageGroups", "DescribeLineageGroup")
def test_an_account_has_one_lineage_group(records):
    artifact(records, records.name("artifact"))
    (group,) = records.sagemaker.list_lineage_groups()["LineageGroupSummaries"]
    name = group["LineageGroupName"]
    assert (
        records.sagemaker.describe_lineage_group(LineageGroupName=name)["LineageGroupArn"] == group["LineageGroupArn"]
    )
    with pytest.raises(ClientError) as absent:  # nothing can give it one
        records.sagemaker.get_lineage_group_policy(LineageGroupName=name)
    assert absent.value.response["Error"]["Code"] in ("ResourceNotFound", "ValidationException")


@pytest.mark.proves(
    "CreateTrialComponent",
    "AssociateTrialComponent",
    "DisassociateTrialComponent",
    "ListTrialComponents",
    "sagemaker-metrics.BatchPutMetrics",
    "sagemaker-metrics.BatchGetMetrics",
)
def test_a_run_has_metrics_and_belongs_to_a_trial(records):
    sagemaker, metrics = records.sagemaker, records.of("sagemaker-metrics")
    names = {stem: records.name(stem) for stem in ("experiment", "trial", "component")}
    sagemaker.create_experiment(ExperimentName=names["experiment"])
    sagemaker.create_trial(TrialName=names["trial"], ExperimentName=names["experiment"])
    arn = sagemaker.create_trial_component(TrialComponentName=names["component"])["TrialComponentArn"]
    member = {"TrialComponentName": names["component"], "TrialName": names["trial"]}
    sagemaker.associate_trial_component(**member)
    (listed,) = sagemaker.list_trial_components(TrialName=names["trial"])["TrialComponentSummaries"]
    assert listed["TrialComponentArn"] == arn
    # Numbers of the run come back as statistics and as a curve
    now = datetime.now(timezone.utc)
    data = [{"MetricName": "loss", "Timestamp": now, "Step": n, "Value": 4.0 / (n + 1)} for n in range(4)]
    assert metrics.batch_put_metrics(TrialComponentName=names["component"], MetricData=data).get("Errors", []) == []
    (told,) = sagemaker.describe_trial_component(TrialComponentName=names["component"])["Metrics"]
    assert (told["Count"], told["Max"], told["Min"], told["Last"]) == (4, 4.0, 1.0, 1.0)
    query = {"MetricName": "loss", "ResourceArn": arn, "MetricStat": "Last", "Period": "IterationNumber"}
    answer = metrics.batch_get_metrics(MetricQueries=[{**query, "XAxisType": "IterationNumber"}])
    assert answer["MetricQueryResults"][0]["MetricValues"] == [4.0, 2.0, 4.0 / 3, 1.0]
    sagemaker.disassociate_trial_component(**member)
    assert sagemaker.list_trial_components(TrialName=names["trial"])["TrialComponentSummaries"] == []


@pytest.mark.proves(
    "BatchDescribeModelPackage",
    "PutModelPackageGroupPolicy",
    "GetModelPackageGroupPolicy",
    "DeleteModelPackageGroupPolicy",
)
def test_a_group_has_versions_and_a_policy(records):
    sagemaker, group = records.sagemaker, records.name("group")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    spec = {
        "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://models/m.tar.gz"}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    arns = [
        sagemaker.create_model_package(ModelPackageGroupName=group, InferenceSpecification=spec)["ModelPackageArn"]
        for _ in range(2)
    ]
    absent = arns[0][:-1] + "9"
    told = sagemaker.batch_describe_model_package(ModelPackageArnList=[*arns, absent])
    assert [told["ModelPackageSummaries"][arn]["ModelPackageVersion"] for arn in arns] == [1, 2]
    assert set(told["BatchDescribeModelPackageErrorMap"]) == {absent}

    sagemaker.put_model_package_group_policy(ModelPackageGroupName=group, ResourcePolicy=POLICY)
    assert sagemaker.get_model_package_group_policy(ModelPackageGroupName=group)["ResourcePolicy"] == POLICY
    sagemaker.delete_model_package_group_policy(ModelPackageGroupName=group)
    with pytest.raises(ClientError, match="Cannot find resource policy"):
        sagemaker.get_model_package_group_policy(ModelPackageGroupName=group)


@pytest.mark.proves("ListModelCardVersions", "ListAliases")
def test_cards_and_images_have_versions(records):
    sagemaker, card, image = records.sagemaker, records.name("card"), records.name("image")
    sagemaker.create_model_card(ModelCardName=card, Content="{}", ModelCardStatus="Draft")
    content = json.dumps({"model_overview": {"model_description": "Better."}})
    sagemaker.update_model_card(ModelCardName=card, Content=content)
    versions = sagemaker.list_model_card_versions(ModelCardName=card)["ModelCardVersionSummaryList"]
    assert sorted(version["ModelCardVersion"] for version in versions) == [1, 2]

    sagemaker.create_image(ImageName=image, RoleArn=ROLE)
    records.until(lambda: sagemaker.describe_image(ImageName=image), "CREATED")
    base = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
    sagemaker.create_image_version(ImageName=image, BaseImage=base, Aliases=["latest", "1.0"])
    assert sorted(sagemaker.list_aliases(ImageName=image)["SageMakerImageVersionAliases"]) == ["1.0", "latest"]


@pytest.fixture
def endpoint(records) -> str:
    """An endpoint in service, behind which the stub executor answers."""
    bucket = records.bucket()
    records.s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=archive({"model": b"x"}))
    return records.deploy(f"s3://{bucket}/model.tar.gz")


@pytest.mark.proves("PutEndpointPolicy", "GetEndpointPolicy", "DeleteEndpointPolicy")
def test_an_endpoint_keeps_its_policy(records, endpoint):
    sagemaker = records.sagemaker
    sagemaker.put_endpoint_policy(EndpointName=endpoint, ResourcePolicy=POLICY)
    assert sagemaker.get_endpoint_policy(EndpointName=endpoint)["ResourcePolicy"] == POLICY
    sagemaker.delete_endpoint_policy(EndpointName=endpoint)
    with pytest.raises(ClientError, match="Cannot find resource policy"):
        sagemaker.get_endpoint_policy(EndpointName=endpoint)


@pytest.mark.proves(
    "EnableSagemakerServicecatalogPortfolio",
    "DisableSagemakerServicecatalogPortfolio",
    "GetSagemakerServicecatalogPortfolioStatus",
)
def test_the_portfolio_of_projects_is_enabled_and_disabled(records):
    status = records.sagemaker.get_sagemaker_servicecatalog_portfolio_status
    records.sagemaker.enable_sagemaker_servicecatalog_portfolio()
    assert status()["Status"] == "Enabled"
    records.sagemaker.disable_sagemaker_servicecatalog_portfolio()
    assert status()["Status"] == "Disabled"


@pytest.mark.proves("ListLabelingJobsForWorkteam")
def test_a_work_team_has_no_jobs_as_long_as_nothing_is_labeled(records):
    member = {"UserPool": "us-east-1_a1b2c3d4e", "ClientId": "client", "UserGroup": "labelers"}
    members = [{"CognitoMemberDefinition": member}]
    team = records.sagemaker.create_workteam(WorkteamName="team", MemberDefinitions=members, Description="All of us")
    asked = {"WorkteamArn": team["WorkteamArn"]}
    assert records.sagemaker.list_labeling_jobs_for_workteam(**asked)["LabelingJobSummaryList"] == []
    with pytest.raises(ClientError) as absent:
        records.sagemaker.list_labeling_jobs_for_workteam(WorkteamArn=team["WorkteamArn"] + "x")
    assert absent.value.response["Error"]["Code"] == "ResourceNotFound"
