"""ModelBuilder of the SageMaker Python SDK 2.x: a flow of `sdk_program`."""

from __future__ import annotations

from sagemaker import image_uris
from sagemaker.serve import InferenceSpec, ModelBuilder, ModelServer, SchemaBuilder
from sdk_world import ROLE, SESSION


def model_builder() -> None:
    """A model of one's own, packed and deployed under TorchServe's image."""

    class Doubler(InferenceSpec):
        """Here, so that it is pickled with its code: the model's server has no module of this name."""

        def load(self, model_dir):
            return 2

        def invoke(self, input_object, model):
            return [number * model for number in input_object]

    given = {"version": "2.2", "py_version": "py310", "instance_type": "ml.m5.large", "image_scope": "inference"}
    made = ModelBuilder(
        inference_spec=Doubler(), schema_builder=SchemaBuilder([1, 2], [2, 4]), model_server=ModelServer.TORCHSERVE,
        image_uri=image_uris.retrieve("pytorch", "us-east-1", **given), dependencies={"auto": False},
        role_arn=ROLE, sagemaker_session=SESSION,
    )  # fmt: skip
    predictor = made.build().deploy(initial_instance_count=1, instance_type="ml.m5.large")
    assert predictor.predict([1, 2]) == [2, 4]
    predictor.delete_endpoint()
