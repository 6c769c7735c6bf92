"""What a search finds is the same whether records are read one by one, looked up, or both; a naive search agrees.

The oracle below knows nothing of the rooms: it reads plain members, compares as the API reference says, sorts a list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.errors import Validation
from tests.resources.seeker import GLANCED, INDEXED, MIXED, READ_ALL, Seeker

NUMBERS = ["1", "1.5", "-1.5", "2", "0.50", "2e0"]
WORDS = ["adam", "sgd", "1", "1.0", ""]
LONG = "x" * 499

Body = dict[str, Any]

# --- the oracle -------------------------------------------------------------------------------------------------------

READ: dict[str, tuple[str, Callable[[Body], Iterable[Any]]]] = {
    "TrainingJobName": ("text", lambda b: [b["TrainingJobName"]]),
    "TrainingJobStatus": ("text", lambda b: [b["TrainingJobStatus"]]),
    "FailureReason": ("text", lambda b: [b.get("FailureReason")]),
    "TrainingTimeInSeconds": ("number", lambda b: [b.get("TrainingTimeInSeconds")]),
    "EnableNetworkIsolation": ("boolean", lambda b: [b.get("EnableNetworkIsolation")]),
    "TrainingEndTime": ("time", lambda b: [b.get("TrainingEndTime")]),
    "CreationTime": ("time", lambda b: [b["CreationTime"]]),
    "HyperParameters.a": ("hyper", lambda b: [b.get("HyperParameters", {}).get("a")]),
    "hyperparameters.b.c": ("hyper", lambda b: [b.get("HyperParameters", {}).get("b.c")]),
    "Metrics.m": ("number", lambda b: [m["Value"] for m in b.get("FinalMetricDataList", []) if m["MetricName"] == "m"]),
    "Tags.t": ("loose", lambda b: [t["Value"] for t in b["Tags"] if t["Key"] == "t"]),
    "InputDataConfig.ChannelName": ("text", lambda b: [c["ChannelName"] for c in b.get("InputDataConfig", [])]),
    "InputDataConfig.ContentType": ("text", lambda b: [c.get("ContentType") for c in b.get("InputDataConfig", [])]),
}
ORDERS = {
    "GreaterThan": lambda x, y: x > y,
    "GreaterThanOrEqualTo": lambda x, y: x >= y,
    "LessThan": lambda x, y: x < y,
    "LessThanOrEqualTo": lambda x, y: x <= y,
}


def numeric(value: Any) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    try:
        return float(value) if re.fullmatch(r"[-+.0-9e]+", str(value)) else None
    except ValueError:
        return None


def equal(kind: str, have: Any, want: str) -> bool:
    if kind == "boolean":
        return str(have).lower() == want
    if kind == "time":
        return int(have) == int(want)
    if kind in ("number", "hyper") and numeric(have) is not None and numeric(want) is not None:
        return in_order(kind, have, want, lambda x, y: x == y)
    return str(have) == want


def in_order(kind: str, have: Any, want: str, compare: Callable[[float, float], bool]) -> bool:
    x, y = numeric(have), numeric(want)
    if x is None or y is None:
        return False
    if kind == "hyper" and re.fullmatch(r"[-+]?\d+", want):
        x = float(int(x))
    return compare(x, y)


def passes(one: dict[str, str], body: Body, prefix: str = "") -> bool:
    kind, values_of = READ[one["Name"]]
    values = [value for value in values_of(body) if value is not None]
    operator, want = one.get("Operator", "Equals"), one.get("Value", "")
    if operator in ("Exists", "NotExists"):
        return bool(values) is (operator == "Exists")
    if operator in ("Equals", "NotEquals"):
        return any(equal(kind, have, want) for have in values) is (operator == "Equals")
    if operator == "In":
        return any(equal(kind, have, part) for have in values for part in want.split(","))
    if operator == "Contains":
        return any(want in have for have in values)
    return any(in_order(kind, have, want, ORDERS[operator]) for have in values)


def holds(expression: dict[str, Any], body: Body) -> bool:
    parts = [passes(one, body) for one in expression.get("Filters", [])]
    for nested in expression.get("NestedFilters", []):
        channels = [{**body, "InputDataConfig": [channel]} for channel in body.get("InputDataConfig", [])]
        parts.append(any(all(passes(one, alone) for one in nested["Filters"]) for alone in channels))
    parts += [holds(inner, body) for inner in expression.get("SubExpressions", [])]
    return any(parts) if expression.get("Operator") == "Or" else all(parts)


def in_place(name: str, descending: bool, bodies: list[Body]) -> list[str]:
    """The names in order: numbers, texts, what has neither; ties by age, or by name for the record's own columns."""
    if name in ("CreationTime", "TrainingJobName", "TrainingJobStatus"):
        own = sorted(bodies, key=lambda b: (b[name], b["TrainingJobName"]), reverse=descending)
        return [b["TrainingJobName"] for b in own]
    kind, values_of = READ[name]
    groups: tuple[list[Any], list[Any], list[Any]] = ([], [], [])
    for age, body in enumerate(bodies):
        values = [str(v).lower() if kind == "boolean" else v for v in values_of(body) if v is not None]
        numbers = [numeric(v) for v in values if kind != "text" and numeric(v) is not None]
        best = max if descending else min
        if numbers:
            groups[0].append((best(numbers), age, body["TrainingJobName"]))
        elif values:
            groups[1].append((best(values)[:500], age, body["TrainingJobName"]))  # so much of a text counts
        else:
            groups[2].append(body["TrainingJobName"])
    ordered = [sorted(group, reverse=descending) for group in groups[:2]]
    return [name for group in ordered for _, _, name in group] + sorted(groups[2])


# --- worlds and questions ---------------------------------------------------------------------------------------------

MAYBE = {
    "FailureReason": st.sampled_from(["", "AlgorithmError", "ClientError", LONG + "ab", LONG + "ac", LONG]),
    "TrainingTimeInSeconds": st.integers(0, 3),
    "EnableNetworkIsolation": st.booleans(),
    "TrainingEndTime": st.sampled_from([100.0, 100.5, 101.0, 102.25]),
    "HyperParameters": st.dictionaries(st.sampled_from(["a", "b.c"]), st.sampled_from([*NUMBERS, *WORDS]), max_size=2),
    "FinalMetricDataList": st.lists(
        st.fixed_dictionaries(
            {"MetricName": st.sampled_from("mn"), "Value": st.sampled_from([None, -1.0, 0.0, 0.5, 2.0])}
        ),
        max_size=2,
    ),
    "InputDataConfig": st.lists(
        st.fixed_dictionaries(
            {"ChannelName": st.sampled_from(["train", "test"])},
            optional={"ContentType": st.sampled_from(["csv", "json"])},
        ),
        max_size=2,
    ),
}
BODIES = st.fixed_dictionaries(
    {
        "TrainingJobStatus": st.sampled_from(["Completed", "Failed"]),
        "CreationTime": st.sampled_from([100.0, 100.5, 101.0]),
        "Tags": st.lists(st.sampled_from(["1.1", "1.10", "9", "10", "blue"]), max_size=1),
    },
    optional=MAYBE,
)
VALUES = {
    "text": st.sampled_from(
        ["job-1", "job-2", "Completed", "AlgorithmError", LONG + "ab", LONG, "train", "csv", "e", "x"]
    ),
    "number": st.sampled_from(["0", "1", "0.5", "2.0", "-1"]),
    "time": st.sampled_from(["100", "101", "103"]),
    "hyper": st.sampled_from(["1", "1.5", "-1", "0", "2.0", "adam", "x"]),
    "loose": st.sampled_from(["1.1", "10", "blue", "b"]),
    "boolean": st.sampled_from(["true", "false"]),
}
ALWAYS = ("Equals", "NotEquals", "Exists", "NotExists")
ALLOWED = {
    "text": (*ALWAYS, "Contains", "In"),
    "number": (*ALWAYS, *ORDERS),
    "time": (*ALWAYS, *ORDERS),
    "hyper": (*ALWAYS, *ORDERS, "In"),
    "loose": (*ALWAYS, *ORDERS, "Contains", "In"),
    "boolean": ALWAYS,
}


@st.composite
def one_filter(draw: st.DrawFn, names: tuple[str, ...] = tuple(READ)) -> dict[str, str]:
    name = draw(st.sampled_from(names))
    kind = READ[name][0]
    operator = draw(st.sampled_from(ALLOWED[kind]))
    value = draw(VALUES[kind])
    if operator in ORDERS and numeric(value) is None:
        value = "1"
    if operator == "In":
        value = f"{value},{draw(VALUES[kind])}"
    return {"Name": name, "Operator": operator, **({} if operator.endswith("Exists") else {"Value": value})}


FILTERS = st.lists(one_filter(), min_size=1, max_size=3)
NESTED = st.fixed_dictionaries(
    {
        "NestedPropertyName": st.just("InputDataConfig"),
        "Filters": st.lists(
            one_filter(("InputDataConfig.ChannelName", "InputDataConfig.ContentType")), min_size=1, max_size=2
        ),
    }
)
LEAVES = st.fixed_dictionaries({"Filters": FILTERS}, optional={"Operator": st.sampled_from(["And", "Or"])})
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.fixed_dictionaries(
        {"SubExpressions": st.lists(inner, min_size=1, max_size=2)},
        optional={
            "Filters": FILTERS,
            "NestedFilters": st.lists(NESTED, min_size=1, max_size=1),
            "Operator": st.sampled_from(["And", "Or"]),
        },
    ),
    max_leaves=3,
)
QUESTIONS = st.tuples(EXPRESSIONS, st.sampled_from(sorted(READ)), st.booleans())


def put(seeker: Seeker, number: int, body: Body) -> Body:
    name = f"job-{number}"
    tags = dict(zip("t", body["Tags"], strict=False))
    kept = {key: value for key, value in body.items() if key != "Tags"}
    seeker.put("TrainingJob", name, tags, TrainingJobName=name, created=body["CreationTime"], **kept)
    return {**kept, "TrainingJobName": name, "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}


def check(seeker: Seeker, searches: list[Any], question: tuple[dict[str, Any], str, bool], bodies: list[Body]) -> None:
    expression, sort, descending = question
    order = {"SortBy": sort, "SortOrder": "Descending" if descending else "Ascending"}
    expected = in_place(sort, descending, [body for body in bodies if holds(expression, body)])
    for search in searches:
        try:
            asked = {"search": search, "SearchExpression": expression, **order}
            assert list(seeker.all("TrainingJob", MaxResults=2, **asked)) == expected
            hits = seeker.ask("TrainingJob", MaxResults=2, **asked)["TotalHits"]
        except Validation as refused:
            assert "usage limit" in str(refused)
            return
        exact = hits["Relation"] == "EqualTo"
        assert hits["Value"] == len(expected) if exact else hits["Value"] <= len(expected)


@given(
    bodies=st.lists(BODIES, max_size=7),
    questions=st.lists(QUESTIONS, min_size=2, max_size=3),
    later=st.lists(BODIES, max_size=3),
)
@settings(max_examples=80, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_every_way_of_searching_finds_what_a_naive_search_finds(
    bodies: list[Body], questions: list[Any], later: list[Body]
) -> None:
    seeker = Seeker()
    searches = [seeker.of(sizes) for sizes in (READ_ALL, INDEXED, MIXED, GLANCED)]
    there = [put(seeker, number, body) for number, body in enumerate(bodies)]
    for question in questions:
        check(seeker, searches, question, there)
    # Then some are written again, one is deleted, one comes new
    for number, body in enumerate(later[: len(there)]):
        there[number] = put(seeker, number, body)
    if len(there) > 3:
        seeker.drop("TrainingJob", there.pop(3)["TrainingJobName"])
        there.append(put(seeker, 9, later[0] if later else bodies[0]))
    for question in questions:
        check(seeker, searches, question, there)
    seeker.store.close()
