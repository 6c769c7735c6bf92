"""What SageMaker tells EventBridge, at the targets of rules, through real boto3."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.call import Scope
from emulator.neighbours.bus import Event
from emulator.neighbours.targets import filled, found_at
from tests.neighbours.aws_door import ACCOUNT, served

HERE = Scope(ACCOUNT, "us-east-1")
KIND = "SageMaker Training Job State Change"
JOB = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/j"
NOW = 1_795_000_000.0


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[Any]:
    with served(tmp_path) as clients:
        yield clients


def event(status: str, scope: Scope = HERE, **detail: Any) -> Event:
    members = {"TrainingJobName": "j", "TrainingJobStatus": status, **detail}
    return Event(scope, KIND, JOB, members, NOW)


def rule(aws: Any, name: str, target: dict[str, Any], pattern: Any = None, **client: Any) -> None:
    events = aws("events", **client)
    events.put_rule(Name=name, EventPattern=json.dumps(pattern or {"source": ["aws.sagemaker"]}))
    events.put_targets(Rule=name, Targets=[{"Id": "1", **target}])


def queue(aws: Any, name: str = "q", **attributes: str) -> tuple[str, str]:
    url = aws("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"


def received(aws: Any, url: str, count: int) -> list[str]:
    found: list[str] = []
    end = time.monotonic() + 20
    while len(found) < count and time.monotonic() < end:
        answer = aws("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=2, MaxNumberOfMessages=10)
        found += [message["Body"] for message in answer.get("Messages", ())]
    return found


def test_events_come_in_order_and_as_the_service_writes_them(aws: Any) -> None:
    url, arn = queue(aws)
    rule(aws, "all", {"Arn": arn}, {"source": ["aws.sagemaker"], "detail-type": [KIND], "resources": [JOB]})
    assert aws.front.bus.has_listeners()
    for number in range(5):
        aws.front.bus.tell(event("InProgress", Number=number))
    messages = [json.loads(body) for body in received(aws, url, 5)]
    assert [message["detail"]["Number"] for message in messages] == [0, 1, 2, 3, 4]
    first = messages[0]
    assert len(first.pop("id")) == 36
    assert first == {
        "version": "0",
        "detail-type": KIND,
        "source": "aws.sagemaker",
        "account": ACCOUNT,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW)),
        "region": "us-east-1",
        "resources": [JOB],
        "detail": {"TrainingJobName": "j", "TrainingJobStatus": "InProgress", "Number": 0},
    }


def test_only_rules_that_match_are_told(aws: Any) -> None:
    url, arn = queue(aws)
    completed = {"source": ["aws.sagemaker"], "detail": {"TrainingJobStatus": ["Completed", {"prefix": "Fail"}]}}
    rule(aws, "over", {"Arn": arn}, completed)
    rule(aws, "other", {"Arn": arn}, {"source": ["aws.ec2"]})
    rule(aws, "disabled", {"Arn": arn})
    aws("events").disable_rule(Name="disabled")
    rule(aws, "elsewhere", {"Arn": arn}, region="eu-west-1")
    events = aws("events")
    events.put_rule(Name="by-the-clock", ScheduleExpression="rate(1 minute)")
    events.put_targets(Rule="by-the-clock", Targets=[{"Id": "1", "Arn": arn}])
    for status in ("InProgress", "Completed", "Stopped", "Failed"):
        aws.front.bus.tell(event(status))
    aws.front.bus.tell(event("Elsewhere", Scope(ACCOUNT, "eu-west-1")))
    statuses = [json.loads(body)["detail"]["TrainingJobStatus"] for body in received(aws, url, 3)]
    assert statuses == ["Completed", "Failed", "Elsewhere"]


def test_every_kind_of_target_is_reached_and_one_that_is_not_keeps_nothing_from_the_others(
    aws: Any, caplog: pytest.LogCaptureFixture
) -> None:
    url, arn = queue(aws)
    fifo_url, fifo = queue(aws, "q.fifo", FifoQueue="true")
    topic = aws("sns").create_topic(Name="t")["TopicArn"]
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    aws("logs").create_log_group(logGroupName="/aws/events/jobs")
    rule(aws, "1", {"Arn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"})
    rule(aws, "2", {"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:missing"})
    rule(aws, "3", {"Arn": topic})
    rule(aws, "4", {"Arn": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/events/jobs"})
    rule(aws, "5", {"Arn": fifo, "SqsParameters": {"MessageGroupId": "g"}})
    aws.front.bus.tell(event("Completed"))
    (told,) = received(aws, url, 1)
    assert json.loads(json.loads(told)["Message"])["detail"]["TrainingJobStatus"] == "Completed"
    assert json.loads(received(aws, fifo_url, 1)[0])["detail-type"] == KIND
    (logged,) = aws("logs").filter_log_events(logGroupName="/aws/events/jobs")["events"]
    assert json.loads(logged["message"])["resources"] == [JOB] and logged["timestamp"] == NOW * 1000
    assert "the rule 1 did not reach its target" in caplog.text and "'lambda'" in caplog.text
    assert "the rule 2 did not reach its target" in caplog.text


def test_what_a_rule_makes_of_the_event(aws: Any) -> None:
    url, arn = queue(aws)
    rule(aws, "1", {"Arn": arn, "Input": '{"constant": true}'})
    rule(aws, "2", {"Arn": arn, "InputPath": "$.detail.TrainingJobName"})
    paths = {"status": "$.detail.TrainingJobStatus", "who": "$.resources[0]"}
    template = '{"status": <status>, "text": "<who> is <status>", "rule": "<aws.events.rule-name>"}'
    rule(aws, "3", {"Arn": arn, "InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}})
    aws.front.bus.tell(event("Completed"))
    constant, path, made = (json.loads(body) for body in received(aws, url, 3))
    assert (constant, path) == ({"constant": True}, "j")
    assert made == {"status": "Completed", "text": f"{JOB} is Completed", "rule": "3"}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("<a>", '"x\\"y"'),
        ('"<a> and <n>"', '"x\\"y and 5"'),
        ('{"q\\"": <n>, "m": <m>, "s": "<m>"}', '{"q\\"": 5, "m": {"k": [1]}, "s": "{\\"k\\": [1]}"}'),
        ("<unknown> < 5 <a", "<unknown> < 5 <a"),
        ("<none>", "null"),
    ],
)
def test_templates_fill_in_json_outside_of_quotes_and_text_inside(template: str, text: str) -> None:
    assert filled(template, {"a": 'x"y', "n": 5, "m": {"k": [1]}, "none": None}) == text


def test_paths_name_members_and_items() -> None:
    message = {"detail": {"a-b": [{"c": 1}]}, "detail-type": "t"}
    found = [
        found_at(path, message)
        for path in ("$.detail.a-b[0].c", "$.detail-type", "$.detail.x.y", "$", "$.detail.a-b[7]")
    ]
    assert found == [1, "t", None, message, None]


def test_a_state_is_news_once(aws: Any) -> None:
    bus = aws.front.bus
    states = [("InProgress", "Starting"), ("InProgress", "Starting"), ("InProgress", "Training"), ("Completed", "")]
    assert [bus.is_news(JOB, state) for state in states] == [True, False, True, True]


def test_rules_and_messages_outlive_the_server(tmp_path: Path) -> None:
    with served(tmp_path) as aws:
        url, arn = queue(aws)
        rule(aws, "all", {"Arn": arn})
        aws.front.bus.tell(event("InProgress"))  # closing delivers it
    with served(tmp_path) as aws:
        assert aws.front.bus.has_listeners()
        aws.front.bus.tell(event("Completed"))
        assert [json.loads(body)["detail"]["TrainingJobStatus"] for body in received(aws, url, 2)] == [
            "InProgress",
            "Completed",
        ]


def test_nobody_listens_while_eventbridge_was_never_used(tmp_path: Path) -> None:
    program = f"""
import sys
sys.path.insert(0, {str(Path(__file__).resolve().parents[2])!r})
from tests.neighbours.aws_door import neighbours_of
from pathlib import Path
front = neighbours_of(Path({str(tmp_path)!r}))
assert front.bus.is_news("arn", ("InProgress",)) and not front.bus.has_listeners()
front.close()
assert not [name for name in sys.modules if name.split(".")[0] == "moto"]
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_telling_after_the_end_does_nothing(aws: Any) -> None:
    aws.front.bus.close()
    aws.front.bus.tell(event("Completed"))
    assert "events" not in [thread.name for thread in threading.enumerate()]
