"""What CreateTransformJob and StopTransformJob refuse, and what they write down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from emulator.behaviours import transform
from emulator.call import Call, Scope
from emulator.errors import NotBuilt, Validation
from emulator.jobs.lifecycle import Job, Phase
from emulator.jobs.record import hidden_life
from emulator.ports import ObjectInfo
from emulator.settings import Settings
from emulator.store.records import Record

SCOPE = Scope("123456789012", "eu-west-1")
JOIN = {"JoinSource": "Input"}


class Keys:
    def list(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        if bucket != "b":
            raise FileNotFoundError(f"s3://{bucket}")
        return iter([ObjectInfo("b", key, 1, "") for key in ("in/a.csv",) if key.startswith(prefix)])


class Records:
    def __init__(self) -> None:
        self.records: dict[tuple[str, str], Record] = {}
        self.add(
            "Model", "m", {"ModelName": "m", "PrimaryContainer": {"Image": "i", "ModelDataUrl": "s3://b/m.tar.gz"}}
        )

    def add(self, kind: str, name: str, body: dict[str, Any], **members: Any) -> Record:
        self.records[kind, name] = Record(kind, SCOPE, name, f"arn:{name}", body, 0.0, 0.0, **members)
        return self.records[kind, name]

    def create(self, kind: str, call: Call, *, status: str, extra: dict[str, Any], hidden: dict[str, Any]) -> Record:
        return self.add(kind, call.params[f"{kind}Name"], {**call.params, **extra}, status=status, hidden=hidden)

    def find(self, kind: str, scope: Scope, key: str) -> Record | None:
        return self.records.get((kind, key))

    def get(self, kind: str, scope: Scope, key: str) -> Record:
        record = self.find(kind, scope, key)
        if record is None:
            raise Validation(f'Could not find model "{key}".')
        return record


@pytest.fixture
def rooms() -> Any:
    asked: list[tuple[str, ...]] = []
    jobs = SimpleNamespace(
        settings=Settings(),
        asked=asked,
        submit=lambda record: asked.append(("submit", record.kind, record.key)),
        request_stop=lambda kind, scope, name: asked.append(("stop", kind, name)),
    )
    return SimpleNamespace(settings=Settings(), resources=Records(), storage=Keys(), jobs=jobs)


def create(
    rooms: Any, source: dict[str, Any] | None = None, target: dict[str, Any] | None = None, **members: Any
) -> dict[str, Any]:
    given = dict(source or {})
    place = {"S3DataType": given.pop("kind", "S3Prefix"), "S3Uri": given.pop("uri", "s3://b/in/")}
    params = {
        "TransformJobName": "t",
        "ModelName": "m",
        "TransformInput": {"DataSource": {"S3DataSource": place}, **given},
        "TransformOutput": {"S3OutputPath": "s3://b/out", **(target or {})},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **members,
    }
    transform.create_transform_job(rooms, Call("sagemaker", "CreateTransformJob", params, SCOPE))
    return dict(rooms.resources.records["TransformJob", "t"].body)


def test_defaults_are_described_and_the_model_is_kept(rooms: Any) -> None:
    body = create(rooms, {"ContentType": "text/csv"})
    assert body["DataProcessing"] == {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
    container = rooms.resources.records["TransformJob", "t"].hidden["container"]
    assert (container["image"], container["model_data"]) == ("i", "s3://b/m.tar.gz")
    assert rooms.jobs.asked == [("submit", "TransformJob", "t")]


LINE = {"ContentType": "text/csv", "SplitType": "Line"}
REFUSED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"ModelName": "gone"}, Validation, "Could not find model"),
    ({"source": {"uri": "s3://b/none"}}, Validation, "No S3 objects found"),
    ({"target": {"S3OutputPath": "s3://no/x"}}, Validation, 'bucket "no"'),
    ({"MaxPayloadInMB": 101}, Validation, "100"),
    ({"MaxPayloadInMB": 50, "MaxConcurrentTransforms": 3}, Validation, "times MaxPayloadInMB"),
    ({"MaxConcurrentTransforms": 17}, Validation, "times MaxPayloadInMB (6)"),
    ({"DataProcessing": {"InputFilter": "$..a"}, "source": LINE}, Validation, "JSONPath"),
    ({"DataProcessing": {"InputFilter": "$[1:]"}}, Validation, "InputFilter needs a ContentType"),
    ({"DataProcessing": {"OutputFilter": "$[1:]"}}, Validation, "OutputFilter needs an Accept"),
    ({"DataProcessing": JOIN, "source": LINE}, Validation, "same ContentType and Accept"),
    (
        {"DataProcessing": JOIN, "source": LINE, "target": {"Accept": "application/json"}},
        Validation,
        "same ContentType",
    ),
    ({"DataProcessing": JOIN, "source": LINE, "target": {"Accept": "text/csv"}}, Validation, "AssembleWith"),
    ({"DataCaptureConfig": {"DestinationS3Uri": "s3://b/c"}}, NotBuilt, "DataCaptureConfig"),
    ({"source": {"kind": "AugmentedManifestFile"}}, NotBuilt, "AugmentedManifestFile"),
]


@pytest.mark.parametrize(("members", "kind", "words"), REFUSED)
def test_what_is_refused(rooms: Any, members: dict[str, Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind) as refusal:
        create(rooms, **members)
    assert words in str(refusal.value)
    assert rooms.jobs.asked == []


def test_a_valid_join_is_accepted(rooms: Any) -> None:
    create(rooms, LINE, {"Accept": "text/csv", "AssembleWith": "Line"}, DataProcessing=JOIN)
    json = {"ContentType": "application/json"}
    create(rooms, json, {"Accept": "application/json"}, DataProcessing=JOIN)


def test_a_pipeline_of_containers_is_not_built(rooms: Any) -> None:
    rooms.resources.add("Model", "m", {"ModelName": "m", "Containers": [{"Image": "a"}, {"Image": "b"}]})
    with pytest.raises(NotBuilt, match="model m"):
        create(rooms)


def test_stop(rooms: Any) -> None:
    create(rooms)
    stop = Call("sagemaker", "StopTransformJob", {"TransformJobName": "t"}, SCOPE)
    assert transform.stop_transform_job(rooms, stop) == {}
    assert rooms.jobs.asked[-1] == ("stop", "TransformJob", "t")
    record = rooms.resources.records["TransformJob", "t"]
    over = replace(record, status="Completed", hidden={**record.hidden, "life": hidden_life(Job(Phase.COMPLETED))})
    rooms.resources.records["TransformJob", "t"] = over
    with pytest.raises(Validation, match=r"the transform job is in status Completed\."):
        transform.stop_transform_job(rooms, stop)
    with pytest.raises(Validation, match="Could not find job to update with name: x"):
        transform.stop_transform_job(rooms, replace(stop, params={"TransformJobName": "x"}))
