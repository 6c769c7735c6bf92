"""Endpoints through real boto3: deploy, invoke, split traffic, update under load, delete, and every way to fail."""

import io
import json
import threading
import time

import numpy as np
import pytest
import xgboost
from botocore.exceptions import ClientError

from tests.journeys.conftest import IMAGE, archive, table, variant

NEO = "785573368785.dkr.ecr.us-east-1.amazonaws.com/sagemaker-inference-pytorch:1.8-cpu-py3"


def plain_model(rounds: int = 5, scale: float = 1.0) -> tuple[xgboost.Booster, bytes]:
    """A booster trained by plain xgboost, and its model.tar.gz."""
    rows = table()
    data = xgboost.DMatrix(rows[:, 1:].astype(np.float32), rows[:, 0] * scale)
    booster = xgboost.train({"max_depth": 3, "nthread": 1}, data, num_boost_round=rounds)
    return booster, archive({"xgboost-model": bytes(booster.save_raw("json"))})


@pytest.fixture(scope="module")
def stored(server):
    """(booster, URI) of a model made elsewhere by plain xgboost."""
    from tests.journeys.conftest import Client

    client = Client(server)
    bucket = client.bucket()
    booster, packed = plain_model()
    client.s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=packed)
    return booster, f"s3://{bucket}/model.tar.gz"


def put(client, packed: bytes) -> str:
    bucket = client.bucket()
    client.s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=packed)
    return f"s3://{bucket}/model.tar.gz"


def failed_endpoint(client, uri: str, image: str = IMAGE) -> dict:
    name = client.name("failing")
    client.sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={"Image": image, "ModelDataUrl": uri},
        ExecutionRoleArn="arn:aws:iam::123456789012:role/x",
    )
    client.configure(name, [variant("all", name)])
    client.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    answer = client.in_service(name, wanted="Failed")
    client.sagemaker.delete_endpoint(EndpointName=name)
    return answer


@pytest.mark.proves("CreateModel", "CreateEndpointConfig", "CreateEndpoint", "sagemaker-runtime.InvokeEndpoint")
def test_an_endpoint_serves_a_model_made_elsewhere_by_plain_xgboost(client, stored):
    booster, uri = stored
    endpoint = client.deploy(uri)
    probe = table(20, seed=3)[:, 1:]
    body = "\n".join(",".join(map(str, row)) for row in probe)
    answer = client.invoke(endpoint, body)
    expected = booster.predict(xgboost.DMatrix(probe.astype(np.float32)))
    np.testing.assert_allclose([float(v) for v in answer.split()], expected, rtol=1e-5)
    as_json = json.loads(client.invoke(endpoint, body, Accept="application/json"))
    np.testing.assert_allclose([p["score"] for p in as_json["predictions"]], expected, rtol=1e-5)


def test_describe_endpoint_tells_its_variants(client, stored):
    endpoint = client.deploy(stored[1])
    answer = client.sagemaker.describe_endpoint(EndpointName=endpoint)
    [one] = answer["ProductionVariants"]
    assert (one["VariantName"], one["CurrentWeight"], one["CurrentInstanceCount"]) == ("all", 1.0, 1)
    assert one["DeployedImages"][0]["SpecifiedImage"] == IMAGE
    assert "DataCaptureConfig" not in answer and "FailureReason" not in answer
    groups = client.logs.describe_log_groups(logGroupNamePrefix=f"/aws/sagemaker/Endpoints/{endpoint}")["logGroups"]
    assert [g["logGroupName"] for g in groups] == [f"/aws/sagemaker/Endpoints/{endpoint}"]


@pytest.mark.proves("sagemaker-runtime.InvokeEndpointWithResponseStream")
def test_an_answer_can_come_as_a_stream(client, stored):
    endpoint = client.deploy(stored[1])
    body = "1,2,3\n" * 2000
    answer = client.runtime.invoke_endpoint_with_response_stream(
        EndpointName=endpoint, Body=body, ContentType="text/csv"
    )
    parts = [event["PayloadPart"]["Bytes"] for event in answer["Body"]]
    assert b"".join(parts).decode() == client.invoke(endpoint, body)


@pytest.mark.proves("UpdateEndpointWeightsAndCapacities")
def test_variants_share_the_traffic_and_can_be_named(client, stored):
    name = client.name("split")
    for half in ("a", "b"):
        container = {"Image": IMAGE, "ModelDataUrl": stored[1]}
        client.sagemaker.create_model(
            ModelName=f"{name}-{half}", PrimaryContainer=container, ExecutionRoleArn="arn:aws:iam::123456789012:role/x"
        )
    client.configure(name, [variant("a", f"{name}-a", 1.0), variant("b", f"{name}-b", 0.0)])
    client.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    client.in_service(name)

    def who(**more):
        answer = client.runtime.invoke_endpoint(EndpointName=name, Body="1,2,3", ContentType="text/csv", **more)
        return answer["InvokedProductionVariant"]

    assert {who() for _ in range(10)} == {"a"}
    assert who(TargetVariant="b") == "b"
    wishes = [
        {"VariantName": "a", "DesiredWeight": 0.0},
        {"VariantName": "b", "DesiredWeight": 2.0, "DesiredInstanceCount": 2},
    ]
    client.sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=wishes)
    answer = client.in_service(name)
    assert {
        v["VariantName"]: (v["CurrentWeight"], v["CurrentInstanceCount"]) for v in answer["ProductionVariants"]
    } == {
        "a": (0.0, 1),
        "b": (2.0, 2),
    }
    assert {who() for _ in range(10)} == {"b"}


@pytest.mark.proves("UpdateEndpoint")
def test_an_update_drops_no_request(client, stored):
    endpoint = client.deploy(stored[1])
    other, packed = plain_model(scale=100.0)
    name = client.name("next")
    client.sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": put(client, packed)},
        ExecutionRoleArn="arn:aws:iam::123456789012:role/x",
    )
    client.configure(name, [variant("all", name)])
    answers, errors, done = [], [], threading.Event()

    def load():
        while not done.is_set():
            try:
                answers.append(float(client.invoke(endpoint, "0.5,0.1,0.2")))
            except Exception as error:
                errors.append(error)

    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    client.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=name)
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        client.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=name)
    answer = client.in_service(endpoint)
    after = len(answers)
    while len(answers) < after + 10 and not errors:
        time.sleep(0.01)
    done.set()
    for thread in threads:
        thread.join()
    assert not errors
    assert answer["EndpointConfigName"] == name
    new = float(other.predict(xgboost.DMatrix(np.array([[0.5, 0.1, 0.2]], np.float32)))[0])
    assert answers[-1] == pytest.approx(new, rel=1e-5) and answers[0] != pytest.approx(new, rel=1e-3)


@pytest.mark.proves("DeleteEndpoint")
def test_a_deleted_endpoint_is_gone(client, stored):
    endpoint = client.deploy(stored[1])
    client.sagemaker.delete_endpoint(EndpointName=endpoint)
    client.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=endpoint, WaiterConfig={"Delay": 1})
    with pytest.raises(ClientError, match=f"Endpoint {endpoint} of account 123456789012 not found") as caught:
        client.invoke(endpoint, "1,2,3")
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    with pytest.raises(ClientError, match="Could not find endpoint"):
        client.sagemaker.delete_endpoint(EndpointName=endpoint)
    client.sagemaker.delete_endpoint_config(EndpointConfigName=endpoint)
    client.sagemaker.delete_model(ModelName=endpoint)
    with pytest.raises(ClientError, match="Could not find model"):
        client.sagemaker.describe_model(ModelName=endpoint)


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [("1,2,3,4,5,6", "text/csv", 400), ("a,b,c", "text/csv", 415), ("1,2,3", "image/png", 415)],
)
def test_what_the_model_cannot_take_is_a_model_error(client, stored, body, content_type, status):
    endpoint = client.deploy(stored[1])
    with pytest.raises(ClientError) as caught:
        client.invoke(endpoint, body, content_type)
    error = caught.value.response
    assert (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]) == ("ModelError", 424)
    assert error["OriginalStatusCode"] == status
    assert f"Received client error ({status}) from primary with message" in error["Error"]["Message"]


def test_the_payload_has_a_limit(client, stored):
    endpoint = client.deploy(stored[1])
    with pytest.raises(ClientError) as caught:
        client.invoke(endpoint, b"1" * (26 * 1024 * 1024))
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    assert "oversize" in str(caught.value)
    assert client.invoke(endpoint, "1,2,3")


def test_absent_models_and_configurations_are_named(client):
    with pytest.raises(ClientError, match='Could not find model "arn:aws:sagemaker:us-east-1:123456789012:model/no"'):
        client.configure(client.name("x"), [variant("all", "no")])
    with pytest.raises(ClientError, match="Could not find endpoint configuration"):
        client.sagemaker.create_endpoint(EndpointName=client.name("x"), EndpointConfigName="no")


def test_a_model_that_is_not_there_fails_the_endpoint_with_the_reason(client):
    answer = failed_endpoint(client, "s3://no-such-bucket-here/model.tar.gz")
    assert "Failed to download model data" in answer["FailureReason"]
    assert "s3://no-such-bucket-here/model.tar.gz" in answer["FailureReason"]


def test_a_model_that_does_not_load_fails_the_endpoint_with_its_last_log_lines(client):
    answer = failed_endpoint(client, put(client, archive({"xgboost-model": b"not a model"})))
    assert "did not pass the ping health check" in answer["FailureReason"]
    assert "Last log lines" in answer["FailureReason"]


@pytest.mark.parametrize(
    "packed",
    [b"", b"no archive at all", archive({"../escape": b"x"}), archive({"/absolute": b"x"}), archive({})],
    ids=["nothing", "corrupt", "dotdot", "absolute", "empty"],
)
def test_an_archive_that_cannot_be_trusted_fails_the_endpoint(client, packed):
    answer = failed_endpoint(client, put(client, packed))
    assert answer["FailureReason"]


def test_the_onnx_host_answers_what_onnxruntime_answers(client):
    onnx = pytest.importorskip("onnx")
    import onnxruntime

    weights = np.random.default_rng(1).normal(size=(3, 2)).astype(np.float32)
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["x", "w"], ["y"])],
        "linear",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["batch", 3])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["batch", 2])],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
    raw = model.SerializeToString()
    endpoint = client.deploy(put(client, archive({"model.onnx": raw})), NEO)
    rows = np.random.default_rng(2).normal(size=(4, 3)).astype(np.float32)
    expected = onnxruntime.InferenceSession(raw).run(None, {"x": rows})[0]
    packed = io.BytesIO()
    np.save(packed, rows)
    answer = client.runtime.invoke_endpoint(
        EndpointName=endpoint, Body=packed.getvalue(), ContentType="application/x-npy", Accept="application/x-npy"
    )
    np.testing.assert_allclose(np.load(io.BytesIO(answer["Body"].read())), expected, atol=1e-5)
    with pytest.raises(ClientError) as caught:
        client.invoke(endpoint, "1,2", "text/csv")
    assert 400 <= caught.value.response["OriginalStatusCode"] < 500
