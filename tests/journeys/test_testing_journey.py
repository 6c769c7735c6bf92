"""sagelet.testing: endpoints, jobs and faults of a test, through real boto3 against a real server."""

import os
import subprocess
import sys
import threading
from unittest import mock

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from sagelet import testing
from sagelet.places import NoServer
from tests.journeys import sdk_pythons
from tests.journeys.conftest import ROLE, training_request

IMAGE = "my-image"
SDK = sdk_pythons.python("2")


@pytest.fixture
def client(records, monkeypatch):
    """boto3, in a process that is pointed at the server. Functions answer there although it has the stub executor."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", records.server.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "sagelet")
    return records


def request(client, job, bucket, **changes):
    algorithm = {"TrainingImage": IMAGE, "TrainingInputMode": "File", **changes.pop("algorithm", {})}
    return {**training_request(job, bucket), "AlgorithmSpecification": algorithm, **changes}


def train(client, bucket, **changes):
    """A training job of the image, settled."""
    job = client.name("job")
    client.sagemaker.create_training_job(**request(client, job, bucket, **changes))
    return client.settle(lambda: client.sagemaker.describe_training_job(TrainingJobName=job), "TrainingJobStatus")


def printed(client, group, stream):
    events = client.logs.filter_log_events(logGroupName=f"/aws/sagemaker/{group}", logStreamNamePrefix=stream)
    return [event["message"] for event in events["events"]]


@pytest.fixture
def bucket(client):
    name = client.bucket()
    client.s3.put_object(Bucket=name, Key="train/rows.csv", Body=b"1,2\n3,4\n")
    return name


# --- endpoints


def invoke(client, name, body, **more):
    return client.runtime.invoke_endpoint(EndpointName=name, Body=body, **more)


def test_an_endpoint_answers_with_a_function_of_the_test(client):
    answer = mock.Mock(return_value={"score": 0.7})
    with testing.endpoint("churn", answer) as name:
        assert client.in_service(name)["ProductionVariants"][0]["CurrentInstanceCount"] == 1
        told = invoke(client, name, b"1,2", ContentType="text/csv", Accept="application/json", CustomAttributes="c=1")
        assert (told["Body"].read(), told["ContentType"]) == (b'{"score": 0.7}', "application/json")
        (seen,) = answer.call_args.args
        assert (seen.body, seen.text, seen.content_type, seen.accept) == (b"1,2", "1,2", "text/csv", "application/json")
        assert seen.headers["x-amzn-sagemaker-custom-attributes"] == "c=1"
        answer.return_value = testing.Reply("busy", status=503)
        with pytest.raises(ClientError) as raised:
            invoke(client, name, b"")
        assert raised.value.response["OriginalStatusCode"] == 503
    for noun in ("Endpoint", "EndpointConfig", "Model"):
        listed = getattr(client.sagemaker, f"list_{xform_name(noun)}s")(NameContains="churn")
        assert listed[f"{noun}s"] == []


@pytest.mark.parametrize(
    ("returned", "accept", "body", "content_type"),
    [
        (b"\x00\x01", "", b"\x00\x01", "application/octet-stream"),
        (b"1,2", "text/csv", b"1,2", "text/csv"),
        ("größer", "", "größer".encode(), "text/plain; charset=utf-8"),
        ([1, 2.5, None], "*/*", b"[1, 2.5, null]", "application/json"),
        (testing.Reply("<a/>", "text/xml"), "", b"<a/>", "text/xml"),
    ],
    ids=["bytes", "accepted", "text", "json", "reply"],
)
def test_what_a_function_returns_is_the_body(returned, accept, body, content_type):
    from sagelet.testing.serving import _reply

    reply = _reply(returned, accept)
    assert (reply.body, reply.content_type, reply.status) == (body, content_type, 200)


def test_what_an_endpoint_raises_or_forgets_to_return_is_the_containers_error(client):
    def answer(request):
        if request.body != b"forget":
            raise ValueError(f"cannot read {request.text}")

    with testing.endpoint("broken", answer) as name:
        with pytest.raises(ClientError, match=r"Received server error \(500\) from primary") as raised:
            invoke(client, name, b"this")
        told = raised.value.response
        assert told["ResponseMetadata"]["HTTPStatusCode"] == 424 and told["Error"]["Code"] == "ModelError"
        assert (told["OriginalStatusCode"], told["OriginalMessage"]) == (500, "ValueError: cannot read this")
        with pytest.raises(ClientError, match="the function returned None"):
            invoke(client, name, b"forget")
        assert "ValueError: cannot read this" in printed(client, "Endpoints/broken", "AllTraffic")


def test_an_endpoint_streams_what_its_function_yields(client):
    def answer(request):
        yield b"one "
        yield "two"

    with testing.endpoint("stream", answer) as name:
        told = client.runtime.invoke_endpoint_with_response_stream(EndpointName=name, Body=b"")
        assert b"".join(event["PayloadPart"]["Bytes"] for event in told["Body"]) == b"one two"
        assert invoke(client, name, b"")["Body"].read() == b"one two"


@testing.endpoint("decorated", lambda request: request.body[::-1])
def test_a_test_may_be_decorated(client):
    assert invoke(client, "decorated", b"abc")["Body"].read() == b"cba"


def test_a_name_that_is_taken_is_the_services_refusal_and_leaves_nothing(client):
    with testing.endpoint("twice", lambda request: b"first") as name:
        with pytest.raises(ClientError, match="existing"), testing.endpoint("twice", lambda request: b"second"):
            pass
        assert invoke(client, name, b"")["Body"].read() == b"first"


def test_an_endpoint_that_does_not_come_into_service_says_why(client):
    with (
        testing.fault("capacity", operation="CreateEndpoint", name="none-left"),
        pytest.raises(testing.EndpointFailed, match=r"Failed: .*capacity"),
        testing.endpoint("none-left", lambda request: b""),
    ):
        pass


def test_a_block_that_was_emptied_meanwhile_ends_in_peace(own_server, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", own_server.start().url)
    with testing.endpoint("emptied", lambda request: b""):
        own_server.reset()


@pytest.mark.skipif(not SDK, reason=sdk_pythons.missing("2"))
def test_the_predictor_of_the_sdk_is_answered(client):
    program = """
from sagemaker.deserializers import JSONDeserializer
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer
print(Predictor("sdk", serializer=CSVSerializer(), deserializer=JSONDeserializer()).predict([[1, 2]]))
"""
    with testing.endpoint("sdk", lambda request: {"got": request.text, "as": request.content_type}):
        environment = {**os.environ, **client.server.env}
        done = subprocess.run([SDK, "-c", program], capture_output=True, text=True, env=environment, timeout=120)
    assert done.stdout.endswith("{'got': '1,2', 'as': 'text/csv'}\n"), done.stdout + done.stderr


# --- training


def test_a_training_job_is_a_call_of_a_function(client, bucket):
    seen = {}

    def learn(job):
        seen.update(job.hyperparameters, thread=threading.current_thread(), name=job.name, pid=os.getpid())
        rows = (job.channels["train"] / "rows.csv").read_text().splitlines()
        print("loss=0.25")
        job.log("rows", len(rows))
        (job.model_dir / "model.txt").write_text(rows[-1])
        (job.output_dir / "report.txt").write_text("done")

    metrics = [{"Name": "loss", "Regex": "loss=([0-9.]+)"}]
    with testing.image(IMAGE, train=learn, serve=lambda r: (r.model_dir / "model.txt").read_text() + r.text):
        told = train(client, bucket, algorithm={"MetricDefinitions": metrics}, HyperParameters={"depth": "3"})
        assert (told["TrainingJobStatus"], seen["depth"], seen["pid"]) == ("Completed", "3", os.getpid())
        assert seen["name"] == told["TrainingJobName"] and seen["thread"] is not threading.current_thread()
        assert [(m["MetricName"], m["Value"]) for m in told["FinalMetricDataList"]] == [("loss", 0.25)]
        lines = printed(client, "TrainingJobs", told["TrainingJobName"])
        assert lines == ["Sagelet runs my-image with the function executor.", "loss=0.25", "rows 2"]
        model = told["ModelArtifacts"]["S3ModelArtifacts"]
        endpoint = client.deploy(model, IMAGE)
        assert client.invoke(endpoint, "!") == "3,4!"
        transformed(client, bucket, endpoint)
        client.sagemaker.delete_endpoint(EndpointName=endpoint)
        client.until_gone(lambda: client.sagemaker.describe_endpoint(EndpointName=endpoint))


def transformed(client, bucket, model):
    """A transform job of that model answers with the same function."""
    job = client.name("transform")
    client.sagemaker.create_transform_job(
        TransformJobName=job,
        ModelName=model,
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/train/"}},
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": f"s3://{bucket}/out", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        BatchStrategy="SingleRecord",
    )
    told = client.settle(lambda: client.sagemaker.describe_transform_job(TransformJobName=job), "TransformJobStatus")
    assert told["TransformJobStatus"] == "Completed", told.get("FailureReason")
    assert client.text(bucket, "out/rows.csv.out").split() == ["3,41,2", "3,43,4"]


def test_what_a_function_raises_is_the_failure_of_its_job(client, bucket):
    def learn(job):
        (job.model_dir / "half.txt").write_text("half")
        raise RuntimeError("loss is nan")

    with testing.image("my-*", train=learn):
        told = train(client, bucket)
    assert told["TrainingJobStatus"] == "Failed"
    assert told["FailureReason"] == "AlgorithmError: RuntimeError: loss is nan, exit code: 1"
    assert printed(client, "TrainingJobs", told["TrainingJobName"])[-1] == "RuntimeError: loss is nan"


def test_a_job_that_is_stopped_tells_its_function(client, bucket):
    begun = threading.Event()

    def learn(job):
        begun.set()
        assert job.stopping.wait(30)
        (job.model_dir / "model.txt").write_text("what there was")

    with testing.image(IMAGE, train=learn):
        job = client.name("job")
        client.sagemaker.create_training_job(**request(client, job, bucket))
        assert begun.wait(30)
        client.sagemaker.stop_training_job(TrainingJobName=job)
        told = client.settle(lambda: client.sagemaker.describe_training_job(TrainingJobName=job), "TrainingJobStatus")
    assert told["TrainingJobStatus"] == "Stopped" and told["ModelArtifacts"]["S3ModelArtifacts"]


def test_a_job_that_the_block_leaves_behind_fails_and_says_so(client, bucket):
    begun = threading.Event()

    def learn(job):
        begun.set()
        job.stopping.wait(30)

    job = client.name("job")
    with testing.image(IMAGE, train=learn):
        client.sagemaker.create_training_job(**request(client, job, bucket))
        assert begun.wait(30)
    told = client.settle(lambda: client.sagemaker.describe_training_job(TrainingJobName=job), "TrainingJobStatus")
    assert "The block of sagelet.testing.image('my-image') ended while the function ran." in told["FailureReason"]
    # The image is nobody's afterwards: the stub, which this server was started with, has it.
    assert printed(client, "TrainingJobs", train(client, bucket)["TrainingJobName"])[0].endswith("the stub executor.")


GOES = """
import time
from sagelet import testing

def learn(job):
    print("begun")
    time.sleep(60)

with testing.image("goes-away", train=learn):
    print("there", flush=True)
    time.sleep(60)
"""


def test_a_job_whose_test_process_has_gone_fails_and_says_so(client, bucket):
    with subprocess.Popen([sys.executable, "-c", GOES], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "there\n"
        job, algorithm = client.name("job"), {"TrainingImage": "goes-away"}
        client.sagemaker.create_training_job(**request(client, job, bucket, algorithm=algorithm))
        describe = lambda: client.sagemaker.describe_training_job(TrainingJobName=job)  # noqa: E731
        client.until(describe, "Training")
        process.kill()
    words = f"The test process {process.pid} that answers for the image goes-away with a function (sagelet.testing) has"
    assert f"{words} gone while the function ran." in client.settle(describe, "TrainingJobStatus")["FailureReason"]
    told = train(client, bucket, algorithm=algorithm)
    assert told["TrainingJobStatus"] == "Failed" and words in told["FailureReason"]


def test_every_host_is_a_call(client, bucket):
    hosts = []
    with testing.image(IMAGE, train=lambda job: hosts.append((job.host, job.hosts))):
        resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
        assert train(client, bucket, ResourceConfig=resources)["TrainingJobStatus"] == "Completed"
    assert sorted(hosts) == [("algo-1", ("algo-1", "algo-2")), ("algo-2", ("algo-1", "algo-2"))]


# --- processing


def test_a_processing_job_is_a_call_of_a_function(client, bucket):
    def prepare(job):
        rows = (job.inputs["rows"] / "rows.csv").read_text()
        (job.outputs["sums"] / "sum.txt").write_text(f"{len(rows)} {job.environment['SCALE']} {job.command}")

    place = "/opt/ml/processing"
    given = {
        "S3Uri": f"s3://{bucket}/train",
        "LocalPath": f"{place}/in",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    made = {"S3Uri": f"s3://{bucket}/made", "LocalPath": f"{place}/out", "S3UploadMode": "EndOfJob"}
    job = client.name("processing")
    with testing.image(IMAGE, process=prepare):
        client.sagemaker.create_processing_job(
            ProcessingJobName=job,
            RoleArn=ROLE,
            AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", "x.py"]},
            ProcessingInputs=[{"InputName": "rows", "S3Input": given}],
            ProcessingOutputConfig={"Outputs": [{"OutputName": "sums", "S3Output": made}]},
            ProcessingResources={
                "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
            },
            Environment={"SCALE": "2"},
        )
        describe = lambda: client.sagemaker.describe_processing_job(ProcessingJobName=job)  # noqa: E731
        told = client.settle(describe, "ProcessingJobStatus")
    assert told["ProcessingJobStatus"] == "Completed", told.get("FailureReason")
    assert client.text(bucket, "made/sum.txt") == "8 2 ('python3', 'x.py')"


# --- what is refused


def test_an_image_without_functions_is_refused():
    with pytest.raises(TypeError, match="give train=, serve= or process="), testing.image(IMAGE):
        pass


def test_without_a_server_there_is_a_sentence(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(NoServer, match="sagelet up"), testing.image(IMAGE, train=print):
        pass


def test_print_is_nobodys_but_the_jobs_and_is_given_back(client, bucket, capsys):
    before = sys.stdout, sys.stderr
    with testing.image(IMAGE, train=lambda job: print("of the job")):
        train(client, bucket)
        print("of the test")
    assert (sys.stdout, sys.stderr) == before
    assert capsys.readouterr().out == "of the test\n"
