"""Points that jobs report, as CloudWatch shows them: to boto3, and to SDKs that speak CBOR."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from emulator.call import Scope
from emulator.neighbours import HttpRequest, cbor
from emulator.ports import Point
from tests.neighbours.aws_door import ACCOUNT, served

NAMESPACE = "/aws/sagemaker/TrainingJobs"
NOW = 1_795_000_000.0
SPAN = {
    "StartTime": datetime.fromtimestamp(NOW - 600, timezone.utc),
    "EndTime": datetime.fromtimestamp(NOW + 600, timezone.utc),
}


def of(job: str) -> list[dict[str, str]]:
    return [{"Name": "TrainingJobName", "Value": job}]


@pytest.fixture
def aws(tmp_path: Any) -> Iterator[Any]:
    with served(tmp_path) as clients:
        yield clients


def report(
    aws: Any, job: str, name: str, *values: float, since: float = NOW, where: tuple[str, str] = (ACCOUNT, "us-east-1")
) -> None:
    aws.front.metrics.of(Scope(*where)).append(
        Point(job, name, value, since + 60 * n) for n, value in enumerate(values)
    )


def statistics(aws: Any, job: str, name: str, region: str = "us-east-1") -> list[tuple[float, float]]:
    answer = aws("cloudwatch", region=region).get_metric_statistics(
        Namespace=NAMESPACE, MetricName=name, Dimensions=of(job), Period=60, Statistics=["Average", "Minimum"], **SPAN
    )
    points = sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])
    return [(point["Timestamp"].timestamp(), point["Average"]) for point in points]


def test_points_are_shown_as_they_arrive(aws: Any) -> None:
    report(aws, "job-1", "validation:rmse", 0.5, 0.25)
    report(aws, "job-2", "validation:rmse", 9.0)
    assert statistics(aws, "job-1", "validation:rmse") == [(NOW, 0.5), (NOW + 60, 0.25)]
    report(aws, "job-1", "validation:rmse", 0.125, since=NOW + 120)
    assert statistics(aws, "job-1", "validation:rmse") == [(NOW, 0.5), (NOW + 60, 0.25), (NOW + 120, 0.125)]
    assert statistics(aws, "job-3", "validation:rmse") == []


def test_metrics_can_be_listed_and_read_as_data(aws: Any) -> None:
    report(aws, "job-1", "loss", 3.0, 1.0)
    report(aws, "job-1", "broken", float("nan"))
    report(aws, f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:experiment-trial-component/c", "loss of a component", 1.0)
    cloudwatch = aws("cloudwatch")
    cloudwatch.put_metric_data(Namespace="mine", MetricData=[{"MetricName": "m", "Value": 1.0}])
    listed = cloudwatch.list_metrics(Namespace=NAMESPACE)["Metrics"]
    assert [(m["MetricName"], m["Dimensions"]) for m in listed] == [("loss", of("job-1"))]
    metric = {"Namespace": NAMESPACE, "MetricName": "loss", "Dimensions": of("job-1")}
    query = {"Id": "q", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}}
    data = cloudwatch.get_metric_data(MetricDataQueries=[query], **SPAN)["MetricDataResults"][0]
    assert sorted(data["Values"]) == [1.0, 3.0]


def test_what_hosts_use_has_a_namespace_by_kind_of_job_and_the_dimension_host(aws: Any) -> None:
    report(aws, "twin", "CPUUtilization", 7.0)
    report(aws, f"{NAMESPACE}/twin/algo-1", "CPUUtilization", 150.0)
    report(aws, f"{NAMESPACE}/twin/algo-2", "CPUUtilization", 50.0)
    report(aws, "/aws/sagemaker/ProcessingJobs/twin/algo-1", "CPUUtilization", 20.0)
    report(aws, "/aws/sagemaker/TransformJobs/twin/i-0123", "MemoryUtilization", 30.0)
    cloudwatch = aws("cloudwatch")
    hosts = [{"Name": "Host", "Value": f"twin/{host}"} for host in ("algo-1", "algo-2", "i-0123")]

    def listed(kind: str) -> list[tuple[str, list[dict[str, str]]]]:
        found = cloudwatch.list_metrics(Namespace=f"/aws/sagemaker/{kind}Jobs")["Metrics"]
        named = [(metric["MetricName"], metric["Dimensions"]) for metric in found]
        return sorted(named, key=lambda one: one[1][0]["Value"])

    assert listed("Training") == [("CPUUtilization", each) for each in (of("twin"), hosts[:1], hosts[1:2])]
    assert listed("Processing") == [("CPUUtilization", hosts[:1])]
    assert listed("Transform") == [("MemoryUtilization", hosts[2:])]
    told = {"MetricName": "CPUUtilization", "Dimensions": hosts[:1], "Period": 60, "Statistics": ["Maximum"], **SPAN}
    [point] = cloudwatch.get_metric_statistics(Namespace=NAMESPACE, **told)["Datapoints"]
    assert (point["Maximum"], point["Unit"]) == (150.0, "Percent")
    assert statistics(aws, "twin", "CPUUtilization") == [(NOW, 7.0)]
    metric = {"Namespace": "/aws/sagemaker/ProcessingJobs", "MetricName": "CPUUtilization", "Dimensions": hosts[:1]}
    query = {"Id": "q", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Average"}}
    assert cloudwatch.get_metric_data(MetricDataQueries=[query], **SPAN)["MetricDataResults"][0]["Values"] == [20.0]
    trained = {**query["MetricStat"], "Metric": {**metric, "Namespace": NAMESPACE}}
    queries = [{**query, "ReturnData": False}, {"Id": "t", "MetricStat": trained}, {"Id": "e", "Expression": "q"}]
    results = cloudwatch.get_metric_data(MetricDataQueries=queries, **SPAN)["MetricDataResults"]
    assert [(result["Id"], result["Values"]) for result in results] == [("t", [150.0]), ("e", [20.0])]


def test_jobs_of_one_name_in_two_regions_and_accounts_keep_their_points_apart(aws: Any) -> None:
    report(aws, "job", "loss", 1.0)
    report(aws, "job", "loss", 2.0, where=(ACCOUNT, "eu-west-1"))
    report(aws, "job", "loss", 3.0, where=("210987654321", "us-east-1"))
    assert statistics(aws, "job", "loss") == [(NOW, 1.0)]
    assert statistics(aws, "job", "loss", "eu-west-1") == [(NOW, 2.0)]
    assert statistics(aws, "job", "loss", "eu-west-3") == []
    answer = aws("cloudwatch", "210987654321").get_metric_statistics(
        Namespace=NAMESPACE, MetricName="loss", Dimensions=of("job"), Period=60, Statistics=["Average"], **SPAN
    )
    assert [point["Average"] for point in answer["Datapoints"]] == [3.0]


def test_points_are_shown_once_and_only_what_clients_put_is_in_the_journal(aws: Any, tmp_path: Any) -> None:
    report(aws, "job-1", "loss", 2.0)
    assert statistics(aws, "job-1", "loss") == [(NOW, 2.0)]
    assert not (tmp_path / "neighbours" / "journal").exists()
    aws.front.desk.sleep()
    answer = aws("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE, MetricName="loss", Dimensions=of("job-1"), Period=60, Statistics=["SampleCount"], **SPAN
    )
    assert [point["SampleCount"] for point in answer["Datapoints"]] == [1.0]


def ask_in_cbor(aws: Any, operation: str, members: dict[str, Any]) -> tuple[int, Any]:
    """A request as the SDKs for Java, Go and JavaScript make it."""
    path = f"/service/GraniteServiceVersion20100801/operation/{operation}"
    headers = {"smithy-protocol": "rpc-v2-cbor", "content-type": "application/cbor"}
    scope = Scope(ACCOUNT, "us-east-1")
    reply = aws.front.answer(HttpRequest("monitoring", "POST", path, "", headers, cbor.encode(members), scope))
    assert reply.headers["smithy-protocol"] == "rpc-v2-cbor"
    assert reply.headers["content-type"] == "application/cbor"
    return reply.status, cbor.decode(reply.body)


def test_cbor_clients_get_cbor_with_times_and_floats(aws: Any) -> None:
    report(aws, "job-1", "loss", 2.0)
    times = {name: cbor.Instant(value.timestamp()) for name, value in SPAN.items()}
    wanted = {"Namespace": NAMESPACE, "MetricName": "loss", "Dimensions": of("job-1"), "Period": 60}
    status, answer = ask_in_cbor(aws, "GetMetricStatistics", {**wanted, "Statistics": ["Average"], **times})
    assert status == 200
    (point,) = answer["Datapoints"]
    assert isinstance(point["Timestamp"], cbor.Instant) and point["Timestamp"] == NOW
    assert isinstance(point["Average"], float) and point["Average"] == 2.0
    datum = {"MetricName": "m", "Value": 1.5, "Timestamp": cbor.Instant(NOW)}
    assert ask_in_cbor(aws, "PutMetricData", {"Namespace": "mine", "MetricData": [datum]})[0] == 200
    listed = aws("cloudwatch").list_metrics(Namespace="mine")["Metrics"]
    assert [metric["MetricName"] for metric in listed] == ["m"]


def test_cbor_clients_get_their_faults_in_cbor(aws: Any) -> None:
    status, answer = ask_in_cbor(aws, "GetInsightRuleReport", {"RuleName": "r"})
    assert (status, answer["__type"]) == (501, "NotImplementedException")
    assert "cloudwatch GetInsightRuleReport" in answer["message"]
    path = "/service/GraniteServiceVersion20100801/operation/ListMetrics"
    for body in (b"\xff", b"\xa1\x61", b"\x9f" * 500, b"\xa1\x61a\x9f\xff\xff", b"\x82\xff\x01"):
        headers = {"smithy-protocol": "rpc-v2-cbor"}
        request = HttpRequest("monitoring", "POST", path, "", headers, body, Scope(ACCOUNT, "us-east-1"))
        reply = aws.front.answer(request)
        assert reply.status == 400 and cbor.decode(reply.body)["__type"] == "SerializationException", body


def test_cbor_there_and_back_agrees_with_botocore() -> None:
    from botocore.parsers import RpcV2CBORParser

    value = {
        "text": "ü" * 300,
        "numbers": [0, 23, 24, 255, 256, 65_536, 2**32, 2**63, -1, -24, -25, -(2**40)],
        "floats": [0.0, 1.5, -2.25e300],
        "nothing": [None, True, False],
        "bytes": b"\x00" * 70_000,
        "deep": {"a": [{"b": []}]},
    }
    raw = cbor.encode(value)
    assert cbor.decode(raw) == value
    parser = RpcV2CBORParser()
    assert parser.parse_data_item(parser.get_peekable_stream_from_bytes(raw)) == value
    assert (
        json.dumps(cbor.decode(bytes.fromhex("bf61619f0102ff6162c11a5f5e1000ff"))) == '{"a": [1, 2], "b": 1600000000.0}'
    )


def test_a_span_in_the_past_shows_nothing_of_today(aws: Any) -> None:
    report(aws, "job-1", "loss", 2.0)
    early = {name: value - timedelta(days=2) for name, value in SPAN.items()}
    answer = aws("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE, MetricName="loss", Dimensions=of("job-1"), Period=60, Statistics=["Average"], **early
    )
    assert answer["Datapoints"] == []
