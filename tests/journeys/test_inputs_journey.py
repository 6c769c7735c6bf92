"""Input modes in the sandbox of a real server: links that a program can read and not spoil, pipes refused in words."""

from __future__ import annotations

from tests.journeys.conftest import channel


def test_fast_files_train_as_files_do(client, training_data):
    # Given the same rows, as copies and as links to the objects themselves
    modes = [dict(channel(training_data), InputMode=mode) for mode in ("File", "FastFile")]
    jobs = [client.train(training_data, InputDataConfig=[mode]) for mode in modes]
    # Then both jobs come to the same numbers, and the objects are what they were
    assert [job["TrainingJobStatus"] for job in jobs] == ["Completed"] * 2, jobs[1].get("FailureReason")
    first, second = (job["FinalMetricDataList"] for job in jobs)
    assert [(m["MetricName"], m["Value"]) for m in first] == [(m["MetricName"], m["Value"]) for m in second]


def test_an_algorithm_without_pipes_says_so(client, training_data):
    job = client.train(training_data, InputDataConfig=[dict(channel(training_data), InputMode="Pipe")])
    assert job["TrainingJobStatus"] == "Failed"
    assert "Pipe mode is no longer supported" in job["FailureReason"]
