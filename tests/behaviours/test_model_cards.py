"""Model cards: contents by their schema, versions, and export jobs that really write a PDF."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from emulator.behaviours import card_contents
from emulator.behaviours.documents import violations
from emulator.house import House
from emulator.settings import Settings
from tests.behaviours.conftest import ARN, SCOPE, Desk
from tests.papers import reading

FULL: dict[str, Any] = {
    "model_overview": {"model_id": "m-1", "model_name": "churn", "model_description": "d", "model_version": 2},
    "intended_uses": {"purpose_of_model": "p", "risk_rating": "Low"},
    "business_details": {"business_problem": "b"},
    "training_details": {
        "objective_function": {"function": {"function": "Minimize", "facet": "Loss"}, "notes": "n"},
        "training_job_details": {
            "training_arn": "arn",
            "training_environment": {"container_image": ["i"]},
            "training_metrics": [{"name": "auc", "value": 0.9}],
            "hyper_parameters": [{"name": "eta", "value": "0.3"}],
        },
    },
    "evaluation_details": [
        {
            "name": "e",
            "datasets": ["s3://b/d"],
            "metadata": {"k": "v"},
            "metric_groups": [
                {
                    "name": "g",
                    "metric_data": [
                        {"name": "n", "type": "number", "value": 1},
                        {"name": "c", "type": "linear_graph", "value": [[0, 1]], "x_axis_name": "x"},
                        {"name": "b", "type": "bar_chart", "value": [1, 2], "x_axis_name": ["a", "b"]},
                        {"name": "m", "type": "matrix", "value": [[1, 2], [3, 4]]},
                    ],
                }
            ],
        }
    ],
    "additional_information": {"custom_details": {"k": "v"}},
    "model_package_details": {"model_package_group_name": "g", "model_package_arn": "arn", "model_package_version": 1},
}


def content(description: str = "one") -> str:
    return json.dumps({"model_overview": {"model_description": description}})


def create(desk: Desk, name: str = "c", **params: Any) -> str:
    given = {"Content": content(), "ModelCardStatus": "Draft", **params}
    return str(desk.do("CreateModelCard", ModelCardName=name, **given)["ModelCardArn"])


def versions(desk: Desk, **params: Any) -> list[int]:
    found = desk.do("ListModelCardVersions", ModelCardName="c", **params)["ModelCardVersionSummaryList"]
    return [version["ModelCardVersion"] for version in found]


def test_a_content_that_uses_all_of_the_schema_is_kept_as_it_is(desk: Desk) -> None:
    text = json.dumps(FULL, separators=(", ", " : "))
    assert create(desk, Content=text) == f"{ARN}:model-card/c"
    described = desk.do("DescribeModelCard", ModelCardName="c")
    assert described["Content"] == text and described["ModelCardVersion"] == 1
    assert (described["ModelCardStatus"], described["CreatedBy"]) == ("Draft", {})
    assert desk.refused("CreateModelCard", ModelCardName="c", Content=text, ModelCardStatus="Draft") == (
        "ConflictException",
        "Modelcard c already exists",
    )


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ({"overview": {}}, "overview is not a member of the schema"),
        ({"model_overview": {"model_owner": "x" * 1025}}, "model_overview.model_owner is longer than 1024 characters"),
        ({"model_overview": {"model_version": 0}}, "model_overview.model_version is less than 1"),
        ({"model_overview": []}, "model_overview is no object"),
        ({"intended_uses": {"risk_rating": "Huge"}}, "intended_uses.risk_rating is none of High, Medium, Low, Unknown"),
        ({"evaluation_details": [{}]}, "evaluation_details[0].name is missing"),
        ({"evaluation_details": [{"name": ""}]}, "evaluation_details[0].name is shorter than 1 characters"),
        (
            {"evaluation_details": [{"name": "e", "datasets": ["d"] * 11}]},
            "evaluation_details[0].datasets has 11 elements",
        ),
        (
            {"additional_information": {"custom_details": {"k": 1}}},
            "additional_information.custom_details.k is no string",
        ),
        (
            {"training_details": {"training_job_details": {"training_metrics": [{"name": "a", "value": "high"}]}}},
            "training_details.training_job_details.training_metrics[0].value is no number",
        ),
        (
            {"training_details": {"training_job_details": {"training_metrics": [{"name": "a", "value": True}]}}},
            "training_details.training_job_details.training_metrics[0].value is no number",
        ),
        (
            {"evaluation_details": [{"name": "e", "metric_groups": [{"name": "g", "metric_data": [{"name": "n"}]}]}]},
            "evaluation_details[0].metric_groups[0].metric_data[0] fits none of its 4 shapes",
        ),
        ([], "the document is no object"),
    ],
)
def test_what_the_schema_forbids_is_refused_by_its_place(desk: Desk, document: Any, what: str) -> None:
    assert list(violations(card_contents.CARD, document)) == [what]
    code, message = desk.refused(
        "CreateModelCard", ModelCardName="c", Content=json.dumps(document), ModelCardStatus="Draft"
    )
    assert code == "ValidationException" and what in message
    assert desk.do("ListModelCards")["ModelCardSummaries"] == []


def test_what_is_no_json_is_no_content(desk: Desk) -> None:
    assert "is not JSON" in desk.refused("CreateModelCard", ModelCardName="c", Content="f'", ModelCardStatus="Draft")[1]
    create(desk)
    assert "is not JSON" in desk.refused("UpdateModelCard", ModelCardName="c", Content="{")[1]


def test_another_content_is_a_version_and_another_status_is_none(desk: Desk) -> None:
    arn = create(desk, SecurityConfig={"KmsKeyId": "key"})
    desk.wait(10)
    assert desk.do("UpdateModelCard", ModelCardName="c", Content=content("two")) == {"ModelCardArn": arn}
    desk.wait(10)
    desk.do("UpdateModelCard", ModelCardName=arn, ModelCardStatus="Approved")
    desk.do("UpdateModelCard", ModelCardName="c", Content=content("two"), ModelCardStatus="Approved")
    first, second = (desk.do("DescribeModelCard", ModelCardName="c", ModelCardVersion=number) for number in (1, 2))
    assert [json.loads(card["Content"])["model_overview"]["model_description"] for card in (first, second)] == [
        "one",
        "two",
    ]
    assert [card["ModelCardStatus"] for card in (first, second)] == ["Draft", "Approved"]
    assert desk.do("DescribeModelCard", ModelCardName=arn) == second
    assert second["SecurityConfig"] == {"KmsKeyId": "key"} and second["CreationTime"] == first["CreationTime"]
    assert versions(desk) == [1, 2] and versions(desk, SortBy="Version", SortOrder="Descending") == [2, 1]
    assert versions(desk, ModelCardStatus="Approved") == [2]
    listed = desk.do("ListModelCardVersions", ModelCardName=arn)["ModelCardVersionSummaryList"]
    assert [item["CreationTime"] - first["CreationTime"] for item in listed] == [0, 10]
    (card,) = desk.do("ListModelCards", ModelCardStatus="Approved")["ModelCardSummaries"]
    assert card["ModelCardName"] == "c"


def test_content_and_status_are_not_changed_in_one_call_nor_what_is_archived(desk: Desk) -> None:
    create(desk)
    both = desk.refused("UpdateModelCard", ModelCardName="c", Content=content("two"), ModelCardStatus="Approved")
    assert both == (
        "ValidationException",
        "You cannot update both model card content and model card status in a single call.",
    )
    desk.do("UpdateModelCard", ModelCardName="c", ModelCardStatus="Archived")
    assert desk.refused("UpdateModelCard", ModelCardName="c", Content=content("two")) == (
        "ConflictException",
        "Model Card is in Archived state.",
    )
    assert versions(desk) == [1]


def test_absent_cards_and_versions_are_told_apart(desk: Desk) -> None:
    create(desk)
    for operation in ("DescribeModelCard", "UpdateModelCard", "DeleteModelCard", "ListModelCardVersions"):
        assert desk.refused(operation, ModelCardName="x") == ("ResourceNotFound", "Modelcard x does not exist.")
    assert desk.refused("DescribeModelCard", ModelCardName="c", ModelCardVersion=3) == (
        "ResourceNotFound",
        "Modelcard with name c and version: 3 does not exist",
    )


def test_metadata_alone_is_what_needs_no_key(desk: Desk) -> None:
    create(desk, Content=json.dumps(FULL))
    shown = desk.do("DescribeModelCard", ModelCardName="c", IncludedData="MetadataOnly")
    assert json.loads(shown["Content"]) == {
        "model_overview": {"model_id": "m-1", "model_name": "churn"},
        "intended_uses": {"risk_rating": "Low"},
        "model_package_details": {"model_package_group_name": "g", "model_package_arn": "arn"},
    }


# --- exports ----------------------------------------------------------------------------------------------------------


def export(desk: Desk, job: str = "j", bucket: str = "papers", **params: Any) -> str:
    given = {"ModelCardName": "c", "OutputConfig": {"S3OutputPath": f"s3://{bucket}/out/"}, **params}
    return str(desk.do("CreateModelCardExportJob", ModelCardExportJobName=job, **given)["ModelCardExportJobArn"])


def stored(desk: Desk, key: str) -> bytes:
    with desk.house.storage.open("papers", key) as file:
        return io.BytesIO(file.read()).getvalue()


def test_an_export_writes_the_version_that_it_names(desk: Desk) -> None:
    desk.house.storage.make_bucket("papers", SCOPE.region)
    create(desk, Content=json.dumps(FULL))
    desk.do("UpdateModelCard", ModelCardName="c", Content=content("two"))
    arn = export(desk, ModelCardVersion=1)
    assert arn == f"{ARN}:model-card/c/export-job/j"
    described = desk.do("DescribeModelCardExportJob", ModelCardExportJobArn=arn)
    assert (described["Status"], described["ModelCardVersion"]) == ("InProgress", 1)
    assert "ExportArtifacts" not in described
    latest = export(desk, "k", ModelCardName=f"{ARN}:model-card/c")
    desk.wait(0)
    described = desk.do("DescribeModelCardExportJob", ModelCardExportJobArn=arn)
    assert described["Status"] == "Completed" and described["ModelCardName"] == "c"
    assert described["ExportArtifacts"] == {"S3ExportArtifacts": "s3://papers/out/c/j.pdf"}
    file = stored(desk, "out/c/j.pdf")
    assert {"Model card c", "churn", "Draft", "1"} <= {line for page in reading.pages(file) for line in page}
    assert json.loads(reading.attachments(file)["model-card.json"]) == FULL
    assert desk.do("DescribeModelCardExportJob", ModelCardExportJobArn=latest)["ModelCardVersion"] == 2
    assert "two" in reading.pages(stored(desk, "out/c/k.pdf"))[0]
    jobs = desk.do("ListModelCardExportJobs", ModelCardName="c", SortBy="Name", SortOrder="Ascending")
    assert [job["ModelCardExportJobName"] for job in jobs["ModelCardExportJobSummaries"]] == ["j", "k"]
    for narrowed in ({"ModelCardVersion": 2}, {"ModelCardExportJobNameContains": "k"}):
        (found,) = desk.do("ListModelCardExportJobs", ModelCardName="c", **narrowed)["ModelCardExportJobSummaries"]
        assert found["ModelCardExportJobName"] == "k"
    assert desk.do("ListModelCardExportJobs", ModelCardName="c", StatusEquals="Failed") == {
        "ModelCardExportJobSummaries": []
    }


def test_an_export_that_cannot_be_written_fails_and_says_why(desk: Desk) -> None:
    create(desk)
    arn = export(desk, bucket="none")
    desk.wait(0)
    described = desk.do("DescribeModelCardExportJob", ModelCardExportJobArn=arn)
    assert described["Status"] == "Failed" and "s3://none/out/c/j.pdf" in described["FailureReason"]
    assert "ExportArtifacts" not in described
    taken = desk.refused(
        "CreateModelCardExportJob",
        ModelCardName="c",
        ModelCardExportJobName="j",
        OutputConfig={"S3OutputPath": "s3://none"},
    )
    assert taken[0] == "ConflictException"
    absent = {"ModelCardExportJobName": "x", "OutputConfig": {"S3OutputPath": "s3://papers"}}
    for named in ({"ModelCardName": "x"}, {"ModelCardName": "c", "ModelCardVersion": 9}):
        assert desk.refused("CreateModelCardExportJob", **absent, **named)[0] == "ResourceNotFound"


def test_a_card_is_deleted_with_its_versions_and_its_exports(desk: Desk) -> None:
    create(desk)
    desk.do("UpdateModelCard", ModelCardName="c", Content=content("two"))
    arn = export(desk)
    desk.do("DeleteModelCard", ModelCardName="c")
    desk.wait(0)
    assert desk.refused("DescribeModelCardExportJob", ModelCardExportJobArn=arn)[0] == "ResourceNotFound"
    create(desk)
    assert versions(desk) == [1]


def test_a_restart_goes_on_with_an_export(desk: Desk, tmp_path: Any) -> None:
    from emulator.clock import ManualClock

    settings = Settings(data_dir=tmp_path / "house", executor="stub", settle_seconds=0.0)
    before = House(settings, ManualClock())
    old = Desk.__new__(Desk)
    old.house = before
    old.house.storage.make_bucket("papers", SCOPE.region)
    create(old)
    arn = export(old)
    before.close()
    after = Desk.__new__(Desk)
    after.house = House(settings, ManualClock())
    assert after.do("DescribeModelCardExportJob", ModelCardExportJobArn=arn)["Status"] == "InProgress"
    after.house.start()
    after.wait(0)
    after.wait(0)
    assert after.do("DescribeModelCardExportJob", ModelCardExportJobArn=arn)["Status"] == "Completed"
    assert stored(after, "out/c/j.pdf").startswith(b"%PDF")
    after.house.close()
