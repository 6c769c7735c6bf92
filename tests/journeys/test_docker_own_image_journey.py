"""Jobs of an image of the user's own, in containers, through a real server: how they end, and what they leave."""

from __future__ import annotations

import pytest

from sagelet.server import Server
from tests.journeys.conftest import ROLE, channel
from tests.journeys.docker_box import ONE, Box, own_image, until

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def image():
    with own_image("sagelet-test/box") as made:
        yield made


@pytest.fixture(scope="module")
def box(tmp_path_factory, image):
    with Server(tmp_path_factory.mktemp("box"), ["--executor", "docker"]) as server:
        made = Box(server, image)
        made.s3.create_bucket(Bucket="box")
        made.s3.put_object(Bucket="box", Key="data/a", Body=b"one\n")
        made.s3.put_object(Bucket="box", Key="data/b", Body=b"two\n")
        yield made
        until(lambda: made.left() == [], "something is left", 10)
        made.end()


def test_programs_end_as_they_end(box):
    ends = {
        "raise SystemExit(1)": "exit code: 1",
        "import os; os._exit(137)": "137",
        "open('/opt/ml/output/failure', 'w').write('x' * 1025); raise SystemExit(3)": "exit code: 3",
        "b = bytearray(b'x') * (64 << 30)": "emory",
    }
    jobs = [box.start(program) for program in ends]
    for job, part in zip(jobs, ends.values(), strict=True):
        told = box.ended(job)
        assert told["TrainingJobStatus"] == "Failed" and part in told["FailureReason"], told
        assert len(told["FailureReason"]) <= 1024


def test_an_image_without_train_says_so(box):
    told = box.run("", AlgorithmSpecification={"TrainingImage": "sagelet/base:bookworm", "TrainingInputMode": "File"})
    reason = "ClientError: Cannot run image 'sagelet/base:bookworm'. The image has no program train on its PATH"
    assert told["FailureReason"].startswith(reason)


def test_entry_points_and_arguments(box):
    told = box.run(
        "",
        AlgorithmSpecification={
            "TrainingImage": box.image, "TrainingInputMode": "File",
            "ContainerEntrypoint": ["sh", "-c", 'echo "$0|$1|$2"; cat /opt/ml/input/data/train/*'],
            "ContainerArguments": ["a b", "$HOME", "c"],
        },
        InputDataConfig=[channel("box", "train") | {"DataSource": source("data")}],
    )  # fmt: skip
    assert told["TrainingJobStatus"] == "Completed", told
    assert box.lines(told["TrainingJobName"]) == ["a b|$HOME|c", "one", "two"]


def source(prefix: str, kind: str = "S3Prefix", **more) -> dict:
    return {"S3DataSource": {"S3DataType": kind, "S3Uri": f"s3://box/{prefix}", **more}}


def test_stop_and_time_limits(box):
    program = (
        "import signal, sys, time\n"
        "def end(*_):\n    open('/opt/ml/model/kept', 'w').write('k'); print('ending'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\nprint('ready')\ntime.sleep(600)"
    )
    asked = box.start(program)
    late = box.start(program, StoppingCondition={"MaxRuntimeInSeconds": 3})
    box.until_logged(asked, "ready")
    box.sagemaker.stop_training_job(TrainingJobName=asked)
    for job, secondary in ((asked, "Stopped"), (late, "MaxRuntimeExceeded")):
        told = box.ended(job)
        assert (told["TrainingJobStatus"], told["SecondaryStatus"]) == ("Stopped", secondary)
        assert box.lines(job)[-1] == "ending"
        assert box.members(told) == {"kept": b"k"}


def test_pipes_cross_the_mount(box):
    program = (
        "import glob, os\nd = '/opt/ml/input/data/'\nprint(os.path.exists(d + 'train'))\n"
        "os.system('cat %strain_0; echo; cat %strain_1' % (d, d))"
    )
    told = box.run(
        program,
        InputDataConfig=[{"ChannelName": "train", "InputMode": "Pipe", "DataSource": source("data")}],
    )
    assert told["TrainingJobStatus"] == "Completed", told
    assert box.lines(told["TrainingJobName"]) == ["False", "one", "two", "", "one", "two"]


def test_an_augmented_manifest_in_a_pipe(box):
    lines = '{"source-ref": "s3://box/data/a", "label": 1}\n{"source-ref": "s3://box/data/b", "label": 2}\n'
    box.s3.put_object(Bucket="box", Key="manifest", Body=lines.encode())
    where = source("manifest", "AugmentedManifestFile", AttributeNames=["source-ref", "label"])
    told = box.run(
        "import os; print(open('/opt/ml/input/data/train_0', 'rb').read())",
        InputDataConfig=[
            {"ChannelName": "train", "InputMode": "Pipe", "DataSource": where, "RecordWrapperType": "RecordIO"}
        ],
    )
    assert told["TrainingJobStatus"] == "Completed", told
    assert "one" in box.lines(told["TrainingJobName"])[0]


HARM = """
import os
p = '/opt/ml/input/data/train/a'
print(os.getuid(), open(p).read())
for what in (lambda: open(p, 'a').write('x'), lambda: os.chmod(p, 0o777), lambda: os.chown(p, 5, 5), lambda: os.remove(p),
             lambda: os.utime(p), lambda: os.rename(p, p + 'x'), lambda: os.link(p, '/opt/ml/model/a'),
             lambda: open(os.path.dirname(p) + '/new', 'w'), lambda: os.truncate(p, 0), lambda: os.setxattr(p, 'user.a', b'b')):
    try:
        what(); print('HARMED')
    except OSError as e:
        print(e.errno)
"""  # noqa: E501


def test_a_fast_file_cannot_be_harmed_even_by_root(box):
    before = box.s3.head_object(Bucket="box", Key="data/a")
    told = box.run(
        HARM, InputDataConfig=[{"ChannelName": "train", "InputMode": "FastFile", "DataSource": source("data")}]
    )
    assert told["TrainingJobStatus"] == "Completed", told
    assert "HARMED" not in box.lines(told["TrainingJobName"])
    after = box.s3.head_object(Bucket="box", Key="data/a")
    assert {k: before[k] for k in ("ETag", "ContentLength", "LastModified")} == {
        k: after[k] for k in ("ETag", "ContentLength", "LastModified")
    }
    assert box.text("box", "data/a") == "one\n"


def test_two_hosts_talk_by_name_and_isolated_too(box):
    program = (
        "import json, os, socket, time\n"
        "me = json.load(open('/opt/ml/input/config/resourceconfig.json'))\n"
        "if me['current_host'] == 'algo-1':\n"
        "    s = socket.create_server(('', 7777)); c, _ = s.accept(); print('got', c.recv(9).decode())\n"
        "else:\n"
        "    for _ in range(100):\n"
        "        try: s = socket.create_connection(('algo-1', 7777), 5); break\n"
        "        except OSError: time.sleep(0.1)\n"
        "    s.sendall(b'hello'); print('sent')\n"
        "try: socket.create_connection(('10.255.255.1', 80), 1); print('out')\n"
        "except OSError as e: print(type(e).__name__, e.errno)\n"
    )
    both = [box.start(program, Resources={"InstanceCount": 2}, EnableNetworkIsolation=shut) for shut in (False, True)]
    for job in both:
        told = box.ended(job)
        assert told["TrainingJobStatus"] == "Completed", told
        assert box.lines(job, "algo-1")[0] == "got hello" and box.lines(job, "algo-2")[0] == "sent"
        print(box.lines(job))


def test_processing_in_containers_of_two_hosts(box):
    name = box.name("processing")
    box.sagemaker.create_processing_job(
        ProcessingJobName=name, RoleArn=ROLE,
        AppSpecification={"ImageUri": box.image, "ContainerEntrypoint": ["process"], "ContainerArguments": ["x", "y"]},
        ProcessingInputs=[{
            "InputName": "in",
            "S3Input": {"S3Uri": "s3://box/data", "LocalPath": "/opt/ml/processing/input", "S3DataType": "S3Prefix",
                        "S3InputMode": "File", "S3DataDistributionType": "ShardedByS3Key"},
        }],
        ProcessingOutputConfig={"Outputs": [{
            "OutputName": "out",
            "S3Output": {"S3Uri": f"s3://box/{name}", "LocalPath": "/opt/ml/processing/output",
                         "S3UploadMode": "Continuous"},
        }]},
        ProcessingResources={"ClusterConfig": ONE | {"InstanceCount": 2}},
    )  # fmt: skip
    told = box.settle(lambda: box.sagemaker.describe_processing_job(ProcessingJobName=name), "ProcessingJobStatus")
    assert told["ProcessingJobStatus"] == "Completed", told
    assert sorted(box.lines(name, group="/aws/sagemaker/ProcessingJobs")) == ["asked to process x y"] * 2
    assert "seen" in box.text("box", f"{name}/seen")


def test_an_algorithm_of_one_s_own(box):
    name = box.name("algorithm")
    made = box.sagemaker.create_algorithm(
        AlgorithmName=name,
        TrainingSpecification={
            "TrainingImage": box.image, "SupportedTrainingInstanceTypes": ["ml.m5.large"],
            "TrainingChannels": [{
                "Name": "train", "SupportedContentTypes": ["text/csv"], "SupportedInputModes": ["File"],
            }],
            "SupportedHyperParameters": [{"Name": "program", "Type": "FreeText", "IsRequired": True}],
        },
    )  # fmt: skip
    told = box.run(
        "print('by', open('/opt/ml/input/data/train/a').read())",
        AlgorithmSpecification={"AlgorithmName": made["AlgorithmArn"], "TrainingInputMode": "File"},
        InputDataConfig=[channel("box", "train") | {"DataSource": source("data")}],
    )
    assert told["TrainingJobStatus"] == "Completed", told
    assert box.lines(told["TrainingJobName"])[0] == "by one"
    repository, _, tag = box.image.partition(":")
    box.of("ecr").create_repository(repositoryName=repository)
    images = box.of("ecr").describe_images(repositoryName=repository)["imageDetails"]
    assert tag in [t for one in images for t in one["imageTags"]]


def test_a_warm_pool_keeps_the_cache_and_checkpoints_go_both_ways(box):
    warm = {"KeepAlivePeriodInSeconds": 60}
    kept = {"S3Uri": "s3://box/checkpoints", "LocalPath": "/opt/ml/checkpoints"}
    program = (
        "import os\nfor d in ('/opt/ml/sagemaker/warmpoolcache', '/opt/ml/checkpoints'):\n"
        "    print(sorted(os.listdir(d))); open(d + '/made', 'w').write('m')\n"
    )
    seen = []
    for _ in range(2):
        told = box.run(program, Resources=warm, CheckpointConfig=kept)
        assert told["TrainingJobStatus"] == "Completed", told
        seen.append(box.lines(told["TrainingJobName"]))
    assert seen == [["[]", "[]"], ["['made']", "['made']"]]
    box.sagemaker.update_training_job(
        TrainingJobName=told["TrainingJobName"], ResourceConfig={"KeepAlivePeriodInSeconds": 0}
    )
