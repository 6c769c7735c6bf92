"""Scripts that serve what they trained: as `estimator.fit()` and `.deploy()` of the SDK ask for it, with real boto3."""

import io
import json
import tarfile

import joblib
import numpy as np
import pytest
from botocore.exceptions import ClientError

from tests.journeys.conftest import ROLE, archive, channel, csv, table, training_request, variant

REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
SKLEARN = f"{REGISTRY}/sagemaker-scikit-learn:1.2-1-cpu-py3"
PYTORCH = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.1.0-cpu-py310"
TRAIN = """
import argparse, os
import joblib, numpy
from sklearn.linear_model import Ridge

def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--alpha", type=float)
    parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
    given = parser.parse_args()
    rows = numpy.loadtxt(os.path.join(given.train, "rows.csv"), delimiter=",")
    model = Ridge(alpha=given.alpha).fit(rows[:, 1:], rows[:, 0])
    joblib.dump(model, os.path.join(os.environ["SM_MODEL_DIR"], "model.joblib"))
"""
PROBE = table(20, seed=3)[:, 1:].astype(np.float32)


@pytest.fixture(scope="module")
def trained(server):
    """(model as scikit-learn loads it, URI of model.tar.gz, URI of sourcedir.tar.gz)."""
    from tests.journeys.conftest import Client

    client = Client(server)
    bucket, job = client.bucket(), client.name("sklearn")
    client.s3.put_object(Bucket=bucket, Key="train/rows.csv", Body=csv(table()))
    source = put(client, bucket, "source/sourcedir.tar.gz", archive({"train.py": TRAIN.encode()}))
    request = training_request(job, bucket) | {
        "AlgorithmSpecification": {"TrainingImage": SKLEARN, "TrainingInputMode": "File"},
        "HyperParameters": {
            "sagemaker_program": '"train.py"',
            "sagemaker_submit_directory": json.dumps(source),
            "alpha": "0.5",
        },
        "InputDataConfig": [channel(bucket)],
    }
    client.sagemaker.create_training_job(**request)
    ended = client.settle(lambda: client.sagemaker.describe_training_job(TrainingJobName=job), "TrainingJobStatus")
    assert ended["TrainingJobStatus"] == "Completed", ended.get("FailureReason")
    where = ended["ModelArtifacts"]["S3ModelArtifacts"]
    packed = client.s3.get_object(Bucket=bucket, Key=where.split("/", 3)[3])["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        model = joblib.load(io.BytesIO(tar.extractfile("model.joblib").read()))
    return model, where, source


def put(client, bucket: str, key: str, body: bytes) -> str:
    client.s3.put_object(Bucket=bucket, Key=key, Body=body)
    return f"s3://{bucket}/{key}"


def environment(source: str, program: str = "train.py") -> dict:
    """What the SDK's models set."""
    return {
        "SAGEMAKER_PROGRAM": program,
        "SAGEMAKER_SUBMIT_DIRECTORY": source,
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
        "SAGEMAKER_REGION": "us-east-1",
    }


def model_with(client, trained, script: str, name: str = "inference.py", **code: str) -> str:
    """The trained model packed anew with a script, as the SDK's `repack_model` does."""
    packed = io.BytesIO()
    joblib.dump(trained[0], packed)
    files = {"model.joblib": packed.getvalue(), f"code/{name}": script.encode()}
    files |= {f"code/{other}": text.encode() for other, text in code.items()}
    return put(client, client.bucket(), "model.tar.gz", archive(files))


LOAD = """
import joblib, os
def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))
"""


@pytest.fixture(scope="module")
def endpoint(server, trained):
    """An endpoint as SKLearnModel deploys it: the model as trained, the code where training had it."""
    from tests.journeys.conftest import Client

    return Client(server).deploy(trained[1], SKLEARN, Environment=environment(trained[2]))


def test_a_script_answers_csv_json_and_npy_as_scikit_learn_does(client, trained, endpoint):
    expected = trained[0].predict(PROBE)
    as_csv = "\n".join(",".join(map(str, row)) for row in PROBE.tolist())
    np.testing.assert_array_equal(json.loads(client.invoke(endpoint, as_csv)), expected)
    np.testing.assert_array_equal(
        json.loads(client.invoke(endpoint, json.dumps(PROBE.tolist()), "application/json")), expected
    )
    lines = client.invoke(endpoint, as_csv, Accept="text/csv")
    assert lines == "".join(f"{value}\n" for value in expected.tolist())
    packed = io.BytesIO()
    np.save(packed, PROBE)
    answer = client.runtime.invoke_endpoint(
        EndpointName=endpoint, Body=packed.getvalue(), ContentType="application/x-npy", Accept="application/x-npy"
    )
    assert answer["ContentType"] == "application/x-npy"
    np.testing.assert_array_equal(np.load(io.BytesIO(answer["Body"].read())), expected)


def test_a_script_transforms_in_batches(client, trained, endpoint):
    bucket = client.bucket()
    put(client, bucket, "in/probe.csv", "\n".join(",".join(map(str, row)) for row in PROBE.tolist()).encode())
    job = client.name("transform")
    client.sagemaker.create_transform_job(
        TransformJobName=job,
        ModelName=endpoint,
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/in"}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": f"s3://{bucket}/out", "Accept": "text/csv", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        BatchStrategy="MultiRecord",
    )
    ended = client.settle(lambda: client.sagemaker.describe_transform_job(TransformJobName=job), "TransformJobStatus")
    assert ended["TransformJobStatus"] == "Completed", ended.get("FailureReason")
    found = [float(value) for value in client.text(bucket, "out/probe.csv.out").split()]
    np.testing.assert_array_equal(found, trained[0].predict(PROBE))


def test_code_in_the_model_serves_under_network_isolation(client, trained):
    uri = model_with(client, trained, LOAD)
    name = client.name("isolated")
    client.sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={
            "Image": SKLEARN,
            "ModelDataUrl": uri,
            "Environment": environment("/opt/ml/model/code", "inference.py"),
        },
        ExecutionRoleArn=ROLE,
        EnableNetworkIsolation=True,
    )
    client.configure(name, [variant("all", name)])
    client.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    client.in_service(name)
    answer = json.loads(client.invoke(name, json.dumps(PROBE.tolist()), "application/json"))
    np.testing.assert_array_equal(answer, trained[0].predict(PROBE))


def test_an_error_of_the_script_is_a_model_error_with_its_words_and_its_traceback_in_the_log(client, trained):
    script = LOAD + 'def predict_fn(data, model):\n    raise ArithmeticError("nothing adds up")\n'
    endpoint = client.deploy(model_with(client, trained, script), SKLEARN)
    with pytest.raises(ClientError) as caught:
        client.invoke(endpoint, "[[1, 2, 3]]", "application/json")
    error = caught.value.response
    assert (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]) == ("ModelError", 424)
    assert error["OriginalStatusCode"] == 500
    assert "ArithmeticError: nothing adds up" in error["OriginalMessage"]
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    [stream] = client.logs.describe_log_streams(logGroupName=group)["logStreams"]
    lines = client.logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    assert any("in predict_fn" in line["message"] for line in lines)


def failed(client, **container) -> str:
    name = client.name("failing")
    client.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    client.configure(name, [variant("all", name)])
    client.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    reason = client.in_service(name, wanted="Failed")["FailureReason"]
    client.sagemaker.delete_endpoint(EndpointName=name)
    return reason


def test_a_script_without_model_fn_fails_the_endpoint_and_says_so(client, trained):
    reason = failed(client, Image=SKLEARN, ModelDataUrl=model_with(client, trained, "x = 1\n"))
    assert "Please provide a model_fn implementation" in reason


def test_a_model_without_any_script_fails_the_endpoint_and_says_where_it_belongs(client, trained):
    reason = failed(client, Image=SKLEARN, ModelDataUrl=trained[1])
    assert "There is no script to serve with" in reason and "code/inference.py" in reason


def test_code_that_is_not_there_fails_the_endpoint_with_its_uri(client, trained):
    missing = f"{trained[2]}.not"
    reason = failed(client, Image=SKLEARN, ModelDataUrl=trained[1], Environment=environment(missing))
    assert missing in reason and "NoSuchKey" in reason


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_pytorch_serves_torchscript_alone_and_functions_that_see_custom_attributes(client):
    torch = pytest.importorskip("torch")
    module = torch.nn.Linear(3, 2)
    saved = io.BytesIO()
    torch.jit.save(torch.jit.script(module), saved)
    with torch.no_grad():
        expected = module(torch.from_numpy(PROBE)).numpy()
    uri = put(client, client.bucket(), "model.tar.gz", archive({"model.pth": saved.getvalue()}))
    plain = client.deploy(uri, PYTORCH)
    packed = io.BytesIO()
    np.save(packed, PROBE)
    answer = json.loads(client.invoke(plain, packed.getvalue(), "application/x-npy"))
    np.testing.assert_allclose(answer, expected, rtol=1e-6)
    script = """
def output_fn(prediction, accept, context):
    asked = context.get_request_header(0, "X-Amzn-SageMaker-Custom-Attributes")
    context.set_response_header(0, "X-Amzn-SageMaker-Custom-Attributes", f"seen={asked}")
    return str(tuple(prediction.shape)), "text/plain"
"""
    files = {"model.pth": saved.getvalue(), "code/mine.py": script.encode()}
    uri = put(client, client.bucket(), "model.tar.gz", archive(files))
    scripted = client.deploy(uri, PYTORCH, Environment=environment("/opt/ml/model/code", "mine.py"))
    told = client.runtime.invoke_endpoint(
        EndpointName=scripted, Body="[[1.0, 2.0, 3.0]]", ContentType="application/json", CustomAttributes="trace=1"
    )
    assert (told["Body"].read(), told["ContentType"]) == (b"(1, 2)", "text/plain")
    assert told["CustomAttributes"] == "seen=trace=1"
