"""Models and endpoint configurations: what Create checks beyond the model of the service, and in which words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from emulator.call import Call, Scope
from emulator.errors import Validation
from emulator.house import House

SCOPE = Scope("123456789012", "eu-west-1")
ROLE = "arn:aws:iam::123456789012:role/Any"


@pytest.fixture
def house() -> Iterator[House]:
    made = House.for_tests()
    made.dispatch(call("CreateModel", ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "i"}))
    yield made
    made.close()


def call(operation: str, **params: Any) -> Call:
    return Call("sagemaker", operation, params, SCOPE)


def configure(house: House, *variants: dict[str, Any], **more: Any) -> Any:
    given = [{"VariantName": "v", "ModelName": "m", **variant} for variant in variants]
    return house.dispatch(call("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=given, **more))


def test_a_model_that_is_not_there_is_refused_by_its_name(house: House) -> None:
    with pytest.raises(Validation, match='Could not find model "arn:aws:sagemaker:eu-west-1:123456789012:model/none"'):
        configure(house, {"ModelName": "none"})
    assert house.dispatch(call("ListEndpointConfigs"))["EndpointConfigs"] == []


def test_variant_names_are_unique_shadows_included(house: House) -> None:
    one = {"InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    with pytest.raises(Validation) as twice:
        configure(house, one, one)
    assert twice.value.message == 'The variant name "v" was non-unique within the request.'
    with pytest.raises(Validation, match="non-unique"):
        configure(house, one, ShadowProductionVariants=[{"VariantName": "v", "ModelName": "m", **one}])


def test_serverless_memory_comes_in_six_sizes(house: House) -> None:
    with pytest.raises(
        Validation, match=r"Value '1111' at 'MemorySizeInMB' failed to satisfy constraint: .*\[1024, 2048"
    ):
        configure(house, {"ServerlessConfig": {"MemorySizeInMB": 1111, "MaxConcurrency": 1}})
    configure(house, {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 1}})
