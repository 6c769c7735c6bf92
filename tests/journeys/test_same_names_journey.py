"""Eight clients create records of the same names at once: of each name exactly one is made, and the others are told."""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter, defaultdict

import pytest

from tests.journeys.conftest import IMAGE, ROLE

CLIENTS = 8
NAMES = 250
SIGNED = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sagemaker/aws4_request, SignedHeaders=host, Signature=0"


def training(name: str) -> dict:
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://names/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "RoleArn": ROLE,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }


def model(name: str) -> dict:
    return {"ModelName": name, "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE}}


KINDS = {
    "CreateTrainingJob": (training, "ResourceInUse", "already exists"),
    "CreateModel": (model, "ValidationException", "Cannot create already existing model"),
    "CreateExperiment": (lambda name: {"ExperimentName": name}, "ValidationException", "already exists"),
    "CreateModelPackageGroup": (
        lambda name: {"ModelPackageGroupName": name},
        "ValidationException",
        "Model Package Group already exists",
    ),
    "CreateCodeRepository": (
        lambda name: {"CodeRepositoryName": name, "GitConfig": {"RepositoryUrl": "https://localhost/a.git"}},
        "ValidationException",
        "already existing code repository",
    ),
}
"""For each operation its request, and the code and the words of the error for a name that is taken."""


def ask(connection: http.client.HTTPConnection, operation: str, params: dict) -> tuple[int, dict]:
    headers = {"X-Amz-Target": f"SageMaker.{operation}", "Authorization": SIGNED}
    connection.request("POST", "/", json.dumps(params), headers)
    reply = connection.getresponse()
    return reply.status, json.loads(reply.read())


@pytest.mark.parametrize("operation", KINDS)
def test_exactly_one_wins(stub_server, records, operation):
    records.s3.create_bucket(Bucket="names")
    request, code, words = KINDS[operation]
    told: dict[str, list] = defaultdict(list)
    start, failures = threading.Barrier(CLIENTS), []

    def client() -> None:
        connection = http.client.HTTPConnection(stub_server.url.removeprefix("http://"), timeout=60)
        try:
            start.wait(30)
            for number in range(NAMES):
                name = f"same-{operation.lower()}-{number}"
                told[name].append(ask(connection, operation, request(name)))
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not failures
    assert len(told) == NAMES
    for name, answers in told.items():
        assert Counter(status for status, _ in answers) == {200: 1, 400: CLIENTS - 1}, name
        errors = [answer for status, answer in answers if status == 400]
        assert {error["__type"] for error in errors} == {code}
        assert all(words in error["message"] for error in errors), errors[0]
