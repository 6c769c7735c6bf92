"""What nothing here makes is absent, work on it is refused by name, and lists of it are empty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from emulator import spec
from emulator.errors import CallerFault, NotBuilt, Validation
from emulator.kinds.elsewhere import ELSEWHERE
from tests.behaviours.houses import Caller, caller
from tests.kinds.samples import least

OPERATIONS = [(service, name) for service, said in ELSEWHERE.items() for name in said]
ARN = "arn:aws:sagemaker-geospatial:eu-west-1:123456789012:earth-observation-job/0123456789ab"
JOB = "arn:aws:sagemaker:eu-west-1:123456789012:job/agentrft/j"
FLOW = "arn:aws:sagemaker:eu-west-1:123456789012:flow-definition/f"
EXECUTION = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/p/execution/0123456789ab"


@pytest.fixture(scope="module")
def sagemaker() -> Iterator[Caller]:
    with caller() as made:
        yield made


@pytest.mark.parametrize(("service", "operation"), OPERATIONS, ids=[name for _, name in OPERATIONS])
def test_the_table_names_members_and_errors_of_the_model(sagemaker: Caller, service: str, operation: str) -> None:
    """The least request gets an error that the model has, or an empty page: never an invented result."""
    model, said = spec.load(service).operation_model(operation), ELSEWHERE[service][operation]
    assert said.member.partition("[]")[0] in {"", *model.input_shape.members}
    assert not (said.kind and said.noun)
    modelled = {shape.name for shape in model.error_shapes}
    try:
        answer = sagemaker.of(service).do(operation, **least(model.input_shape))
    except NotBuilt as refused:
        assert said.refused in refused.message and operation in refused.message
    except CallerFault as fault:
        assert fault.code in modelled | {"ValidationException"}
    else:
        assert list(answer.values()) == [[]], "an empty page"


@pytest.mark.parametrize(
    ("service", "operation", "params", "code"),
    [
        ("sagemaker-a2i-runtime", "DescribeHumanLoop", {"HumanLoopName": "l"}, "ResourceNotFoundException"),
        ("sagemaker-a2i-runtime", "ListHumanLoops", {"FlowDefinitionArn": FLOW}, "ResourceNotFoundException"),
        ("sagemaker-geospatial", "GetEarthObservationJob", {"Arn": ARN}, "ResourceNotFoundException"),
        ("sagemaker-geospatial", "ListTagsForResource", {"ResourceArn": ARN}, "ResourceNotFoundException"),
        ("sagemakerjobruntime", "CompleteRollout", {"JobArn": JOB, "TrajectoryId": "t"}, "ResourceNotFoundException"),
        (
            "sagemakertrainingsessionruntime",
            "GetTrainingOperationResult",
            {"trainingSessionName": "s", "operationId": "o"},
            "ResourceNotFoundException",
        ),
        (
            "sagemaker-gateway-runtime",
            "InvokeGlobalInferenceGateway",
            {"GatewayId": "0123456789ab", "ContentType": "application/json", "Body": b"{}"},
            "ResourceNotFoundException",
        ),
        (
            "sagemaker-inference-router-runtime",
            "InvokeInferenceRouter",
            {"InferenceRouterName": "r", "RoutingTargetName": "t", "Body": b"{}"},
            "ValidationException",
        ),
        ("sagemaker", "SendPipelineExecutionStepSuccess", {"CallbackToken": "0123456789"}, "ResourceNotFound"),
        ("sagemaker", "ListCandidatesForAutoMLJob", {"AutoMLJobName": "j"}, "ResourceNotFound"),
        (
            "sagemaker",
            "ListTrainingJobsForHyperParameterTuningJob",
            {"HyperParameterTuningJobName": "j"},
            "ResourceNotFound",
        ),
        ("sagemaker", "ListInferenceRecommendationsJobSteps", {"JobName": "j"}, "ResourceNotFound"),
        (
            "sagemaker",
            "GetScalingConfigurationRecommendation",
            {"InferenceRecommendationsJobName": "j"},
            "ResourceNotFound",
        ),
        ("sagemaker", "ListInferenceGateways", {"Identifier": "g"}, "ResourceNotFound"),
        (
            "sagemaker",
            "UpdateInferenceComponentRuntimeConfig",
            {"InferenceComponentName": "c", "DesiredRuntimeConfig": {"CopyCount": 1}},
            "ValidationException",
        ),
        ("sagemaker", "ListPipelineExecutionSteps", {"PipelineExecutionArn": EXECUTION}, "ResourceNotFound"),
        ("sagemaker", "ListPipelineParametersForExecution", {"PipelineExecutionArn": EXECUTION}, "ResourceNotFound"),
        (
            "sagemaker",
            "RetryPipelineExecution",
            {"PipelineExecutionArn": EXECUTION, "ClientRequestToken": "t" * 32},
            "ResourceNotFound",
        ),
    ],
)
def test_what_is_absent_is_told_with_a_code_of_the_service(
    sagemaker: Caller, service: str, operation: str, params: dict[str, Any], code: str
) -> None:
    with pytest.raises(CallerFault) as absent:
        sagemaker.of(service).do(operation, **params)
    assert absent.value.code == code
    named = str(next(iter(params.values())))
    assert named.rpartition("/")[2] in absent.value.message


def test_lists_of_what_nothing_makes_are_empty_and_know_no_token(sagemaker: Caller) -> None:
    for service, operation, member in (
        ("sagemaker-geospatial", "ListEarthObservationJobs", "EarthObservationJobSummaries"),
        ("sagemaker-geospatial", "ListVectorEnrichmentJobs", "VectorEnrichmentJobSummaries"),
        ("sagemaker", "ListResourceCatalogs", "ResourceCatalogs"),
        ("sagemaker", "ListPipelineExecutionSteps", "PipelineExecutionSteps"),
    ):
        assert sagemaker.of(service).do(operation) == {member: []}
        with pytest.raises(Validation, match="NextToken"):
            sagemaker.of(service).do(operation, NextToken="made-up")


def test_work_is_refused_by_name_with_the_reason(sagemaker: Caller) -> None:
    config = {"JobConfig": {}, "InputConfig": {}, "Name": "j", "ExecutionRoleArn": "arn:aws:iam::123456789012:role/x"}
    with pytest.raises(NotBuilt, match="StartVectorEnrichmentJob is not built: no engine here does the work of geo"):
        sagemaker.of("sagemaker-geospatial").do(
            "StartVectorEnrichmentJob",
            **{**config, "InputConfig": {"DataSourceConfig": {}, "DocumentType": "CSV"}},
        )
    with pytest.raises(NotBuilt, match="collections of satellite images are not here"):
        sagemaker.of("sagemaker-geospatial").do("ListRasterDataCollections")
