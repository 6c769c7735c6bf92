"""What a job uses, through real boto3 against a real server: CloudWatch shows what was measured, where it was."""

import re
from datetime import datetime, timedelta, timezone

from tests.journeys.test_processing_journey import log, over, start

NAMESPACE = "/aws/sagemaker/ProcessingJobs"

BUSY = b"""
import time
held = bytearray(b"x" * (300 << 20))
open("/opt/ml/processing/held", "wb").write(held[:64 << 20])
began, spent = time.monotonic(), time.process_time()
while time.monotonic() < began + 1.6 or time.process_time() < spent + 0.5:
    pass
print("busy:", (time.process_time() - spent) / (time.monotonic() - began))
"""


def most(client, job: str, name: str, **where) -> float | None:
    """The highest value of a metric of the job's host; None when there are no points."""
    now = datetime.now(timezone.utc)
    points = client.of("cloudwatch", **where).get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=name,
        Dimensions=[{"Name": "Host", "Value": f"{job}/algo-1"}],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    assert all(point["Unit"] == "Percent" for point in points)
    return max((point["Maximum"] for point in points), default=None)


def test_cloudwatch_shows_what_a_job_has_really_used(client):
    # Given a job that keeps a core busy, 300 MiB in memory, and 64 MiB on a volume of one GiB
    job = start(client, client.bucket(), BUSY)
    assert over(client, job)["ProcessingJobStatus"] == "Completed"
    # Then a whole core is told as 100 percent (as much of it as this machine had to give)
    busy = float(re.search(r"busy: ([0-9.]+)", "\n".join(log(client, job)))[1])
    cpu = most(client, job, "CPUUtilization")
    assert 50 * busy < cpu < 250
    # And 300 MiB of the 8 GiB of an ml.m5.large, or of what this machine has
    assert 3.5 < most(client, job, "MemoryUtilization") < 60
    assert 6 < most(client, job, "DiskUtilization") < 10
    # And they are listed, but not for another region
    listed = client.of("cloudwatch").list_metrics(
        Namespace=NAMESPACE, Dimensions=[{"Name": "Host", "Value": f"{job}/algo-1"}]
    )["Metrics"]
    names = {metric["MetricName"] for metric in listed}
    assert names == {"CPUUtilization", "MemoryUtilization", "DiskUtilization"}
    elsewhere = client.session.client("cloudwatch", region_name="eu-west-1", endpoint_url=client.server.url)
    assert elsewhere.list_metrics(Namespace=NAMESPACE)["Metrics"] == []
