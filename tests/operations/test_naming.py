"""Which resource a request is about: of every operation of the model the same name that people would say."""

import pytest

from emulator import spec
from emulator.naming import candidates, short, subject


@pytest.mark.parametrize(
    ("operation", "first"),
    [
        ("CreateTrainingJob", "TrainingJobName"),
        ("CreateEndpoint", "EndpointName"),
        ("UpdateEndpointWeightsAndCapacities", "EndpointName"),
        ("StopPipelineExecution", "PipelineExecutionArn"),
        ("StartPipelineExecution", "PipelineName"),
        ("CreateTransformJob", "TransformJobName"),
        ("DescribeModelPackage", "ModelPackageName"),
        ("AddTags", "ResourceArn"),
        ("CreateUserProfile", "UserProfileName"),
        ("DescribeDomain", "DomainId"),
    ],
)
def test_operations_of_sagemaker(operation, first):
    shape = spec.load("sagemaker").operation_model(operation).input_shape
    assert candidates(operation, dict.fromkeys([*shape.required_members, *shape.members]))[0] == first


def test_every_creation_names_what_it_makes():
    model = spec.load("sagemaker")
    for operation in model.operation_names:
        shape = model.operation_model(operation).input_shape
        if operation.startswith("Create") and shape is not None:
            noun = operation.removeprefix("Create")
            found = candidates(operation, dict.fromkeys([*shape.required_members, *shape.members]))
            assert f"{noun}Name" not in shape.members or found[0] == f"{noun}Name"


@pytest.mark.parametrize(
    ("identifier", "name"),
    [
        ("my-job", "my-job"),
        ("arn:aws:sagemaker:us-east-1:123456789012:training-job/my-job", "my-job"),
        ("arn:aws:sagemaker:us-east-1:123456789012:pipeline/p/execution/abc", "p/execution/abc"),
        ("arn:aws:sns:us-east-1:123456789012:topic", "topic"),
        ("http://localhost:4577/123456789012/queue", "queue"),
        ("/my/parameter", "/my/parameter"),
    ],
)
def test_short(identifier, name):
    assert short(identifier) == name


def test_who_acts_is_not_what_is_acted_upon():
    assert subject(candidates("PassRole", ["RoleArn"]), {"RoleArn": "arn:aws:iam::1:role/x"}) == ""
