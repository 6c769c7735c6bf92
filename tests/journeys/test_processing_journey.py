"""Processing through real boto3 against a real server: scripts as processes, what they read, write and say."""

import importlib.util
import io
import json
import tarfile

import pytest
from botocore.exceptions import ClientError

from tests.journeys.conftest import IMAGE, ROLE, wheel

CODE = "/opt/ml/processing/input/code"

SUMS = b"""
import argparse, csv, json, os, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--column", type=int)
column = parser.parse_args().column
rows = [row for path in sorted(pathlib.Path("/opt/ml/processing/input/data").rglob("*.csv"))
        for row in csv.reader(path.open())]
total = sum(float(row[column]) for row in rows)
print("rows:", len(rows), "scale:", os.environ["SCALE"])
pathlib.Path("/opt/ml/processing/result/sums").mkdir()
pathlib.Path("/opt/ml/processing/result/sums/total.json").write_text(json.dumps(total * float(os.environ["SCALE"])))
pathlib.Path("/opt/ml/output/message").write_text(f"{len(rows)} rows")
"""


def given(name: str, uri: str, path: str = "", **more) -> dict:
    path = path or f"/opt/ml/processing/input/{name}"
    source = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File", **more}
    return {"InputName": name, "S3Input": source}


def output(bucket: str, name: str, mode: str = "EndOfJob") -> dict:
    target = {"S3Uri": f"s3://{bucket}/out/{name}", "LocalPath": f"/opt/ml/processing/{name}", "S3UploadMode": mode}
    return {"OutputName": name, "S3Output": target}


def start(client, bucket: str, script: bytes, *arguments: str, instances: int = 1, **changes) -> str:
    """Upload a script and start a job that runs it; the job's name."""
    name = client.name("processing")
    client.s3.put_object(Bucket=bucket, Key=f"{name}/code/script.py", Body=script)
    image = changes.pop("image", IMAGE)
    application = {"ImageUri": image, "ContainerEntrypoint": ["python3", f"{CODE}/script.py"]}
    inputs = [given("code", f"s3://{bucket}/{name}/code"), *changes.pop("inputs", ())]
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": instances, "VolumeSizeInGB": 1}
    client.sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=ROLE,
        AppSpecification={**application, **({"ContainerArguments": list(arguments)} if arguments else {})},
        ProcessingInputs=inputs,
        ProcessingResources={"ClusterConfig": cluster},
        **{"StoppingCondition": {"MaxRuntimeInSeconds": 300}, **changes},
    )
    return name


def over(client, name: str) -> dict:
    describe = client.sagemaker.describe_processing_job
    return client.settle(lambda: describe(ProcessingJobName=name), "ProcessingJobStatus")


def log(client, name: str, host: str = "algo-1") -> list[str]:
    group = "/aws/sagemaker/ProcessingJobs"
    streams = client.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/{host}-")["logStreams"]
    found = [client.logs.get_log_events(logGroupName=group, logStreamName=s["logStreamName"]) for s in streams]
    return [event["message"] for answer in found for event in answer["events"]]


def keys(client, bucket: str, prefix: str) -> list[str]:
    found = client.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return [item["Key"] for item in found]


@pytest.mark.proves("CreateProcessingJob", "DeleteProcessingJob")
def test_a_script_turns_its_inputs_into_its_outputs(client):
    # Given two files of a table
    bucket = client.bucket()
    for name, rows in (("a.csv", b"1,10\n2,20\n"), ("more/b.csv", b"3,30\n")):
        client.s3.put_object(Bucket=bucket, Key=f"table/{name}", Body=rows)
    # When a script adds a column up
    name = start(
        client,
        bucket,
        SUMS,
        "--column",
        "1",
        inputs=[given("data", f"s3://{bucket}/table")],
        ProcessingOutputConfig={"Outputs": [output(bucket, "result")]},
        Environment={"SCALE": "2"},
    )
    waiter = client.sagemaker.get_waiter("processing_job_completed_or_stopped")
    waiter.wait(ProcessingJobName=name, WaiterConfig={"Delay": 1})
    job = over(client, name)
    # Then the result is in S3, the log in CloudWatch, and Describe tells all of it
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    assert json.loads(client.text(bucket, "out/result/sums/total.json")) == 120
    assert job["ExitMessage"] == "3 rows"
    assert job["CreationTime"] <= job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    assert job["ProcessingJobArn"].endswith(f":processing-job/{name}")
    assert "rows: 3 scale: 2" in log(client, name)
    # And the list knows it, until it is deleted
    [found] = client.sagemaker.list_processing_jobs(NameContains=name)["ProcessingJobSummaries"]
    assert (found["ProcessingJobStatus"], found["ExitMessage"]) == ("Completed", "3 rows")
    client.sagemaker.delete_processing_job(ProcessingJobName=name)
    with pytest.raises(ClientError, match="Could not find requested job with name"):
        client.sagemaker.describe_processing_job(ProcessingJobName=name)


def test_an_exception_is_the_reason_and_its_trace_is_in_the_log(client):
    bucket = client.bucket()
    script = (
        b"open('/opt/ml/processing/live/early', 'w').write('1')\n"
        b"open('/opt/ml/processing/late/half', 'w').write('1')\n"
        b"def broken():\n    raise KeyError('no such column: price')\n"
        b"broken()\n"
    )
    outputs = {"Outputs": [output(bucket, "live", "Continuous"), output(bucket, "late")]}
    job = over(client, name := start(client, bucket, script, ProcessingOutputConfig=outputs))
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: exit code: 1")
    assert "KeyError: 'no such column: price'" in job["FailureReason"]
    assert "Traceback (most recent call last):" in log(client, name)
    assert keys(client, bucket, "out/") == ["out/live/early"]


@pytest.mark.proves("StopProcessingJob")
def test_a_job_can_be_stopped_and_its_last_words_are_kept(client):
    bucket = client.bucket()
    script = (
        b"import signal, sys, time\n"
        b"def end(*_):\n    open('/opt/ml/output/message', 'w').write('so be it')\n    sys.exit(1)\n"
        b"signal.signal(signal.SIGTERM, end)\n"
        b"open('/opt/ml/processing/live/part', 'w').write('1')\n"
        b"print('ready')\n"
        b"time.sleep(300)\n"
    )
    outputs = {"Outputs": [output(bucket, "live", "Continuous"), output(bucket, "late")]}
    name = start(client, bucket, script, ProcessingOutputConfig=outputs)
    describe = client.sagemaker.describe_processing_job
    client.settle(lambda: {"it": "ready" if "ready" in log(client, name) else "InProgress"}, "it")
    with pytest.raises(ClientError, match="is in status InProgress and cannot be deleted"):
        client.sagemaker.delete_processing_job(ProcessingJobName=name)
    client.sagemaker.stop_processing_job(ProcessingJobName=name)
    assert describe(ProcessingJobName=name)["ProcessingJobStatus"] in ("Stopping", "Stopped")
    job = over(client, name)
    assert (job["ProcessingJobStatus"], job["ExitMessage"]) == ("Stopped", "so be it")
    assert "FailureReason" not in job
    assert keys(client, bucket, "out/") == ["out/live/part"]
    with pytest.raises(ClientError, match="rejected because the processing job is in status Stopped"):
        client.sagemaker.stop_processing_job(ProcessingJobName=name)


def test_a_job_that_takes_too_long_is_stopped(client):
    bucket = client.bucket()
    limit = {"MaxRuntimeInSeconds": 1}
    job = over(client, start(client, bucket, b"import time; time.sleep(300)", StoppingCondition=limit))
    assert job["ProcessingJobStatus"] == "Stopped"


def test_hosts_know_of_each_other_and_share_the_objects_out(client):
    # Given four objects
    bucket = client.bucket()
    for number in range(4):
        client.s3.put_object(Bucket=bucket, Key=f"parts/{number}", Body=b"x")
    script = (
        b"import json, pathlib, socket\n"
        b"told = json.loads(pathlib.Path('/opt/ml/config/resourceconfig.json').read_text())\n"
        b"for host in told['hosts']:\n    socket.gethostbyname(host)\n"
        b"mine = sorted(path.name for path in pathlib.Path('/opt/ml/processing/input/parts').iterdir())\n"
        b"here = told['current_host']\n"
        b"pathlib.Path(f'/opt/ml/processing/result/{here}.json').write_text(json.dumps(mine))\n"
        b"print('host', here, 'of', len(told['hosts']))\n"
    )
    # When two hosts share them
    shared = given("parts", f"s3://{bucket}/parts", S3DataDistributionType="ShardedByS3Key")
    outputs = {"Outputs": [output(bucket, "result")]}
    name = start(client, bucket, script, instances=2, inputs=[shared], ProcessingOutputConfig=outputs)
    job = over(client, name)
    # Then each has its half, and its own log
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    halves = [json.loads(client.text(bucket, f"out/result/algo-{number}.json")) for number in (1, 2)]
    assert sorted(halves[0] + halves[1]) == ["0", "1", "2", "3"] and [len(half) for half in halves] == [2, 2]
    assert "host algo-2 of 2" in log(client, name, "algo-2")


def test_a_shell_script_unpacks_the_source_beside_it(client):
    # Given what the SDK's framework processors upload
    bucket = client.bucket()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        body = b"import helper; open('/opt/ml/processing/result/x', 'w').write(helper.WORD)"
        for file, content in (("main.py", body), ("helper.py", b"WORD = 'hello'")):
            entry = tarfile.TarInfo(file)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    client.s3.put_object(Bucket=bucket, Key="source/sourcedir.tar.gz", Body=packed.getvalue())
    shell = b'#!/bin/bash\ncd /opt/ml/processing/input/code/\ntar -xzf sourcedir.tar.gz\nset -e\npython main.py "$@"\n'
    client.s3.put_object(Bucket=bucket, Key="entry/runproc.sh", Body=shell)
    # When the shell script is the entry point
    name, entry = client.name("processing"), "/opt/ml/processing/input/entrypoint"
    client.sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=ROLE,
        AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": ["/bin/bash", f"{entry}/runproc.sh"]},
        ProcessingInputs=[
            given("code", f"s3://{bucket}/source/sourcedir.tar.gz", CODE),
            given("entrypoint", f"s3://{bucket}/entry/runproc.sh", entry),
        ],
        ProcessingOutputConfig={"Outputs": [output(bucket, "result")]},
        ProcessingResources={"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}},
    )
    # Then it has run
    job = over(client, name)
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    assert client.text(bucket, "out/result/x") == "hello"


def test_a_command_installs_into_an_environment_of_its_own(client):
    # Given a package that nobody has
    bucket = client.bucket()
    client.s3.put_object(Bucket=bucket, Key="wheels/peculiar-1.0-py3-none-any.whl", Body=wheel("peculiar", "mine"))
    # When a command installs it, as runproc.sh does with the user's requirements
    wheels, result = "/opt/ml/processing/input/wheels", "/opt/ml/processing/result"
    install = f"pip install --no-index --quiet {wheels}/*.whl"
    use = f"python -c \"import peculiar, sklearn; open('{result}/x', 'w').write(peculiar.WORD)\""
    name = client.name("processing")
    client.sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=ROLE,
        AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": ["/bin/sh", "-c", f"set -e; {install}; {use}"]},
        ProcessingInputs=[given("wheels", f"s3://{bucket}/wheels", wheels)],
        ProcessingOutputConfig={"Outputs": [output(bucket, "result")]},
        ProcessingResources={"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}},
    )
    # Then the command has it, and what the framework brings, and nobody else has it
    job = over(client, name)
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    assert client.text(bucket, "out/result/x") == "mine"
    assert importlib.util.find_spec("peculiar") is None


def test_an_image_that_nothing_here_can_run_fails_the_job(client):
    bucket = client.bucket()
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
    job = over(client, start(client, bucket, b"", image=image))
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(f"ClientError: Cannot pull image '{image}'.")


def test_a_script_finds_the_server_and_not_under_isolation(client):
    # Given a script that calls S3 and SageMaker as anywhere
    bucket = client.bucket()
    script = (
        b"import json, os, boto3\n"
        b"told = json.load(open('/opt/ml/config/processingjobconfig.json'))\n"
        b"name = told['ProcessingJobName']\n"
        b"status = boto3.client('sagemaker').describe_processing_job(ProcessingJobName=name)['ProcessingJobStatus']\n"
        b"boto3.client('s3').put_object(Bucket=os.environ['BUCKET'], Key='by-hand', Body=status.encode())\n"
    )
    # Then it is heard
    job = over(client, start(client, bucket, script, Environment={"BUCKET": bucket}))
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    assert client.text(bucket, "by-hand") == "InProgress"
    # And an isolated one is not
    probe = (
        b"import os, socket\n"
        b"assert 'AWS_ENDPOINT_URL' not in os.environ\n"
        b"socket.create_connection(('127.0.0.1', int(os.environ['PORT'])), 5)\n"
    )
    port = {"PORT": client.server.url.rpartition(":")[2]}
    name = start(client, bucket, probe, NetworkConfig={"EnableNetworkIsolation": True}, Environment=port)
    assert "ConnectionRefusedError" in over(client, name)["FailureReason"]
