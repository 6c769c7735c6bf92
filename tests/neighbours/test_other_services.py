"""The services that moto answers: allowed ones work, everything else is a typed error that names it."""

from __future__ import annotations

import gzip
import io
import json
import threading
import time
import zipfile
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest

from emulator.call import Scope
from emulator.neighbours import HttpRequest
from emulator.neighbours.neighbours import OVERRIDES, _function
from emulator.neighbours.services import REFUSED, SERVICES, mutates
from tests.neighbours.aws_door import ACCOUNT, served

HERE = Scope(ACCOUNT, "us-east-1")


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with served(tmp_path_factory.mktemp("house")) as clients:
        yield clients


def refused(call: Any) -> tuple[str, int, str]:
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response
    return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Message"]


def test_every_service_of_the_table_answers_under_its_signing_name(aws: Any) -> None:
    calls = {
        "application-autoscaling": lambda c: c.describe_scalable_targets(ServiceNamespace="sagemaker"),
        "athena": lambda c: c.list_work_groups(),
        "cognito-identity": lambda c: c.list_identity_pools(MaxResults=1),
        "cognito-idp": lambda c: c.list_user_pools(MaxResults=1),
        "dynamodb": lambda c: c.list_tables(),
        "ecr": lambda c: c.describe_repositories(),
        "events": lambda c: c.list_rules(),
        "glue": lambda c: c.get_databases(),
        "iam": lambda c: c.list_users(),
        "kinesis": lambda c: c.list_streams(),
        "kms": lambda c: c.list_keys(),
        "lambda": lambda c: c.list_functions(),
        "logs": lambda c: c.describe_log_groups(),
        "cloudwatch": lambda c: c.list_metrics(),
        "resource-groups": lambda c: c.list_groups(),
        "scheduler": lambda c: c.list_schedules(),
        "secretsmanager": lambda c: c.list_secrets(),
        "sns": lambda c: c.list_topics(),
        "sqs": lambda c: c.list_queues(),
        "ssm": lambda c: c.describe_parameters(),
        "sts": lambda c: c.get_caller_identity(),
        "resourcegroupstaggingapi": lambda c: c.get_resources(),
    }
    assert set(calls) == {service.model for service in SERVICES.values()}
    for model, call in calls.items():
        assert call(aws(model))["ResponseMetadata"]["HTTPStatusCode"] == 200, model


@pytest.mark.parametrize("service", ["ec2", "stepfunctions", "batch", "codecommit", "redshift"])
def test_other_services_are_refused_by_name_in_their_protocol(aws: Any, service: str) -> None:
    client = aws(service)
    call = {"ec2": "describe_vpcs", "batch": "describe_job_queues", "redshift": "describe_clusters"}
    code, status, message = refused(
        getattr(client, call.get(service, "list_repositories"), None) or client.list_activities
    )
    signing = client.meta.service_model.signing_name
    assert (code, status) == ("NotImplementedException", 501) and repr(signing) in message


def test_operations_that_moto_lacks_are_named(aws: Any) -> None:
    call = aws("iam").generate_organizations_access_report
    code, status, message = refused(lambda: call(EntityPath="o-a1b2c3d4e5/r-f6g7h8i9j0example/ou-1a2b3c"))
    assert (code, status) == ("NotImplementedException", 501)
    assert "iam GenerateOrganizationsAccessReport" in message


def test_a_defect_inside_moto_is_an_internal_failure_and_no_page(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for service, operation, call in (
        ("sqs", "ListQueues", lambda: aws("sqs").list_queues()),
        ("iam", "ListGroups", lambda: aws("iam").list_groups()),
        ("scheduler", "ListSchedules", lambda: aws("scheduler").list_schedules()),
    ):
        module = __import__(f"moto.{service}.responses", fromlist=["x"])
        name = {"sqs": "SQSResponse", "iam": "IamResponse", "scheduler": "EventBridgeSchedulerResponse"}[service]
        method = {"ListQueues": "list_queues", "ListGroups": "list_groups", "ListSchedules": "list_schedules"}[
            operation
        ]
        monkeypatch.setattr(getattr(module, name), method, lambda self: 1 / 0)
        code, status, message = refused(call)
        assert (code, status) == ("InternalFailure", 500)
        assert f"{service} {operation} failed: ZeroDivisionError" in message and "<" not in message


def test_regions_that_do_not_exist_are_the_callers_mistake(aws: Any) -> None:
    code, status, message = refused(lambda: aws("sqs", region="us-east-9").list_queues())
    assert (code, status) == ("ValidationException", 400) and "'us-east-9'" in message


def code_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("f.py", "def handler(event, context): return 1")
    return buffer.getvalue()


def test_success_is_not_invented(aws: Any) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/SageletExecutionRole"
    functions = aws("lambda")
    functions.create_function(
        FunctionName="f", Role=role, Code={"ZipFile": code_zip()}, Handler="f.handler", Runtime="python3.12"
    )
    assert functions.get_function(FunctionName="f")["Configuration"]["FunctionName"] == "f"
    topic = aws("sns").create_topic(Name="t")["TopicArn"]
    for call, named in (
        (lambda: functions.invoke(FunctionName="f", Payload=b"{}"), "lambda Invoke"),
        (lambda: aws("athena").start_query_execution(QueryString="select 1"), "athena StartQueryExecution"),
        (lambda: aws("glue").start_job_run(JobName="j"), "glue StartJobRun"),
        (lambda: aws("sns").publish(PhoneNumber="+49123", Message="m"), "sns Publish"),
        (lambda: aws("sns").subscribe(TopicArn=topic, Protocol="https", Endpoint="https://h/"), "sns Subscribe"),
    ):
        code, status, message = refused(call)
        assert (code, status) == ("NotImplementedException", 501) and named in message


def test_an_event_for_a_function_is_refused_and_runs_nothing(aws: Any) -> None:
    functions, queues = aws("lambda"), aws("sqs")
    queue = queues.create_queue(QueueName="source")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    code, _, message = refused(lambda: functions.create_event_source_mapping(EventSourceArn=arn, FunctionName="f"))
    assert code == "NotImplementedException" and "CreateEventSourceMapping" in message


def test_topics_and_rules_deliver_to_queues(aws: Any) -> None:
    queues = aws("sqs")
    queue = queues.create_queue(QueueName="inbox")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    assert arn == f"arn:aws:sqs:us-east-1:{ACCOUNT}:inbox"
    topic = aws("sns").create_topic(Name="news")["TopicArn"]
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    aws("sns").publish(TopicArn=topic, Message="by topic")
    events = aws("events")
    events.put_rule(Name="r", EventPattern='{"source":["aws.sagemaker"]}')
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": arn}])
    for source in ("aws.sagemaker", "other"):
        events.put_events(Entries=[{"Source": source, "DetailType": "t", "Detail": '{"by": "rule"}'}])
    bodies = [queues.receive_message(QueueUrl=queue).get("Messages", [{}])[0].get("Body") for _ in range(3)]
    assert "by topic" in bodies[0] and '"by": "rule"' in bodies[1] and bodies[2] is None


def test_long_polling_wakes_with_the_message_and_holds_up_nobody(aws: Any) -> None:
    queues = aws("sqs")
    queue = queues.create_queue(QueueName="slow", Attributes={"ReceiveMessageWaitTimeSeconds": "20"})["QueueUrl"]
    got: list[Any] = []
    waiter = threading.Thread(target=lambda: got.append(aws("sqs").receive_message(QueueUrl=queue)))
    began = time.monotonic()
    waiter.start()
    while not aws.front.desk._changed._waiters and time.monotonic() < began + 10:
        assert aws("sts").get_caller_identity()
    queues.send_message(QueueUrl=queue, MessageBody="at last")
    waiter.join(15)
    assert got[0]["Messages"][0]["Body"] == "at last" and time.monotonic() - began < 15


def test_the_old_query_protocol_of_sqs_still_works(aws: Any) -> None:
    def ask(action: str, **fields: str) -> Any:
        from urllib.parse import urlencode

        body = urlencode({"Action": action, "Version": "2012-11-05", **fields}).encode()
        headers = {"host": "127.0.0.1:4577", "content-type": "application/x-www-form-urlencoded; charset=utf-8"}
        reply = aws.front.answer(HttpRequest("sqs", "POST", "/", "", headers, body, HERE))
        return reply.status, ElementTree.fromstring(reply.body)

    status, made = ask("CreateQueue", QueueName="old")
    (url,) = [element.text for element in made.iter() if element.tag.endswith("QueueUrl")]
    assert status == 200 and url == f"http://127.0.0.1:4577/{ACCOUNT}/old"
    assert ask("SendMessage", QueueUrl=str(url), MessageBody="<hello>")[0] == 200
    status, got = ask("ReceiveMessage", QueueUrl=str(url), WaitTimeSeconds="1")
    assert [element.text for element in got.iter() if element.tag.endswith("}Body")] == ["<hello>"]
    status, fault = ask("NoSuchAction")
    assert status == 501 and fault.find("Error/Code").text == "NotImplementedException"  # type: ignore[union-attr]


def test_compressed_and_binary_bodies_pass(aws: Any) -> None:
    body = gzip.compress(json.dumps({"Name": "zipped", "SecretString": "x"}).encode())
    headers = {"x-amz-target": "secretsmanager.CreateSecret", "content-encoding": "gzip"}
    reply = aws.front.answer(HttpRequest("secretsmanager", "POST", "/", "", headers, io.BytesIO(body), HERE))
    assert reply.status == 200
    raw = bytes(range(256))
    aws("secretsmanager").create_secret(Name="binary", SecretBinary=raw)
    assert aws("secretsmanager").get_secret_value(SecretId="binary")["SecretBinary"] == raw
    stream = aws("kinesis")
    stream.create_stream(StreamName="s", ShardCount=1)
    stream.put_record(StreamName="s", Data=raw, PartitionKey="k")


@pytest.mark.parametrize("body", [b"{", b"[1]", b"[" * 100_000, b"\xff\xfe", b'"text"'])
def test_malformed_json_is_the_callers_mistake(aws: Any, body: bytes) -> None:
    for service, target in (("logs", "Logs_20140328.GetLogEvents"), ("sqs", "AmazonSQS.ReceiveMessage")):
        reply = aws.front.answer(HttpRequest(service, "POST", "/", "", {"x-amz-target": target}, body, HERE))
        assert reply.status == 400 and json.loads(reply.body)["__type"] == "SerializationException"


def test_a_target_tells_the_protocol_where_no_content_type_does(aws: Any) -> None:
    headers = {"x-amz-target": "GraniteServiceVersion20100801.ListMetrics"}
    reply = aws.front.answer(HttpRequest("monitoring", "POST", "/", "", headers, b"{}", HERE))
    assert reply.status == 200 and "Metrics" in json.loads(reply.body)


def test_gzip_that_is_none_is_the_callers_mistake(aws: Any) -> None:
    headers = {"x-amz-target": "AmazonSQS.ListQueues", "content-encoding": "gzip"}
    reply = aws.front.answer(HttpRequest("sqs", "POST", "/", "", headers, b"plain", HERE))
    assert reply.status == 400 and json.loads(reply.body)["__type"] == "SerializationException"


def test_rest_paths_that_are_no_operation_are_named(aws: Any) -> None:
    reply = aws.front.answer(HttpRequest("scheduler", "GET", "/nothing/here", "", {}, b"", HERE))
    assert reply.status == 400 and json.loads(reply.body)["__type"] == "UnknownOperationException"


def test_accounts_and_regions_are_apart(aws: Any) -> None:
    aws("sqs", "111111111111").create_queue(QueueName="only")
    assert "/111111111111/only" in aws("sqs", "111111111111").list_queues()["QueueUrls"][0]
    others = aws("sqs", "222222222222").list_queues(), aws("sqs", "111111111111", "eu-west-1").list_queues()
    assert all("QueueUrls" not in answer for answer in others)


def test_endpoint_variants_can_be_registered_for_scaling(aws: Any) -> None:
    scaling = aws("application-autoscaling")
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/e/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling.register_scalable_target(MinCapacity=1, MaxCapacity=3, **target)
    (found,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (found["MinCapacity"], found["MaxCapacity"]) == (1, 3)


def test_tables_name_operations_that_exist() -> None:
    from emulator import spec

    named = [(s, o) for s, o, _ in OVERRIDES if o != "*"] + list(REFUSED)
    for service, operation in named:
        assert operation in spec.load(SERVICES[service].model).operation_names, (service, operation)
    for _, _, path in OVERRIDES:
        assert callable(_function(path))


@pytest.mark.parametrize(
    ("service", "operation", "change"),
    [
        ("iam", "GetRole", False),
        ("iam", "CreateRole", True),
        ("sqs", "ReceiveMessage", True),
        ("dynamodb", "Query", False),
        ("dynamodb", "ExecuteStatement", True),
        ("kms", "Encrypt", False),
        ("kms", "GetParametersForImport", True),
        ("ecr", "BatchGetImage", False),
        ("ecr", "BatchDeleteImage", True),
        ("logs", "FilterLogEvents", False),
        ("cognito-idp", "InitiateAuth", True),
    ],
)
def test_reads_and_changes_are_told_apart(service: str, operation: str, change: bool) -> None:
    assert mutates(service, operation) is change
