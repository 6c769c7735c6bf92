"""Our log files as CloudWatch Logs, through real boto3."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.call import Scope
from emulator.ports import LogLine
from tests.neighbours.aws_door import ACCOUNT, served

GROUP = "/aws/sagemaker/TrainingJobs"
HERE = Scope(ACCOUNT, "us-east-1")


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with served(tmp_path_factory.mktemp("house")) as clients:
        logs = clients.front.logs.of(HERE)
        for host in (1, 2):
            rows = (LogLine(1_000_000 + n * 10 + host, f"[{n}]\ttrain-rmse:{n / 7:.3f}") for n in range(500))
            logs.put(GROUP, f"job/algo-{host}-17", rows)
        logs.put(GROUP, "job-2/algo-1-18", [LogLine(5, "ERROR: disk is full"), LogLine(6, "WARN: disk is slow")])
        logs.put("/aws/sagemaker/Endpoints/e", "AllTraffic/i-0", [LogLine(9, "ready")])
        yield clients


@pytest.fixture(scope="module")
def logs(aws: Any) -> Any:
    return aws("logs")


def test_groups_are_ours_and_motos_together(logs: Any) -> None:
    logs.create_log_group(logGroupName="/aws/lambda/f")
    logs.create_log_group(logGroupName="zebra")
    groups = logs.describe_log_groups()
    names = [group["logGroupName"] for group in groups["logGroups"]]
    assert names == ["/aws/lambda/f", "/aws/sagemaker/Endpoints/e", GROUP, "zebra"]
    assert "nextToken" not in groups
    ours = logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"][0]
    assert ours["arn"] == f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{GROUP}:*"
    assert ours["storedBytes"] > 10_000
    pages = logs.get_paginator("describe_log_groups").paginate(PaginationConfig={"PageSize": 3})
    assert [g["logGroupName"] for page in pages for g in page["logGroups"]] == names
    with pytest.raises(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=GROUP)


def test_streams_of_one_name_in_two_regions_and_accounts_are_kept_apart(tmp_path: Path) -> None:
    with served(tmp_path) as aws:
        places = [(ACCOUNT, "us-east-1"), (ACCOUNT, "eu-west-1"), ("210987654321", "us-east-1")]
        for account, region in places:
            aws.front.logs.of(Scope(account, region)).append(GROUP, "job/algo-1-1", [f"{account} {region}"])
        for account, region in places:
            client = aws("logs", account, region)
            events = client.get_log_events(logGroupName=GROUP, logStreamName="job/algo-1-1")["events"]
            assert [event["message"] for event in events] == [f"{account} {region}"]
        aws("logs").delete_log_group(logGroupName=GROUP)
        assert aws("logs").describe_log_groups()["logGroups"] == []
        assert aws("logs", "210987654321").describe_log_groups()["logGroups"][0]["logGroupName"] == GROUP
        assert aws("logs", region="eu-west-3").describe_log_groups()["logGroups"] == []
        assert [list(logs.streams(GROUP)) for logs in aws.front.logs.all()] == [["job/algo-1-1"], [], ["job/algo-1-1"]]


def test_a_complete_answer_has_no_token(logs: Any) -> None:
    answer = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix="job/", orderBy="LogStreamName", limit=2)
    assert [s["logStreamName"] for s in answer["logStreams"]] == ["job/algo-1-17", "job/algo-2-17"]
    assert "nextToken" not in answer
    first = answer["logStreams"][0]
    assert (first["firstEventTimestamp"], first["lastEventTimestamp"]) == (1_000_001, 1_004_991)
    assert first["arn"] == f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{GROUP}:log-stream:job/algo-1-17"


def test_streams_by_time_and_page_by_page(logs: Any) -> None:
    newest = logs.describe_log_streams(logGroupName=GROUP, orderBy="LastEventTime", descending=True, limit=1)
    assert newest["logStreams"][0]["logStreamName"] == "job/algo-2-17"
    pages = logs.get_paginator("describe_log_streams").paginate(
        logGroupIdentifier=f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{GROUP}", PaginationConfig={"PageSize": 1}
    )
    names = [s["logStreamName"] for page in pages for s in page["logStreams"]]
    assert names == ["job-2/algo-1-18", "job/algo-1-17", "job/algo-2-17"]
    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.describe_log_streams(logGroupName=GROUP, orderBy="LastEventTime", logStreamNamePrefix="job")


def test_events_forwards_until_the_token_stays_the_same(logs: Any) -> None:
    messages, token, last = [], None, ""
    while token != last:
        last = token
        more = {"nextToken": token} if token else {}
        page = logs.get_log_events(
            logGroupName=GROUP, logStreamName="job/algo-1-17", startFromHead=True, limit=70, **more
        )
        messages += [event["message"] for event in page["events"]]
        token = page["nextForwardToken"]
    assert page["events"] == [] and len(messages) == 500
    assert messages[3] == "[3]#011train-rmse:0.429"
    logs.put_log_events(
        logGroupName=GROUP, logStreamName="job/algo-1-17", logEvents=[{"timestamp": 2_000_000, "message": "more"}]
    )
    page = logs.get_log_events(logGroupName=GROUP, logStreamName="job/algo-1-17", nextToken=token)
    assert [(e["timestamp"], e["message"]) for e in page["events"]] == [(2_000_000, "more")]


def test_events_backwards_from_the_end(logs: Any) -> None:
    page = logs.get_log_events(logGroupName=GROUP, logStreamName="job/algo-2-17", limit=2)
    assert [e["timestamp"] for e in page["events"]] == [1_004_982, 1_004_992]
    before = logs.get_log_events(
        logGroupName=GROUP, logStreamName="job/algo-2-17", limit=3, nextToken=page["nextBackwardToken"]
    )
    assert [e["timestamp"] for e in before["events"]] == [1_004_952, 1_004_962, 1_004_972]
    start = logs.get_log_events(logGroupName=GROUP, logStreamName="job/algo-2-17", startFromHead=True, limit=1)
    top = logs.get_log_events(logGroupName=GROUP, logStreamName="job/algo-2-17", nextToken=start["nextBackwardToken"])
    assert top["events"] == [] and top["nextBackwardToken"] == start["nextBackwardToken"]


def test_events_of_a_span_of_time(logs: Any) -> None:
    page = logs.get_log_events(
        logGroupName=GROUP, logStreamName="job/algo-2-17", startTime=1_000_102, endTime=1_000_122, startFromHead=True
    )
    assert [e["timestamp"] for e in page["events"]] == [1_000_102, 1_000_112]


@pytest.mark.parametrize(
    ("pattern", "count"),
    [("", 2), ("disk", 2), ('"disk is full"', 1), ("ERROR disk", 1), ("disk -WARN", 1), ("?ERROR ?WARN", 2), ("no", 0)],
)
def test_filters_of_terms(logs: Any, pattern: str, count: int) -> None:
    found = logs.filter_log_events(logGroupName=GROUP, logStreamNamePrefix="job-2/", filterPattern=pattern)
    assert len(found["events"]) == count and "nextToken" not in found


def test_filtered_events_of_several_streams_come_in_the_order_of_time(logs: Any) -> None:
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=GROUP, logStreamNamePrefix="job/", endTime=1_900_000, PaginationConfig={"PageSize": 300}
    )
    events = [event for page in pages for event in page["events"]]
    assert len(events) == 1000 and len({event["eventId"] + event["logStreamName"] for event in events}) == 1000
    assert [e["timestamp"] for e in events] == sorted(e["timestamp"] for e in events)
    one = logs.filter_log_events(logGroupName=GROUP, logStreamNames=["job/algo-2-17"], limit=1)
    assert one["events"][0]["message"] == "[0]#011train-rmse:0.000" and one["nextToken"]


def test_a_page_is_where_a_paginator_may_start(logs: Any) -> None:
    """botocore takes a StartingToken that is base64 of JSON for one of its own; the SDK starts with ours."""
    first = logs.filter_log_events(logGroupName=GROUP, logStreamNames=["job/algo-2-17"], limit=1)
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=GROUP, logStreamNames=["job/algo-2-17"], PaginationConfig={"StartingToken": first["nextToken"]}
    )
    assert next(iter(pages))["events"][0]["message"].startswith("[1]")


def test_pages_of_random_size_lose_and_repeat_nothing(aws: Any, logs: Any) -> None:
    chance = random.Random(3)
    stamps = sorted(chance.randrange(200) for _ in range(300))
    for number in range(3):
        lines = [LogLine(stamp, f"{number}-{n}") for n, stamp in enumerate(stamps) if chance.random() < 0.5]
        aws.front.logs.of(HERE).put("/aws/sagemaker/ProcessingJobs", f"p/{number}", lines)
    whole = logs.filter_log_events(logGroupName="/aws/sagemaker/ProcessingJobs")["events"]
    pieces: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while token is not None:
        page = logs.filter_log_events(
            logGroupName="/aws/sagemaker/ProcessingJobs", limit=chance.randrange(1, 40), **token
        )
        pieces += page["events"]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert pieces == whole


def test_what_is_absent_is_said_to_be(logs: Any) -> None:
    calls = [
        lambda: logs.describe_log_streams(logGroupName="/aws/sagemaker/None"),
        lambda: logs.filter_log_events(logGroupName="/aws/sagemaker/None"),
        lambda: logs.delete_log_group(logGroupName="/aws/sagemaker/None"),
        lambda: logs.get_log_events(logGroupName=GROUP, logStreamName="none"),
        lambda: logs.delete_log_stream(logGroupName=GROUP, logStreamName="none"),
        lambda: logs.filter_log_events(logGroupName=GROUP, logStreamNames=["none"]),
    ]
    for call in calls:
        with pytest.raises(logs.exceptions.ResourceNotFoundException, match=r"The specified log (group|stream) does"):
            call()
    for token in ("x", "f/12/s", "b/zz/s"):
        with pytest.raises(logs.exceptions.InvalidParameterException):
            logs.get_log_events(logGroupName=GROUP, logStreamName="job/algo-1-17", nextToken=token)


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("put_retention_policy", {"logGroupName": GROUP, "retentionInDays": 7}),
        ("start_query", {"logGroupName": GROUP, "startTime": 0, "endTime": 1, "queryString": "fields @message"}),
        ("filter_log_events", {"logGroupName": GROUP, "filterPattern": "{ $.level = 1 }"}),
        ("tag_resource", {"resourceArn": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{GROUP}", "tags": {"a": "b"}}),
    ],
)
def test_what_files_cannot_do_is_refused(logs: Any, operation: str, members: dict[str, Any]) -> None:
    with pytest.raises(logs.exceptions.ClientError) as refused:
        getattr(logs, operation)(**members)
    assert refused.value.response["Error"]["Code"] == "NotImplementedException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_groups_and_streams_made_by_hand_go_again(aws: Any, logs: Any) -> None:
    group = "/aws/sagemaker/Mine"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s/1")
    assert logs.get_log_events(logGroupName=group, logStreamName="s/1")["events"] == []
    with pytest.raises(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_stream(logGroupName=group, logStreamName="s/1")
    logs.delete_log_stream(logGroupName=group, logStreamName="s/1")
    logs.delete_log_group(logGroupName=group)
    assert not aws.front.logs.of(HERE).has_group(group)


def test_groups_of_others_are_motos_wholly(logs: Any) -> None:
    logs.create_log_group(logGroupName="mine")
    logs.put_retention_policy(logGroupName="mine", retentionInDays=7)
    logs.create_log_stream(logGroupName="mine", logStreamName="s")
    logs.put_log_events(
        logGroupName="mine", logStreamName="s", logEvents=[{"timestamp": 1_795_000_000_000, "message": "x"}]
    )
    assert logs.describe_log_streams(logGroupName="mine")["logStreams"][0]["logStreamName"] == "s"
    assert logs.describe_log_groups(logGroupNamePrefix="mine")["logGroups"][0]["retentionInDays"] == 7
