"""Which other services are answered, which of their operations change nothing, and which are refused and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Service:
    """One neighbour: its names in moto and in botocore, and the host name that moto's URL patterns expect."""

    moto: str
    model: str
    host: str


def _same(name: str) -> Service:
    return Service(name, name, name)


SERVICES: Mapping[str, Service] = {
    "application-autoscaling": Service("applicationautoscaling", "application-autoscaling", "application-autoscaling"),
    "athena": _same("athena"),
    "cognito-identity": Service("cognitoidentity", "cognito-identity", "cognito-identity"),
    "cognito-idp": Service("cognitoidp", "cognito-idp", "cognito-idp"),
    "dynamodb": _same("dynamodb"),
    "ecr": Service("ecr", "ecr", "api.ecr"),
    "events": _same("events"),
    "glue": _same("glue"),
    "iam": _same("iam"),
    "kinesis": _same("kinesis"),
    "kms": _same("kms"),
    "lambda": Service("awslambda", "lambda", "lambda"),
    "logs": _same("logs"),
    "monitoring": Service("cloudwatch", "cloudwatch", "monitoring"),
    "resource-groups": Service("resourcegroups", "resource-groups", "resource-groups"),
    "scheduler": _same("scheduler"),
    "secretsmanager": _same("secretsmanager"),
    "sns": _same("sns"),
    "sqs": _same("sqs"),
    "ssm": _same("ssm"),
    "sts": _same("sts"),
    "tagging": Service("resourcegroupstaggingapi", "resourcegroupstaggingapi", "tagging"),
}
"""By signing name: the service in the credential scope of a request."""

GLOBAL = ("iam", "sts")
"""Services that know no regions: what an account has there, it has in all of them."""

READS = (
    "Assume", "BatchDescribe", "BatchGet", "Check", "Decrypt", "Describe", "Download", "Encrypt", "Estimate", "Filter",
    "GenerateDataKey", "GenerateMac", "GenerateRandom", "Get", "Head", "List", "Lookup", "Query", "ReEncrypt", "Scan",
    "Search", "Select", "Sign", "Simulate", "Test", "TransactGet", "Validate", "Verify",
)  # fmt: skip
"""How the names of operations begin that change nothing worth keeping; every other one goes into the journal."""

WRITES = (("kms", "GetParametersForImport"), ("ssm", "GetDeployablePatchSnapshotForInstance"))
"""Operations that begin like a read and yet change something."""


def mutates(service: str, operation: str) -> bool:
    """Whether the operation must be done again after a restart."""
    return (service, operation) in WRITES or not operation.startswith(READS)


_NO_CODE = "no code of functions runs here; run the function yourself and call what it would call"
_NO_SQL = "there is no query engine; read the objects of the offline store directly"
_NO_SPARK = "Glue's jobs and crawlers do not run here; write the tables with CreateTable"
_OWN_S3 = "it would read or write objects in S3 by itself, which is not wired; copy the objects with an S3 client"
_NO_HOSTS = "there are no instances that could run a command"

REFUSED: Mapping[tuple[str, str], str] = {
    ("athena", "StartQueryExecution"): _NO_SQL,
    ("dynamodb", "ExportTableToPointInTime"): _OWN_S3,
    ("dynamodb", "ImportTable"): _OWN_S3,
    ("glue", "StartCrawler"): _NO_SPARK,
    ("glue", "StartJobRun"): _NO_SPARK,
    ("glue", "CreateSession"): _NO_SPARK,
    ("glue", "RunStatement"): _NO_SPARK,
    ("glue", "StartTrigger"): _NO_SPARK,
    ("lambda", "CreateEventSourceMapping"): _NO_CODE,
    ("lambda", "Invoke"): _NO_CODE,
    ("lambda", "InvokeAsync"): _NO_CODE,
    ("lambda", "InvokeWithResponseStream"): _NO_CODE,
    ("logs", "CreateExportTask"): _OWN_S3,
    ("secretsmanager", "RotateSecret"): _NO_CODE,
    ("ssm", "SendCommand"): _NO_HOSTS,
    ("ssm", "StartAutomationExecution"): _NO_HOSTS,
    ("ssm", "StartSession"): _NO_HOSTS,
}
"""What moto answers with a success that nothing stands behind, by signing name and operation."""

NETWORK = "messages do not leave this machine; subscribe an SQS queue instead"
"""Why a delivery over the network is refused."""
