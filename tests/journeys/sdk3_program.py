"""What users of the SageMaker Python SDK 3.x write, one function a flow. Run by a Python that has it, in an environment
that is activated (it names no server, no bucket); prints a line a flow: `ok FLOW seconds` or `FAILED FLOW reason`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import sdk_remote
import sdk_stay
from sagemaker.core.experiments.run import Run, list_runs, load_run
from sagemaker.core.lineage.action import Action
from sagemaker.core.lineage.artifact import Artifact
from sagemaker.core.lineage.association import Association
from sagemaker.core.lineage.context import Context
from sagemaker.core.lineage.query import LineageQuery
from sagemaker.core.processing import FrameworkProcessor, ScriptProcessor
from sagemaker.core.remote_function import remote
from sagemaker.core.resources import Model, ModelPackage, ModelPackageGroup
from sagemaker.core.shapes import (
    ContainerDefinition,
    MetricDefinition,
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
)
from sagemaker.core.training.configs import Compute
from sagemaker.core.transformer import Transformer
from sagemaker.serve.builder.schema_builder import SchemaBuilder
from sagemaker.serve.mode.function_pointers import Mode
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.serve.spec.inference_spec import InferenceSpec
from sagemaker.serve.utils.types import ModelServer
from sagemaker.train import ModelTrainer
from sdk3_later import (
    ai_registry,
    automl,
    clarify,
    feature_store_records,
    jumpstart_model,
    mlflow_server,
    model_monitor,
    pipeline_execution,
    tuner,
)
from sdk3_resources import endpoint, model_card, processing_job, training_job, transform_job
from sdk3_world import (
    FEATURES,
    ROLE,
    ROWS,
    SESSION,
    SKLEARN,
    SOURCE,
    XGBOOST,
    artifact,
    booster,
    bucket,
    channel,
    close,
    data,
    lines,
    script,
    unique,
)


def session_basics() -> None:
    """The default bucket, up- and downloads, the caller."""
    place = SESSION.default_bucket()
    assert place == f"sagemaker-us-east-1-{SESSION.account_id()}", place
    prefix = unique("data")
    for name in ("train", "val"):
        Path("folder", name).mkdir(parents=True, exist_ok=True)
        Path("folder", name, f"{name}.csv").write_text("1,2\n")
    SESSION.upload_data("folder", key_prefix=prefix)
    keys = [f"{prefix}/train/train.csv", f"{prefix}/val/val.csv"]
    assert SESSION.list_s3_files(place, prefix) == keys
    assert SESSION.read_s3_file(place, keys[0]) == "1,2\n"
    SESSION.download_data("back", place, key_prefix=prefix)
    assert ROLE.startswith("arn:aws:iam::123456789012:role/"), ROLE


def model_trainer_builtin() -> None:
    """XGBoost of Amazon's image; the role is looked at before."""
    trainer = booster()
    trainer.train(input_data_config=[channel(), channel("validation")], logs=True)
    job = trainer._latest_training_job
    assert job.training_job_status == "Completed", job.failure_reason
    assert "validation:rmse" in [metric.metric_name for metric in job.final_metric_data_list]


def model_trainer_defaults() -> None:
    """Without a session, a role or an instance type."""
    ModelTrainer(training_image=XGBOOST, hyperparameters={"num_round": 2}).train(
        input_data_config=[channel()], logs=False
    )


def model_trainer_script() -> None:
    """A script with requirements and hyperparameters, its metrics, on two hosts."""
    trainer = script(compute=Compute(instance_type="ml.m5.large", instance_count=2), requirements="requirements.txt")
    trainer = trainer.with_metric_definitions([MetricDefinition(name="score", regex="score=(.*?);")])
    trainer.train(input_data_config=[channel()], logs=True)
    job = trainer._latest_training_job
    assert job.final_metric_data_list[0].value > 0.99, job.final_metric_data_list


def model_trainer_command() -> None:
    """A command instead of a script."""
    trainer = script("python fit.py --alpha 0.5 --note commanded")
    trainer.train(input_data_config=[channel()], logs=False)
    assert trainer._latest_training_job.training_job_status == "Completed"


def model_trainer_fails() -> None:
    """What the script raises is told."""
    try:
        script(hyperparameters={"fail": "no such luck"}).train(input_data_config=[channel()], logs=False)
    except Exception as error:
        assert "no such luck" in str(error) or "exit code" in str(error).lower(), error
        return
    raise AssertionError("the job did not fail")


def own_image() -> None:
    """An image of one's own in containers; as a process there is nothing to run."""
    image = os.environ.get("SDK_OWN_IMAGE") or "123456789012.dkr.ecr.us-east-1.amazonaws.com/of-mine:1"
    booster(training_image=image, hyperparameters={"word": "hello"}).train(input_data_config=[channel()], logs=False)


def model_builder() -> None:
    """build, deploy, invoke of an artifact under an image; and of a ModelTrainer's job."""
    made = ModelBuilder(
        image_uri=XGBOOST, s3_model_data_url=artifact(), role_arn=ROLE, sagemaker_session=SESSION,
        instance_type="ml.m5.large",
    )  # fmt: skip
    assert isinstance(made.build(model_name=unique("built")), Model)
    deployed = made.deploy(endpoint_name=unique("built"), initial_instance_count=1)
    answer = deployed.invoke(body=lines(FEATURES), content_type="text/csv", accept="text/csv")
    close(answer.body if isinstance(answer.body, str | bytes) else answer.body.read(), ROWS[:5, 0])
    deployed.delete()


class Doubler(InferenceSpec):
    """A model of one's own."""

    def load(self, model_dir):
        return 2

    def invoke(self, input_object, model):
        return [number * model for number in input_object]


def model_builder_in_process() -> None:
    """A model that is served within the program."""
    made = ModelBuilder(
        inference_spec=Doubler(), schema_builder=SchemaBuilder([1, 2], [2, 4]), mode=Mode.IN_PROCESS,
        role_arn=ROLE, sagemaker_session=SESSION, model_server=ModelServer.TORCHSERVE,
    )  # fmt: skip
    made.build()
    deployed = made.deploy_local()
    answer = deployed.invoke([1, 2])
    assert list(getattr(answer, "body", answer)) == [2, 4], answer


def model_builder_inference_spec() -> None:
    """A model of one's own, packed and deployed under TorchServe's image."""
    made = ModelBuilder(
        inference_spec=Doubler(), schema_builder=SchemaBuilder([1, 2], [2, 4]), role_arn=ROLE,
        sagemaker_session=SESSION, model_server=ModelServer.TORCHSERVE, instance_type="ml.m5.large",
        dependencies={"auto": False},
        image_uri="763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.2-cpu-py310",
    )  # fmt: skip
    made.build()
    deployed = made.deploy(endpoint_name=unique("spec"))
    answer = deployed.invoke(body=json.dumps([1, 2]).encode(), content_type="application/json").body
    answer = json.loads(answer if isinstance(answer, str | bytes) else answer.read())
    assert answer == [2, 4], answer
    deployed.delete()


def register() -> None:
    """A model registered, approved, found and deployed from the registry."""
    made = ModelBuilder(
        image_uri=XGBOOST, s3_model_data_url=artifact(), role_arn=ROLE, sagemaker_session=SESSION,
        instance_type="ml.m5.large",
    )  # fmt: skip
    made.build(model_name=unique("registered"))
    group = unique("group")
    made.register(
        model_package_group_name=group, content_types=["text/csv"], response_types=["text/csv"],
        inference_instances=["ml.m5.large"], transform_instances=["ml.m5.large"],
        approval_status="PendingManualApproval",
    )  # fmt: skip
    assert [one.model_package_group_name for one in ModelPackageGroup.get_all(name_contains=group)] == [group]
    (package,) = list(ModelPackage.get_all(model_package_group_name=group))
    package.update(model_approval_status="Approved", approval_description="seen")
    package.refresh()
    assert package.model_approval_status == "Approved", package
    of_package = [ContainerDefinition(model_package_name=package.model_package_arn)]
    Model.create(model_name=unique("from-registry"), execution_role_arn=ROLE, containers=of_package)


def processed(processor, **code) -> str:
    """The file that the script wrote."""
    name = unique("sums")
    processor.run(
        inputs=[
            ProcessingInput(
                input_name="rows",
                s3_input=ProcessingS3Input(
                    s3_uri=data(), local_path="/opt/ml/processing/input/rows", s3_data_type="S3Prefix"
                ),
            )
        ],
        outputs=[
            ProcessingOutput(
                output_name="sums",
                s3_output=ProcessingS3Output(
                    s3_uri=bucket(name), local_path="/opt/ml/processing/output", s3_upload_mode="EndOfJob"
                ),
            )
        ],
        arguments=["--scale", "2"],
        **code,
    )
    total, how = SESSION.read_s3_file(SESSION.default_bucket(), f"{name}/sum.txt").split()
    assert abs(float(total) - 2 * ROWS[:, 0].sum()) < 0.2, total
    return how


PROCESSOR = {"role": ROLE, "instance_count": 1, "instance_type": "ml.m5.large", "sagemaker_session": SESSION}


def script_processor() -> None:
    processor = ScriptProcessor(image_uri=SKLEARN, command=["python3"], **PROCESSOR)
    assert processed(processor, code=str(SOURCE / "processing" / "summary.py")) == "without"


def framework_processor() -> None:
    processor = FrameworkProcessor(image_uri=SKLEARN, command=["python3"], **PROCESSOR)
    assert processed(processor, code="summary.py", source_dir=str(SOURCE / "processing")) == "with"


def transformer() -> None:
    made = ModelBuilder(
        image_uri=XGBOOST, s3_model_data_url=artifact(), role_arn=ROLE, sagemaker_session=SESSION,
        instance_type="ml.m5.large",
    )  # fmt: skip
    name = unique("transformed")
    made.build(model_name=name)
    Path("features.csv").write_text(lines(FEATURES) + "\n")
    given = SESSION.upload_data("features.csv", key_prefix=f"{name}/in")
    job = Transformer(
        name, 1, "ml.m5.large", output_path=bucket(f"{name}/out"), accept="text/csv", assemble_with="Line",
        strategy="MultiRecord", sagemaker_session=SESSION,
    )  # fmt: skip
    job.transform(given, content_type="text/csv", split_type="Line", wait=True, logs=True)
    close(SESSION.read_s3_file(SESSION.default_bucket(), f"{name}/out/features.csv.out"), ROWS[:5, 0])


def experiment_run() -> None:
    """A run that logs, a file with it, the run loaded again and listed."""
    name = unique("experiment")
    Path("notes.txt").write_text("what was tried")
    given = {"experiment_name": name, "run_name": "first", "sagemaker_session": SESSION}
    with Run(**given) as run:
        run.log_parameter("depth", 4)
        for step in range(3):
            run.log_metric("loss", 1.0 / (step + 1), step=step)
        run.log_file("notes.txt", name="notes")
    with load_run(**given) as run:
        run.log_parameter("again", "yes")
    listed = list_runs(experiment_name=name, sagemaker_session=SESSION)
    assert [one.run_name for one in listed] == ["first"], listed


def lineage() -> None:
    """Entities of one's own, tied and asked."""
    given = {"sagemaker_session": SESSION}
    context = Context.create(
        context_name=unique("c"), source_uri="s3://c", source_type="x", context_type="Endpoint", **given
    )
    action = Action.create(
        action_name=unique("a"), source_uri="s3://a", source_type="x", action_type="ModelDeployment",
        status="InProgress", **given,
    )  # fmt: skip
    found = Artifact.create(artifact_name=unique("d"), source_uri=bucket(unique("d")), artifact_type="DataSet", **given)
    for source, destination in (
        (found.artifact_arn, action.action_arn),
        (action.action_arn, context.context_arn),
    ):
        Association.create(source_arn=source, destination_arn=destination, association_type="ContributedTo", **given)
    assert len(list(Association.list(source_arn=action.action_arn, **given))) == 1
    told = LineageQuery(SESSION).query([context.context_arn])
    assert found.artifact_arn in {vertex.arn for vertex in told.vertices}, told


def remote_function() -> None:
    sdk_remote.function(remote, REMOTE)


REMOTE = {"role": ROLE, "instance_type": "ml.m5.large", "sagemaker_session": SESSION}
FLOWS = [
    session_basics, model_trainer_builtin, model_trainer_defaults, model_trainer_script, model_trainer_command,
    model_trainer_fails, own_image, model_builder, model_builder_in_process, model_builder_inference_spec, register,
    script_processor, framework_processor, transformer, training_job, endpoint, processing_job, transform_job,
    experiment_run, lineage, model_card, remote_function, tuner, clarify, pipeline_execution,
    feature_store_records, model_monitor, jumpstart_model, automl, ai_registry, mlflow_server,
]  # fmt: skip


if __name__ == "__main__":
    sdk_stay.main(FLOWS, sys.argv[1:])
