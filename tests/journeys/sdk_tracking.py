"""What users of the SageMaker Python SDK 2.x write to keep track: runs of experiments, and lineage."""

from __future__ import annotations

import contextlib
import uuid
from pathlib import Path

from botocore.exceptions import ClientError
from sagemaker.analytics import ArtifactAnalytics, ExperimentAnalytics
from sagemaker.experiments import Experiment, Run, list_runs, load_run
from sagemaker.inputs import TrainingInput
from sagemaker.lineage.action import Action
from sagemaker.lineage.artifact import Artifact, DatasetArtifact, ModelArtifact
from sagemaker.lineage.association import Association
from sagemaker.lineage.context import Context, EndpointContext
from sagemaker.lineage.query import LineageEntityEnum, LineageFilter, LineageQuery, LineageSourceEnum
from sagemaker.lineage.visualizer import LineageTableVisualizer


def unique(stem: str) -> str:
    return f"{stem}-{uuid.uuid4().hex[:6]}"


def run_of_an_experiment(session, estimator, rows: str) -> None:
    """A run that logs, a job within it, the run loaded again, listed, analysed, and all of it deleted."""
    name, bucket = unique("My-Experiment"), unique("artifacts")
    session.boto_session.client("s3").create_bucket(Bucket=bucket)
    Path("notes.txt").write_text("what was tried")
    given = {"sagemaker_session": session, "artifact_bucket": bucket}
    with Run(experiment_name=name, run_name="Run-1", run_display_name="first", **given) as run:
        run.log_parameter("depth", 4)
        run.log_parameters({"booster": "gbtree", "eta": 0.3})
        for step in range(25):
            run.log_metric("loss", 1.0 / (step + 1), step=step)
        run.log_artifact("source", "s3://somewhere/rows.csv", media_type="text/csv", is_output=False)
        run.log_file("notes.txt", name="notes")
        estimator.fit({"train": TrainingInput(rows, content_type="text/csv")}, logs=False)
    with load_run(experiment_name=name, run_name="Run-1", **given) as run:
        run.log_parameter("again", "yes")
    component = run._trial_component.load(f"{name.lower()}-run-1", session)
    assert component.parameters == {"depth": 4.0, "booster": "gbtree", "eta": 0.3, "again": "yes"}, component.parameters
    assert (component.display_name, component.status.primary_status) == ("first", "Completed"), component.status
    loss = component.metrics[0]
    assert (loss.metric_name, loss.count, loss.min, loss.max, loss.last) == ("loss", 25, 0.04, 1.0, 0.04), vars(loss)
    assert set(component.output_artifacts) == {"notes"}, component.output_artifacts
    runs = list_runs(experiment_name=name, sagemaker_session=session)
    assert [one.run_name for one in runs] == ["run-1"], runs
    frame = ExperimentAnalytics(experiment_name=name.lower(), sagemaker_session=session).dataframe()
    assert len(frame) == 2 and set(frame["Experiments"].map(str)) == {f"['{name.lower()}']"}, frame
    assert frame["validation:rmse - Last"].dropna().empty if "validation:rmse - Last" in frame else True
    job = frame[frame["SourceArn"].notna()].iloc[0]
    assert job["num_round"] == 20.0 and str(job["SageMaker.ModelArtifact - Value"]).endswith("model.tar.gz"), job
    Experiment.load(experiment_name=name.lower(), sagemaker_session=session)._delete_all(action="--force")
    with contextlib.suppress(ClientError):
        Experiment.load(experiment_name=name.lower(), sagemaker_session=session)
        raise AssertionError("the experiment is still there")


def traced_endpoint(session, estimator, rows: str) -> None:
    """A model that is registered and deployed, found from either end."""
    given = {"sagemaker_session": session}
    package = estimator.register(
        content_types=["text/csv"], response_types=["text/csv"], model_package_group_name=unique("group"),
        inference_instances=["ml.m5.xlarge"], transform_instances=["ml.m5.xlarge"], approval_status="Approved",
    )  # fmt: skip
    predictor = package.deploy(initial_instance_count=1, instance_type="ml.m5.xlarge", endpoint_name=unique("traced"))
    endpoint = session.sagemaker_client.describe_endpoint(EndpointName=package.endpoint_name)["EndpointArn"]
    (summary,) = Context.list(source_uri=endpoint, **given)
    context = EndpointContext.load(context_name=summary.context_name, **given)
    assert [one.source.source_uri for one in context.dataset_artifacts()] == [rows]
    assert context.training_job_arns() == [estimator.latest_training_job.describe()["TrainingJobArn"]]
    (found,) = Artifact.list(source_uri=rows, **given)
    dataset = DatasetArtifact.load(artifact_arn=found.artifact_arn, **given)
    assert endpoint in [one.source.source_uri for one in dataset.endpoint_contexts()]
    frame = LineageTableVisualizer(session).show(model_package_arn=package.model_package_arn)
    told = frame[["Direction", "Type", "Association Type", "Lineage Type"]].values.tolist()
    assert sorted(told) == [
        ["Input", "Approval", "ContributedTo", "action"],
        ["Input", "Image", "ContributedTo", "artifact"],
        ["Input", "Model", "ContributedTo", "artifact"],
        ["Output", "ModelDeployment", "ContributedTo", "action"],
        ["Output", "ModelGroup", "AssociatedWith", "context"],
    ], frame
    session.delete_endpoint(package.endpoint_name)
    del predictor


def lineage_of_models(session, estimator, rows: str) -> None:
    """What a job has left, what one adds oneself, and questions about both."""
    estimator.fit({"train": TrainingInput(rows, content_type="text/csv")}, logs=False)
    job = estimator.latest_training_job.name
    frame = LineageTableVisualizer(session).show(training_job_name=job)
    told = frame[["Direction", "Type", "Association Type", "Lineage Type"]].values.tolist()
    assert sorted(told) == [
        ["Input", "DataSet", "ContributedTo", "artifact"],
        ["Input", "Image", "ContributedTo", "artifact"],
        ["Output", "Model", "Produced", "artifact"],
    ], frame
    found = next(iter(Artifact.list(source_uri=estimator.model_data, sagemaker_session=session)))
    model = ModelArtifact.load(artifact_arn=found.artifact_arn, sagemaker_session=session)
    assert [one.source.source_uri for one in model.dataset_artifacts()] == [rows]
    assert model.training_job_arns() == [estimator.latest_training_job.describe()["TrainingJobArn"]]
    given = {"sagemaker_session": session}
    traced_endpoint(session, estimator, rows)
    deployment = Action.create(unique("deploy"), "arn:x", action_type="ModelDeployment", status="InProgress", **given)
    endpoint = Context.create(unique("endpoint"), "arn:x", context_type="Endpoint", **given)
    for source, destination in (
        (model.artifact_arn, deployment.action_arn),
        (deployment.action_arn, endpoint.context_arn),
    ):
        Association.create(source_arn=source, destination_arn=destination, association_type="ContributedTo", **given)
    assert endpoint.context_name in [one.context_name for one in model.endpoint_contexts()]
    data = next(iter(Artifact.list(source_uri=rows, sagemaker_session=session)))
    dataset = DatasetArtifact.load(artifact_arn=data.artifact_arn, sagemaker_session=session)
    assert endpoint.context_name in [one.context_name for one in dataset.endpoint_contexts()]
    loaded = EndpointContext.load(context_name=endpoint.context_name, sagemaker_session=session)
    assert loaded.training_job_arns() == model.training_job_arns()
    result = LineageQuery(session).query([endpoint.context_arn])
    vertices = {(one.lineage_entity, one.lineage_source) for one in result.vertices}
    assert {("Context", "Endpoint"), ("TrialComponent", "TrainingJob"), ("Artifact", "Image")} <= vertices, vertices
    wanted = LineageFilter(entities=[LineageEntityEnum.TRIAL_COMPONENT], sources=[LineageSourceEnum.TRAINING_JOB])
    jobs = LineageQuery(session).query([endpoint.context_arn], query_filter=wanted, include_edges=False)
    assert f"{job}-aws-training-job" in [one.to_lineage_object().trial_component_name for one in jobs.vertices]
    assert rows in set(
        ArtifactAnalytics(artifact_type="DataSet", sagemaker_session=session).dataframe()["ArtifactSourceUri"]
    )
    try:
        endpoint.delete()
        raise AssertionError("a context with associations was deleted")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ValidationException", error
    endpoint.delete(disassociate=True)
    deployment.delete(disassociate=True)
