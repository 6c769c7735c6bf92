"""What Search and GetSearchSuggestions answer: members of SearchRecord, pages that survive writes, who sees what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from emulator import spec
from emulator.call import Scope
from emulator.errors import Validation
from emulator.resources.search import AFRESH, GROWING, KEPT, Computed, Sizes
from emulator.store import Record
from tests.resources.seeker import GLANCED, INDEXED, READ_ALL, Seeker

RESOURCES = spec.load("sagemaker").shape_for("ResourceType").enum
ELSEWHERE = (Scope("123456789012", "us-west-2"), Scope("210987654321", "eu-west-1"))


@pytest.fixture(params=[READ_ALL, INDEXED, GLANCED], ids=["read", "indexed", "glanced"])
def seeker(request: pytest.FixtureRequest) -> Iterator[Seeker]:
    seeker = Seeker(request.param)
    yield seeker
    seeker.store.close()


def job(seeker: Seeker, name: str, tags: dict[str, str] | None = None, **body: Any) -> Record:
    return seeker.put("TrainingJob", name, tags, TrainingJobName=name, **body)


def equals(name: str, value: str) -> dict[str, Any]:
    return {"Filters": [{"Name": name, "Operator": "Equals", "Value": value}]}


# --- results ----------------------------------------------------------------------------------------------------------


def test_a_result_wraps_one_member_with_the_tags_in_it(seeker: Seeker) -> None:
    job(seeker, "a", {"team": "blue"}, HyperParameters={"x": "1"})
    job(seeker, "b")
    assert seeker.ask("TrainingJob", SearchExpression=equals("Tags.team", "blue"))["Results"] == [
        {
            "TrainingJob": {
                "TrainingJobName": "a",
                "HyperParameters": {"x": "1"},
                "Tags": [{"Key": "team", "Value": "blue"}],
            }
        }
    ]


def test_trials_and_components_are_called_by_their_nouns(seeker: Seeker) -> None:
    seeker.put("Trial", "t", TrialName="t")
    seeker.put("TrialComponent", "c", TrialComponentName="c")
    assert [*seeker.ask("ExperimentTrial")["Results"][0]] == ["Trial"]
    assert [*seeker.ask("ExperimentTrialComponent")["Results"][0]] == ["TrialComponent"]


def test_a_model_is_wrapped_as_the_dashboard_has_it(seeker: Seeker) -> None:
    seeker.put("Model", "m", {"team": "blue"}, ModelName="m", CreationTime=5.0, created=5.0)
    seeker.put("Model", "n", ModelName="n", CreationTime=6.0, created=6.0)
    (found,) = seeker.ask("Model", SearchExpression=equals("Tags.team", "blue"))["Results"]
    assert found["Model"]["Model"] == {
        "ModelName": "m",
        "CreationTime": 5.0,
        "Tags": [{"Key": "team", "Value": "blue"}],
    }
    assert seeker.keys("Model", ("ModelName", "Contains", "n")) == ["n"]
    assert seeker.keys("Model", SortBy="CreationTime", SortOrder="Ascending") == ["m", "n"]


def test_an_image_has_no_place_in_the_models_results(seeker: Seeker) -> None:
    seeker.put("Image", "i", ImageName="i")
    answer = seeker.ask("Image", SearchExpression=equals("ImageName", "i"))
    assert answer == {"Results": [{}], "TotalHits": {"Value": 1, "Relation": "EqualTo"}}


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_resource_answers(seeker: Seeker, resource: str) -> None:
    assert seeker.ask(resource)["Results"] == []
    assert seeker.suggest(resource)


# --- order and pages --------------------------------------------------------------------------------------------------


def test_the_latest_change_comes_first_and_ten_to_a_page(seeker: Seeker) -> None:
    for number in range(12):
        job(seeker, f"j{number:02}", modified=float(number))
    page = seeker.ask("TrainingJob")
    assert [one["TrainingJob"]["TrainingJobName"] for one in page["Results"]] == [f"j{n:02}" for n in range(11, 1, -1)]
    very_many = {"Value": GLANCED.large, "Relation": "GreaterThanOrEqualTo"}
    assert page["TotalHits"] in ({"Value": 12, "Relation": "EqualTo"}, very_many)
    assert seeker.keys("TrainingJob", SortOrder="Ascending", MaxResults=5) == [f"j{n:02}" for n in range(12)]


@pytest.mark.parametrize("sort", ["LastModifiedTime", "TrainingJobName", "HyperParameters.x", "FailureReason"])
def test_pages_go_on_where_they_ended_whatever_is_written_meanwhile(seeker: Seeker, sort: str) -> None:
    for number in range(9):
        job(seeker, f"j{number}", modified=float(number), HyperParameters={"x": str(number)})
    order = {"SortBy": sort, "SortOrder": "Ascending", "MaxResults": 3}
    first = seeker.ask("TrainingJob", **order)
    job(seeker, "j-early", modified=-1.0, HyperParameters={"x": "-1"}, FailureReason="a")
    job(seeker, "j7z", modified=7.5, HyperParameters={"x": "7.5"})
    seeker.drop("TrainingJob", "j2")
    seeker.drop("TrainingJob", "j4")
    rest = list(seeker.all("TrainingJob", **order, NextToken=first["NextToken"]))
    assert rest == ["j3", "j5", "j6", "j7", "j7z", "j8"]


def test_what_is_sorted_by_may_be_asked_for_too(seeker: Seeker) -> None:
    for number in range(6):
        value = str(number)
        job(
            seeker,
            f"j{number}",
            {"v": value},
            created=float(number),
            CreationTime=float(number),
            HyperParameters={"x": f"{value}.5" if number else "none"},
            TrainingTimeInSeconds=number,
            InputDataConfig=[{"ChannelName": value}, {"ChannelName": "3"}],
        )
    job(seeker, "lacking")

    def keys(name: str, operator: str, value: str, order: str = "Ascending") -> list[str]:
        return seeker.keys("TrainingJob", (name, operator, value), SortBy=name, SortOrder=order, MaxResults=2)

    assert keys("TrainingTimeInSeconds", "GreaterThan", "2") == ["j3", "j4", "j5"]
    assert keys("TrainingTimeInSeconds", "LessThanOrEqualTo", "2", "Descending") == ["j2", "j1", "j0"]
    assert keys("CreationTime", "GreaterThanOrEqualTo", "4") == ["j4", "j5"]
    assert keys("HyperParameters.x", "GreaterThan", "3") == ["j4", "j5"]
    assert keys("HyperParameters.x", "Equals", "none") == ["j0"]
    assert keys("Tags.v", "Equals", "4") == ["j4"]
    assert keys("Tags.v", "LessThan", "2", "Descending") == ["j1", "j0"]
    assert keys("InputDataConfig.ChannelName", "Equals", "3") == ["j0", "j1", "j2", "j3", "j4", "j5"]
    assert keys("TrainingJobName", "In", "j1,j4", "Descending") == ["j4", "j1"]
    assert keys("TrainingTimeInSeconds", "NotEquals", "2") == ["j0", "j1", "j3", "j4", "j5", "lacking"]


def test_a_record_with_the_same_value_twice_comes_once(seeker: Seeker) -> None:
    for name in "ab":
        job(seeker, name, InputDataConfig=[{"ChannelName": "train"}, {"ChannelName": "train"}])
    for size in (1, 10):
        assert seeker.keys("TrainingJob", SortBy="InputDataConfig.ChannelName", MaxResults=size) == ["b", "a"]
    parameters = {"p": {"NumberValue": 1.0, "StringValue": "1.0"}}
    seeker.put("TrialComponent", "c", TrialComponentName="c", Parameters=parameters)
    assert seeker.keys("ExperimentTrialComponent", SortBy="Parameters.p") == ["c"]


def test_a_token_is_good_for_its_own_search_alone(seeker: Seeker) -> None:
    for number in range(3):
        job(seeker, f"j{number}")
    token = seeker.ask("TrainingJob", MaxResults=1)["NextToken"]
    assert seeker.ask("TrainingJob", MaxResults=2, NextToken=token)["Results"]
    for other in ({"SortBy": "TrainingJobName"}, {"SearchExpression": equals("TrainingJobName", "j1")}):
        with pytest.raises(Validation, match="NextToken"):
            seeker.ask("TrainingJob", NextToken=token, **other)
    for garbled in ("x", token[:-4], "W10="):
        with pytest.raises(Validation, match="NextToken"):
            seeker.ask("TrainingJob", NextToken=garbled)


def test_an_unknown_sort_key_is_refused(seeker: Seeker) -> None:
    with pytest.raises(Validation) as refused:
        seeker.ask("TrainingJob", SortBy="Color")
    assert str(refused.value) == "Unknown property name: Color"


def test_what_was_cut_off_a_long_text_counts(seeker: Seeker) -> None:
    long = "x" * 499
    for name, reason in (("a", long + "ab"), ("b", long + "ac"), ("c", long), ("d", "short")):
        job(seeker, name, FailureReason=reason)
    assert seeker.keys("TrainingJob", ("FailureReason", "Equals", long + "ab")) == ["a"]
    assert sorted(seeker.keys("TrainingJob", ("FailureReason", "NotEquals", long + "ab"))) == ["b", "c", "d"]
    assert seeker.keys("TrainingJob", ("FailureReason", "Contains", "xac")) == ["b"]
    assert sorted(seeker.keys("TrainingJob", ("FailureReason", "NotEquals", "y" * 700))) == ["a", "b", "c", "d"]


# --- who sees what ----------------------------------------------------------------------------------------------------


def test_scopes_do_not_see_each_other(seeker: Seeker) -> None:
    job(seeker, "here", {"team": "blue"})
    for scope in ELSEWHERE:
        job(seeker, f"in-{scope.region}", {"team": "blue"}, scope=scope)
    blue = {"SearchExpression": equals("Tags.team", "blue")}
    assert list(seeker.all("TrainingJob", **blue)) == ["here"]
    for scope in ELSEWHERE:
        assert list(seeker.all("TrainingJob", scope=scope, **blue)) == [f"in-{scope.region}"]


def test_nothing_of_other_accounts_is_discoverable(seeker: Seeker) -> None:
    job(seeker, "a")
    assert seeker.ask("TrainingJob", CrossAccountFilterOption="CrossAccount")["Results"] == []
    assert seeker.keys("TrainingJob", CrossAccountFilterOption="SameAccount") == ["a"]
    with pytest.raises(Validation):
        seeker.ask("TrainingJob", CrossAccountFilterOption="CrossAccount", SearchExpression=equals("Color", "x"))


def test_visibility_conditions_hide_other_values_of_a_tag(seeker: Seeker) -> None:
    job(seeker, "mine", {"team": "blue"})
    job(seeker, "theirs", {"team": "red"})
    job(seeker, "nobodys", {"color": "red"})
    blue = {"Key": "Tags.team", "Value": "blue"}
    assert sorted(seeker.keys("TrainingJob", VisibilityConditions=[blue])) == ["mine", "nobodys"]
    both = [blue, {"Key": "Tags.team", "Value": "red"}]
    assert sorted(seeker.keys("TrainingJob", VisibilityConditions=both)) == ["mine", "nobodys", "theirs"]
    color = {"Key": "Tags.color", "Value": "green"}
    assert seeker.keys("TrainingJob", VisibilityConditions=[blue, color]) == ["mine"]
    named = ("TrainingJobName", "Contains", "s")
    assert seeker.keys("TrainingJob", named, VisibilityConditions=[blue]) == ["nobodys"]
    with pytest.raises(Validation, match="visibility condition"):
        seeker.ask("TrainingJob", VisibilityConditions=[{"Key": "team", "Value": "blue"}])


# --- computed members -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [READ_ALL, INDEXED], ids=["read", "indexed"])
def test_what_is_computed_is_searched_sorted_and_shown(sizes: Sizes) -> None:
    now = {"a": 5, "b": 9}
    trials = {"c1": "t1", "c2": "t2"}
    computed = {
        "TrainingJob": {
            "TrainingTimeInSeconds": Computed(
                lambda record: record.body.get("TrainingTimeInSeconds", now.get(record.key)), GROWING
            )
        },
        "TrialComponent": {
            "Parents": Computed(lambda record: [{"TrialName": trials[record.key], "ExperimentName": "e"}], KEPT),
            "RunName": Computed(lambda record: record.key.upper(), AFRESH),
        },
    }
    seeker = Seeker(sizes, computed)
    for name in "ab":
        job(seeker, name)
    seeker.put("TrialComponent", "c1", TrialComponentName="c1")
    seeker.put("TrialComponent", "c2", TrialComponentName="c2")
    by_time = ("TrainingTimeInSeconds", "GreaterThan", "6")
    assert seeker.keys("TrainingJob", by_time) == ["b"]
    now["a"] = 20
    assert seeker.keys("TrainingJob", by_time, SortBy="TrainingTimeInSeconds") == ["a", "b"], "it grows by itself"
    job(seeker, "b", TrainingTimeInSeconds=3)
    assert seeker.keys("TrainingJob", by_time) == ["a"]
    parents = ("Parents.TrialName", "Equals", "t2")
    assert seeker.keys("ExperimentTrialComponent", parents) == ["c2"]
    trials["c1"] = "t2"
    seeker.search.touch("arn:aws:sagemaker:eu-west-1:123456789012:trialcomponent/c1")
    assert sorted(seeker.keys("ExperimentTrialComponent", parents)) == ["c1", "c2"]
    assert seeker.keys("ExperimentTrialComponent", ("RunName", "Equals", "C1"), parents) == ["c1"]
    assert seeker.keys("ExperimentTrialComponent", SortBy="RunName", SortOrder="Ascending") == ["c1", "c2"]
    (shown,) = seeker.ask("ExperimentTrialComponent", SearchExpression=equals("RunName", "C2"))["Results"]
    assert shown["TrialComponent"]["Parents"] == [{"TrialName": "t2", "ExperimentName": "e"}]
    seeker.store.close()


# --- suggestions ------------------------------------------------------------------------------------------------------


def test_suggestions_are_names_that_begin_with_the_hint(seeker: Seeker) -> None:
    job(
        seeker,
        "a",
        {"linear": "x", "Team": "y"},
        HyperParameters={"linear_lr": "1", "eta": "2"},
        FinalMetricDataList=[{"MetricName": "validation:auc", "Value": 1.0}],
    )
    assert seeker.suggest("TrainingJob", "linear") == ["hyperparameters.linear_lr", "tags.linear"]
    assert seeker.suggest("TrainingJob", "Metrics.") == ["metrics.validation:auc"]
    assert seeker.suggest("TrainingJob", "tags.") == ["tags.Team", "tags.linear"]
    assert seeker.suggest("TrainingJob", "TrainingJobN") == ["TrainingJobName"]
    assert "InputDataConfig.DataSource.S3DataSource.S3Uri" in seeker.suggest("TrainingJob", "inputdata")
    assert seeker.suggest("TrainingJob", "no such thing") == []
    everything = seeker.suggest("TrainingJob", "")
    assert everything == seeker.suggest("TrainingJob")
    assert {"TrainingJobStatus", "hyperparameters.eta"} <= set(everything)


def test_every_suggestion_can_be_searched_for(seeker: Seeker) -> None:
    job(seeker, "a", {"t": "x"}, HyperParameters={"x": "1"}, FinalMetricDataList=[{"MetricName": "m", "Value": 1.0}])
    seeker.put("Model", "m", {"t": "x"}, ModelName="m")
    seeker.put(
        "TrialComponent",
        "c",
        TrialComponentName="c",
        Parameters={"p": {"NumberValue": 1.0}},
        Metrics=[{"MetricName": "m", "Last": 1.0}],
    )
    for resource in ("TrainingJob", "Model", "ExperimentTrialComponent"):
        for name in seeker.suggest(resource):
            seeker.ask(resource, SearchExpression={"Filters": [{"Name": name, "Operator": "Exists"}]}, MaxResults=1)
        assert resource == "ExperimentTrialComponent" or "tags.t" in seeker.suggest(resource)
    own = {"TrainingJob": ("hyperparameters.x", "metrics.m", "tags.t"), "Model": ("tags.t",)}
    own["ExperimentTrialComponent"] = ("parameters.p", "metrics.m")
    for resource, names in own.items():
        for name in names:
            assert len(seeker.keys(resource, (name, "Exists"))) == 1
