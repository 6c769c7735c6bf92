"""A server of containers that is killed, with jobs in every phase of their lives."""

from __future__ import annotations

import os

import pytest

from sagelet.server import Server
from tests.journeys.docker_box import Box, own_image, until

pytestmark = pytest.mark.docker
COUNT = """
import time, os
for n in range(1500):
    print(n)
    time.sleep(0.004)
open('/opt/ml/model/m', 'w').write('m')
"""


@pytest.fixture
def box(tmp_path):
    with own_image("sagelet-test/killed") as image:
        server = Server(tmp_path, ["--executor", "docker", "--max-jobs", "5"])
        server.start()
        made = Box(server, image)
        made.s3.create_bucket(Bucket="box")
        yield made
        server.stop()
        made.end()


def test_jobs_in_every_phase_settle_after_a_kill(box):
    for n in range(24):
        box.s3.put_object(Bucket="box", Key=f"big/{n}", Body=os.urandom(8 << 20))
    channel = {
        "ChannelName": "train",
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://box/big/"}},
    }
    ended = box.start("print('short')")
    counts = [box.start(COUNT) for _ in range(2)]
    pair = box.start(COUNT, Resources={"InstanceCount": 2})
    box.until_logged(counts[0], "300")
    box.until_logged(ended, "short")
    downloading = box.start("import os; print(len(os.listdir('/opt/ml/input/data/train')))", InputDataConfig=[channel])
    # It may run already: a fast disk takes less time than these requests.
    under_way = ("Downloading", "Training")
    until(lambda: phase(box, downloading) in under_way, "it does not download")
    pending = [box.start("print('late')") for _ in range(3)]
    phases = [phase(box, job) for job in (ended, *counts, pair, downloading, *pending)]
    assert phases[0] == "Completed" and phases[4] in under_way, phases
    assert phases[-1] == "Pending", phases
    box.server.kill()
    box.server.start()
    box = Box(box.server, box.image)
    for job in (ended, *counts, pair, downloading, *pending):
        told = box.ended(job)
        assert told["TrainingJobStatus"] == "Completed", told
    for job in (*counts,):
        assert box.lines(job) == [str(n) for n in range(1500)]
    for host in ("algo-1", "algo-2"):
        assert box.lines(pair, host) == [str(n) for n in range(1500)]
    assert box.lines(downloading) == ["24"]
    assert [box.lines(job) for job in (ended, *pending)] == [["short"]] + [["late"]] * 3
    until(lambda: box.left() == [], "something is left")
    box.end()


def phase(box: Box, job: str) -> str:
    return box.sagemaker.describe_training_job(TrainingJobName=job)["SecondaryStatus"]
