"""Built-in algorithms in the service's terms: complete, within their own ranges, and tuned as AWS's pages say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import validate_parameters

from algorithms import catalog, specification
from algorithms.first_party import wording

MODEL = botocore.session.get_session().get_service_model("sagemaker")
TYPES = MODEL.shape_for("TrainingInstanceType").enum
FACTS: dict[str, dict[str, Any]] = json.loads((Path(__file__).parents[1] / "facts/tuning.json").read_text())[
    "algorithms"
]
BUILT_IN = [name for name in catalog.names() if catalog.get(name).definition]
READ = {"Integer": int, "Continuous": float}


def made(name: str) -> dict[str, Any]:
    algorithm = catalog.get(name)
    return specification.training(algorithm, f"{algorithm.repositories[0]}:1", TYPES)


def declared(name: str) -> dict[str, Any]:
    return {one.name: one for one in specification.definition(catalog.get(name)).hyperparameters}


def test_the_facts_are_of_all_built_in_algorithms() -> None:
    assert sorted(FACTS) == BUILT_IN


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_specification_is_one_that_the_service_takes(name: str) -> None:
    """All constraints of botocore's model but patterns: lengths, enums, required members."""
    found = made(name)
    validate_parameters(found, MODEL.shape_for("TrainingSpecification"))
    assert 0 < len(found["MetricDefinitions"]) <= 40 and 0 < len(found["TrainingChannels"]) <= 8
    assert 0 < len(found["SupportedHyperParameters"]) <= 100
    for one in found["SupportedHyperParameters"]:
        kind, values = one["Type"], one.get("Range")
        assert (values is None) is (kind == "FreeText")
        assert kind != "Categorical" or 0 < len(values["CategoricalParameterRangeSpecification"]["Values"]) <= 30
        assert not (one["IsRequired"] and "DefaultValue" in one), "a required one has no default"
    assert not any(one["Name"].startswith("_") for one in found["SupportedHyperParameters"])
    assert {one["Name"] for one in found["TrainingChannels"] if one["IsRequired"]} >= {"train"}
    classes = {
        "GPU" if one.removeprefix("ml.")[0] in "pg" else "CPU" for one in found["SupportedTrainingInstanceTypes"]
    }
    assert sorted(classes) == sorted(catalog.get(name).instances)


@pytest.mark.parametrize("name", BUILT_IN)
def test_defaults_are_in_their_own_ranges(name: str) -> None:
    for one in declared(name).values():
        if one.default in (None, ""):
            continue
        text = one.default if isinstance(one.default, str) else json.dumps(one.default)
        value = one.read(text, wording.SCHEMA)  # UserError for what is out of range.
        assert value == one.default or str(value).lower() == str(one.default).lower()
    for one in made(name)["SupportedHyperParameters"]:
        if one["Type"] in READ and "DefaultValue" in one:
            [ends] = one["Range"].values()
            read = READ[one["Type"]]
            assert read(ends["MinValue"]) <= read(one["DefaultValue"]) <= read(ends["MaxValue"]), one
        if one["Type"] == "Categorical" and "DefaultValue" in one:
            assert one["DefaultValue"] in one["Range"]["CategoricalParameterRangeSpecification"]["Values"], one


@pytest.mark.parametrize("name", BUILT_IN)
def test_what_is_tuned_and_in_which_range_is_what_the_pages_say(name: str) -> None:
    wanted, known = FACTS[name]["tunable"], declared(name)
    assert {one.name for one in known.values() if one.tunable} == set(wanted)
    for parameter, fact in wanted.items():
        one = known[parameter]
        if isinstance(fact[0], str):
            # The tuning page of Semantic Segmentation names adadelta, which its hyperparameters' page does not have.
            accepted = [
                word
                for word in fact
                if word.lower() in map(str.lower, one.valid()) or one.service_type != "Categorical"
            ]
            assert sorted(word.lower() for word in accepted) == sorted(one.tunable.words), parameter
        else:
            assert [one.tunable.low, one.tunable.high] == fact, parameter


@pytest.mark.parametrize("name", BUILT_IN)
def test_recommended_ranges_are_in_the_ranges_of_the_hyperparameters(name: str) -> None:
    """But for an end that is excluded: the pages recommend momentum from 0, and take what is above it."""
    ranges = specification.tuned(catalog.get(name))
    validate_parameters(ranges, MODEL.shape_for("ParameterRanges"))
    known = declared(name)
    for one in ranges["CategoricalParameterRanges"]:
        for word in one["Values"]:
            known[one["Name"]].read(word, wording.SCHEMA)
    for one in (*ranges["IntegerParameterRanges"], *ranges["ContinuousParameterRanges"]):
        interval, low, high = known[one["Name"]].range, float(one["MinValue"]), float(one["MaxValue"])
        assert interval.low <= low < high <= interval.high, one
        assert one["ScalingType"] != "Logarithmic" or low > 0, one


@pytest.mark.parametrize("name", BUILT_IN)
def test_objectives_are_those_of_the_pages_and_the_log_has_them(name: str) -> None:
    found = made(name)
    told: dict[str, list[str]] = {}
    for one in found["SupportedTuningJobObjectiveMetrics"]:
        told.setdefault(one["Type"], []).append(one["MetricName"])
    assert {way: sorted(names) for way, names in told.items()} == {
        way: sorted(names) for way, names in FACTS[name]["objectives"].items()
    }
    assert {metric for names in told.values() for metric in names} <= {
        metric["Name"] for metric in found["MetricDefinitions"]
    }


def test_other_images_have_no_specification() -> None:
    assert catalog.specification("my-own:1", TYPES) is None
    assert catalog.specification("sagemaker-scikit-learn:1.2-1", TYPES) is None
    found = catalog.specification("811284229777.dkr.ecr.us-east-1.amazonaws.com/kmeans:1", TYPES)
    assert found is not None and found == made("kmeans") | {"TrainingImage": found["TrainingImage"]}
    with pytest.raises(ValueError, match="sklearn is no built-in algorithm"):
        specification.definition(catalog.get("sklearn"))


def test_a_specification_needs_no_library_of_an_extra() -> None:
    """The server asks for it: neither PyTorch nor xgboost may be loaded there."""
    code = (
        "import sys\nfrom algorithms import catalog\n"
        "for name in catalog.names(): catalog.specification(catalog.get(name).repositories[0], ['ml.m5.large'])\n"
        "print(sorted({'torch', 'PIL', 'xgboost', 'sklearn', 'faiss', 'floret'} & set(sys.modules)))"
    )
    root = catalog.FOLDER.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
