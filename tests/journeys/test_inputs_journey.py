"""Input modes in the sandbox of a real server: copies, links and pipes give the same model."""

from __future__ import annotations

from tests.journeys.conftest import channel


def test_links_and_pipes_train_as_files_do(client, training_data):
    # Given the same rows, as copies, as links to the objects themselves and through a pipe
    modes = [dict(channel(training_data), InputMode=mode) for mode in ("File", "FastFile", "Pipe")]
    jobs = [client.train(training_data, InputDataConfig=[mode]) for mode in modes]
    # Then all jobs come to the same numbers, and the objects are what they were
    assert [job["TrainingJobStatus"] for job in jobs] == ["Completed"] * 3, [job.get("FailureReason") for job in jobs]
    numbers = [[(m["MetricName"], m["Value"]) for m in job["FinalMetricDataList"]] for job in jobs]
    assert numbers[0] == numbers[1] == numbers[2]
