"""The pipeline of prices, tested on a real server."""

import pytest
from prices import pipeline


@pytest.fixture
def bucket(sagelet_reset, s3_client):
    """A bucket with flats of which a square metre costs ten; the server has nothing else."""
    s3_client.create_bucket(Bucket="prices")
    rows = "\n".join(f"{10 * area},{area}" for area in range(20, 120))
    s3_client.put_object(Bucket="prices", Key="flats/rows.csv", Body=rows.encode())
    return "s3://prices"


def test_a_model_is_trained_and_estimates_prices(bucket):
    model = pipeline.train("prices", f"{bucket}/flats", f"{bucket}/models")
    pipeline.deploy("prices", model)
    assert pipeline.estimate("prices", 50) == pytest.approx(500, rel=0.05)


def test_each_test_begins_with_an_empty_server(bucket, sagemaker_client):
    assert sagemaker_client.list_training_jobs()["TrainingJobSummaries"] == []


def test_a_failed_job_is_an_error_with_the_reason(bucket, s3_client):
    s3_client.put_object(Bucket="prices", Key="broken/rows.csv", Body=b"price,area\n1000,20\n")
    with pytest.raises(pipeline.TrainingFailed) as caught:
        pipeline.train("broken", f"{bucket}/broken", f"{bucket}/models")
    assert "ClientError" in str(caught.value)
