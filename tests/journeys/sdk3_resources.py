"""What users of `sagemaker.core` write: the resources of the API as objects, without anything in between."""

from __future__ import annotations

from pathlib import Path

import boto3
from sagemaker.core.resources import (
    Endpoint,
    EndpointConfig,
    Model,
    ModelCard,
    ProcessingJob,
    Tag,
    TrainingJob,
    TransformJob,
)
from sagemaker.core.shapes import (
    AlgorithmSpecification,
    AppSpecification,
    Channel,
    ContainerDefinition,
    DataSource,
    OutputDataConfig,
    ProcessingClusterConfig,
    ProcessingInput,
    ProcessingOutput,
    ProcessingOutputConfig,
    ProcessingResources,
    ProcessingS3Input,
    ProcessingS3Output,
    ProductionVariant,
    ResourceConfig,
    S3DataSource,
    StoppingCondition,
    TransformDataSource,
    TransformInput,
    TransformOutput,
    TransformResources,
    TransformS3DataSource,
)
from sdk3_world import (
    FEATURES,
    ROLE,
    ROWS,
    SESSION,
    SKLEARN,
    SOURCE,
    XGBOOST,
    artifact,
    bucket,
    close,
    data,
    lines,
    unique,
)


def training_job() -> None:
    """Created, awaited with its log, listed, loaded and stopped."""
    where = S3DataSource(s3_data_type="S3Prefix", s3_uri=data(), s3_data_distribution_type="FullyReplicated")
    job = TrainingJob.create(
        training_job_name=unique("core"),
        role_arn=ROLE,
        algorithm_specification=AlgorithmSpecification(training_image=XGBOOST, training_input_mode="File"),
        hyper_parameters={"num_round": "5", "objective": "reg:squarederror"},
        input_data_config=[
            Channel(channel_name="train", content_type="text/csv", data_source=DataSource(s3_data_source=where))
        ],
        output_data_config=OutputDataConfig(s3_output_path=bucket("out")),
        resource_config=ResourceConfig(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=10),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=600),
        tags=[Tag(key="team", value="a")],
    )
    job.wait(logs=True)
    assert job.training_job_status == "Completed", job.failure_reason
    assert job.model_artifacts.s3_model_artifacts.endswith("/output/model.tar.gz")
    assert job.training_job_name in [one.training_job_name for one in TrainingJob.get_all(name_contains="core-")]
    assert TrainingJob.get(job.training_job_name).billable_time_in_seconds >= 0
    assert {tag.key: tag.value for tag in Tag.get_all(resource_arn=job.training_job_arn)}["team"] == "a"


def endpoint() -> None:
    """Model, configuration, endpoint: asked, listed, deleted."""
    name = unique("core")
    Model.create(
        model_name=name,
        execution_role_arn=ROLE,
        primary_container=ContainerDefinition(image=XGBOOST, model_data_url=artifact()),
    )
    variant = ProductionVariant(
        variant_name="all", model_name=name, instance_type="ml.m5.large", initial_instance_count=1
    )
    EndpointConfig.create(endpoint_config_name=name, production_variants=[variant])
    made = Endpoint.create(endpoint_name=name, endpoint_config_name=name)
    made.wait_for_status("InService")
    asked = {"body": lines(FEATURES), "content_type": "text/csv", "accept": "text/csv"}
    close(made.invoke(**asked).body.read(), ROWS[:5, 0])
    assert name in [one.endpoint_name for one in Endpoint.get_all(name_contains=name)]
    made.delete()
    made.wait_for_delete()
    EndpointConfig.get(name).delete()
    Model.get(name).delete()
    assert list(Model.get_all(name_contains=name)) == []


def processing_job() -> None:
    """A script in an image, with an input and an output."""
    code = SESSION.upload_data(str(SOURCE / "processing" / "summary.py"), key_prefix=unique("code"))
    name = unique("core")
    given = {"s3_data_type": "S3Prefix", "s3_input_mode": "File"}
    ins = {"code": (code, "code"), "rows": (data(), "rows")}
    job = ProcessingJob.create(
        processing_job_name=name,
        role_arn=ROLE,
        app_specification=AppSpecification(
            image_uri=SKLEARN,
            container_entrypoint=["python3", "/opt/ml/processing/input/code/summary.py"],
            container_arguments=["--scale", "2"],
        ),
        processing_inputs=[
            ProcessingInput(
                input_name=each,
                s3_input=ProcessingS3Input(s3_uri=uri, local_path=f"/opt/ml/processing/input/{folder}", **given),
            )
            for each, (uri, folder) in ins.items()
        ],
        processing_output_config=ProcessingOutputConfig(
            outputs=[
                ProcessingOutput(
                    output_name="sums",
                    s3_output=ProcessingS3Output(
                        s3_uri=bucket(name), local_path="/opt/ml/processing/output", s3_upload_mode="EndOfJob"
                    ),
                )
            ]
        ),
        processing_resources=ProcessingResources(
            cluster_config=ProcessingClusterConfig(instance_count=1, instance_type="ml.m5.large", volume_size_in_gb=10)
        ),
    )
    job.wait()
    assert job.processing_job_status == "Completed", job.failure_reason
    total = SESSION.read_s3_file(SESSION.default_bucket(), f"{name}/sum.txt").split()[0]
    assert abs(float(total) - 2 * ROWS[:, 0].sum()) < 0.2, total


def transform_job() -> None:
    """A file predicted line by line."""
    name = unique("core")
    Model.create(
        model_name=name,
        execution_role_arn=ROLE,
        primary_container=ContainerDefinition(image=XGBOOST, model_data_url=artifact()),
    )
    Path("features.csv").write_text(lines(FEATURES) + "\n")
    where = TransformS3DataSource(
        s3_data_type="S3Prefix", s3_uri=SESSION.upload_data("features.csv", key_prefix=f"{name}/in")
    )
    job = TransformJob.create(
        transform_job_name=name,
        model_name=name,
        transform_input=TransformInput(
            data_source=TransformDataSource(s3_data_source=where), content_type="text/csv", split_type="Line"
        ),
        transform_output=TransformOutput(s3_output_path=bucket(f"{name}/out"), accept="text/csv", assemble_with="Line"),
        transform_resources=TransformResources(instance_type="ml.m5.large", instance_count=1),
    )
    job.wait()
    assert job.transform_job_status == "Completed", job.failure_reason
    close(SESSION.read_s3_file(SESSION.default_bucket(), f"{name}/out/features.csv.out"), ROWS[:5, 0])


def model_card() -> None:
    """A card made, changed, listed, exported and deleted."""
    card = ModelCard.create(model_card_name=unique("card"), content="{}", model_card_status="Draft")
    card.update(content='{"model_overview": {"model_description": "changed"}}')
    card.update(model_card_status="Approved")
    now = ModelCard.get(card.model_card_name)
    assert (now.model_card_status, now.model_card_version) == ("Approved", 2), now
    assert [one.model_card_version for one in now.get_all_versions()] == [2], "those of its own status"
    client = boto3.client("sagemaker")
    arn = client.create_model_card_export_job(
        ModelCardName=card.model_card_name,
        ModelCardExportJobName=unique("export"),
        OutputConfig={"S3OutputPath": bucket("cards")},
    )["ModelCardExportJobArn"]
    while (told := client.describe_model_card_export_job(ModelCardExportJobArn=arn))["Status"] == "InProgress":
        pass
    assert told["Status"] == "Completed", told
    card.delete()
