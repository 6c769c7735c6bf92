"""Many jobs at once on a real server: all finish, in order, and the API answers meanwhile."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from sagelet.server import Server
from tests.journeys.conftest import Client, csv, table

CLIENTS = 8


def submit(client: Client, count: int, clients: int = CLIENTS) -> list[str]:
    """That many training jobs, from several clients at once; their names."""
    bucket = client.bucket()
    client.s3.put_object(Bucket=bucket, Key="train/rows.csv", Body=csv(table(40)))
    with ThreadPoolExecutor(clients) as pool:
        return [job["TrainingJobName"] for job in pool.map(lambda _: client.train(bucket, wait=False), range(count))]


def watch(client: Client, names: list[str], seconds: float) -> list[float]:
    """Describe until all jobs are over; how long each Describe took."""
    took: list[float] = []
    end = time.monotonic() + seconds
    left = list(names)
    while left and time.monotonic() < end:
        begun = time.monotonic()
        answer = client.sagemaker.describe_training_job(TrainingJobName=left[-1])
        took.append(time.monotonic() - begun)
        if answer["TrainingJobStatus"] == "InProgress":
            time.sleep(0.02)
        else:
            left.pop()
    assert not left, f"{len(left)} jobs are not over within {seconds} s"
    return sorted(took)


def described(client: Client, names: list[str]) -> list[dict]:
    """The jobs, oldest first."""
    jobs = [client.sagemaker.describe_training_job(TrainingJobName=name) for name in names]
    return sorted(jobs, key=lambda job: job["CreationTime"])


def begun(jobs: list[dict]) -> list[datetime]:
    """When each job was let in."""
    transitions = [transition for job in jobs for transition in job["SecondaryStatusTransitions"]]
    return [transition["StartTime"] for transition in transitions if transition["Status"] == "Downloading"]


@pytest.mark.parametrize(("executor", "count", "seconds"), [("stub", 200, 120.0), ("process", 20, 180.0)])
def test_jobs_wait_for_their_turn_and_the_api_does_not(tmp_path, executor, count, seconds):
    with Server(tmp_path / "data", ["--executor", executor, "--max-jobs", "4"]) as server:
        client = Client(server)
        # When many jobs are submitted at once
        names = submit(client, count)
        took = watch(client, names, seconds)
        # Then the API answered meanwhile
        assert took[int(0.95 * len(took))] < 0.25, f"95 of 100 Describe calls within {took[int(0.95 * len(took))]} s"
        # And all of them finished
        jobs = described(client, names)
        assert {job["TrainingJobStatus"] for job in jobs} == {"Completed"}
        # And were let in as they came: what is told apart neither by four at once nor by the clients' own race
        times, apart = begun(jobs), 4 + CLIENTS
        assert all(later >= times[place] for place in range(count) for later in times[place + apart :])
        # And those that had to wait said so
        waited = [job for job in jobs if "Pending" in [t["Status"] for t in job["SecondaryStatusTransitions"]]]
        # (jobs that are processes may end as fast as a slow machine accepts the next)
        assert len(waited) > (count // 2 if executor == "stub" else 0)


def test_a_killed_server_goes_on_with_those_that_wait(own_server):
    # Given jobs that wait
    own_server.options = ("--executor", "stub", "--max-jobs", "1")
    client = Client(own_server.start())
    names = submit(client, 30, clients=1)
    # When the server is killed and started again
    own_server.kill()
    client = Client(own_server.start())
    watch(client, names, 60.0)
    # Then all finish, in the order in which they came; the one that ran was lost, as a stub's runs are the server's own
    jobs = described(client, names)
    failed = [job for job in jobs if job["TrainingJobStatus"] != "Completed"]
    assert len(failed) <= 1 and all("InternalServerError" in job["FailureReason"] for job in failed), failed
    assert begun(jobs) == sorted(begun(jobs))
