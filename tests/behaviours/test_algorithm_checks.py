"""Algorithm resources: what CreateAlgorithm refuses, and what a training job that names one must keep to."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.behaviours import algorithm_checks
from emulator.errors import Validation


def ranged(name: str, kind: str, ends: dict[str, Any], of: str = "", **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": kind, "Range": {f"{of or kind}ParameterRangeSpecification": ends}, **more}


def between(low: str, high: str) -> dict[str, str]:
    return {"MinValue": low, "MaxValue": high}


TRAINING: dict[str, Any] = {
    "TrainingImage": "i",
    "SupportedTrainingInstanceTypes": ["ml.m5.large", "ml.m5.xlarge"],
    "TrainingChannels": [
        {
            "Name": "train", "IsRequired": True, "SupportedContentTypes": ["text/csv"],
            "SupportedCompressionTypes": ["None"], "SupportedInputModes": ["File", "Pipe"],
        },
        {"Name": "test", "SupportedContentTypes": ["text/csv"], "SupportedInputModes": ["File"]},
    ],
    "SupportedHyperParameters": [
        ranged("trees", "Integer", between("1", "10"), IsRequired=True),
        ranged("rate", "Continuous", between("0.0", "1.0"), DefaultValue="0.1"),
        ranged("kind", "Categorical", {"Values": ["a", "b"]}, DefaultValue="a"),
        {"Name": "depth", "Type": "Integer"},
        {"Name": "note", "Type": "FreeText"},
    ],
}  # fmt: skip


def request(**changes: Any) -> dict[str, Any]:
    return {
        "AlgorithmSpecification": {"AlgorithmName": "a", "TrainingInputMode": "File"},
        "HyperParameters": {"trees": "3"},
        "InputDataConfig": [{"ChannelName": "train", "ContentType": "text/csv; charset=utf-8"}],
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **changes,
    }


def test_what_keeps_to_the_specification_is_taken() -> None:
    algorithm_checks.sound(TRAINING)
    algorithm_checks.kept("a", TRAINING, request())
    most = {"trees": "10", "rate": "1e-3", "kind": "b", "depth": "-7", "note": "any", "_tuning_objective_metric": "m"}
    algorithm_checks.kept("a", TRAINING, request(HyperParameters=most))
    piped = {"ChannelName": "train", "InputMode": "Pipe", "CompressionType": "None"}
    algorithm_checks.kept("a", TRAINING, request(InputDataConfig=[piped, {"ChannelName": "test"}]))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"HyperParameters": {}}, "Required hyperparameter: trees is not set. a needs it."),
        ({"HyperParameters": None}, "Required hyperparameter: trees is not set"),
        (
            {"HyperParameters": {"trees": "3", "leaves": "2"}},
            "Invalid hyperparameter: leaves is not supported by a. It has depth, kind, note, rate, trees.",
        ),
        (
            {"HyperParameters": {"trees": "11"}},
            "Invalid value: 11 Supported range: 1 to 10 (hyperparameter trees of a)",
        ),
        ({"HyperParameters": {"trees": "many"}}, "Invalid value: many Supported type: Integer"),
        ({"HyperParameters": {"trees": "1.5"}}, "Invalid value: 1.5 Supported type: Integer"),
        ({"HyperParameters": {"trees": "3", "rate": "-0.1"}}, "Invalid value: -0.1 Supported range: 0.0 to 1.0"),
        ({"HyperParameters": {"trees": "3", "rate": "nan"}}, "Invalid value: nan Supported range: 0.0 to 1.0"),
        ({"HyperParameters": {"trees": "3", "kind": "c"}}, "Invalid value: c Supported range: a, b"),
        ({"HyperParameters": {"trees": "3", "depth": "x"}}, "Invalid value: x Supported type: Integer"),
        ({"InputDataConfig": []}, "Required input channel: train was not provided. a needs it."),
        (
            {"InputDataConfig": [{"ChannelName": "train"}, {"ChannelName": "model"}]},
            "Unknown input channel: model is not supported by: a. It has test, train.",
        ),
        (
            {"InputDataConfig": [{"ChannelName": "train", "ContentType": "text/libsvm"}]},
            "Invalid content type of input channel train: text/libsvm. a only supports: text/csv.",
        ),
        (
            {"InputDataConfig": [{"ChannelName": "train", "InputMode": "FastFile"}]},
            "Invalid input mode of input channel train: FastFile. a only supports: File, Pipe.",
        ),
        (
            {"InputDataConfig": [{"ChannelName": "train", "CompressionType": "Gzip"}]},
            "Invalid compression type of input channel train: Gzip. a only supports: None.",
        ),
        (
            {"ResourceConfig": {"InstanceType": "ml.p3.2xlarge", "InstanceCount": 1}},
            "Invalid instance type: ml.p3.2xlarge. a supports the following instance types: ml.m5.large, ml.m5.xlarge.",
        ),
        (
            {"ResourceConfig": {"InstanceGroups": [{"InstanceType": "ml.m5.large"}, {"InstanceType": "ml.g5.xlarge"}]}},
            "Invalid instance type: ml.g5.xlarge",
        ),
    ],
)
def test_what_does_not_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(Validation) as refused:
        algorithm_checks.kept("a", TRAINING, request(**changes))
    assert said in refused.value.message


def test_an_algorithm_without_hyperparameters_takes_any() -> None:
    algorithm_checks.kept("a", {**TRAINING, "SupportedHyperParameters": []}, request(HyperParameters={"x": "y"}))


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (ranged("p", "Integer", between("1", "2"), of="Continuous"), "p is of type Integer and has a Continuous"),
        (ranged("p", "FreeText", {"Values": ["a"]}, of="Categorical"), "p is of type FreeText and has a Categorical"),
        (ranged("p", "Integer", between("1", "2.5")), "The range of hyperparameter p is not of type Integer"),
        (ranged("p", "Continuous", between("2", "1")), "p has a MinValue above its MaxValue: 2.0, 1.0"),
        (ranged("p", "Integer", between("1", "2"), DefaultValue="3"), "Invalid value: 3 Supported range: 1 to 2"),
        (ranged("p", "Categorical", {"Values": ["a"]}, DefaultValue="b"), "Invalid value: b Supported range: a"),
        ({"Name": "p", "Type": "FreeText", "DefaultValue": "x", "IsRequired": True}, "so it cannot be required"),
        ({"Name": "note", "Type": "FreeText"}, "SupportedHyperParameters has note twice"),
    ],
)
def test_a_specification_that_contradicts_itself_is_refused(one: dict[str, Any], said: str) -> None:
    with pytest.raises(Validation) as refused:
        algorithm_checks.sound({**TRAINING, "SupportedHyperParameters": [{"Name": "note", "Type": "FreeText"}, one]})
    assert said in refused.value.message


def test_metrics_of_an_algorithm_are_expressions() -> None:
    with pytest.raises(Validation, match="Invalid regular expression"):
        algorithm_checks.sound({**TRAINING, "MetricDefinitions": [{"Name": "m", "Regex": "(("}]})
