"""What an algorithm resource says of its training: sound when it is created, kept to by the jobs that name it.

The service's own words for a job that does not keep to it were not seen; these are of the SDK's check of the same
specification (sagemaker.algorithm.AlgorithmEstimator), with the remedy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from emulator.errors import Validation

Hyperparameter = Mapping[str, Any]
"""A HyperParameterSpecification."""
READ: Mapping[str, Callable[[str], float]] = {"Integer": int, "Continuous": float}
"""How the text of a number is read, by ParameterType."""


def sound(training: Mapping[str, Any]) -> None:
    """Validation where a TrainingSpecification contradicts itself."""
    from emulator.jobs.metrics import definitions

    try:
        definitions(training.get("MetricDefinitions") or ())
    except ValueError as error:
        raise Validation(f"{error}.") from error
    for member, items in (
        ("SupportedHyperParameters", training.get("SupportedHyperParameters") or ()),
        ("TrainingChannels", training["TrainingChannels"]),
    ):
        names = [item["Name"] for item in items]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise Validation(f"{member} has {', '.join(twice)} twice. Each name may stand there once.")
    for one in training.get("SupportedHyperParameters") or ():
        _check_range(one)
        _check_default(one)


def kept(name: str, training: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    """Validation where a CreateTrainingJob request asks the algorithm `name` for what it does not support."""
    _check_instances(name, training, params["ResourceConfig"])
    _check_channels(name, training, params)
    _check_hyperparameters(name, training.get("SupportedHyperParameters") or (), params.get("HyperParameters") or {})


def _check_range(one: Hyperparameter) -> None:
    name, kind, given = one["Name"], one["Type"], one.get("Range") or {}
    wrong = sorted(set(given) - {f"{kind}ParameterRangeSpecification"})
    if wrong:
        raise Validation(f"Hyperparameter {name} is of type {kind} and has a {wrong[0]}. Give the range of its type.")
    for ends in given.values() if kind in READ else ():
        try:
            low, high = READ[kind](ends["MinValue"]), READ[kind](ends["MaxValue"])
        except ValueError as error:
            raise Validation(f"The range of hyperparameter {name} is not of type {kind}: {error}.") from error
        if not low <= high:
            raise Validation(f"The range of hyperparameter {name} has a MinValue above its MaxValue: {low}, {high}.")


def _check_default(one: Hyperparameter) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HyperParameterSpecification.html."""
    name, default = one["Name"], one.get("DefaultValue")
    if default is None:
        return
    if one.get("IsRequired"):
        raise Validation(f"Hyperparameter {name} has a DefaultValue, so it cannot be required.")
    if wrong := _wrong(one, default):
        raise Validation(f"The DefaultValue of hyperparameter {name} is not valid. {wrong}")


def _wrong(one: Hyperparameter, text: str) -> str:
    """What is wrong with a value, as a sentence; empty when nothing is."""
    kind = one["Type"]
    ends = (one.get("Range") or {}).get(f"{kind}ParameterRangeSpecification") or {}
    if kind == "Categorical" and ends and text not in ends["Values"]:
        return f"Invalid value: {text} Supported range: {', '.join(ends['Values'])}"
    if kind not in READ:
        return ""
    try:
        value = READ[kind](text)
    except ValueError:
        return f"Invalid value: {text} Supported type: {kind}"
    inside = math.isfinite(value) if not ends else _between(READ[kind], ends, value)
    return "" if inside else f"Invalid value: {text} Supported range: {_shown(ends)}"


def _between(read: Callable[[str], float], ends: Mapping[str, str], value: float) -> bool:
    return read(ends["MinValue"]) <= value <= read(ends["MaxValue"])


def _shown(ends: Mapping[str, str]) -> str:
    return f"{ends['MinValue']} to {ends['MaxValue']}" if ends else "finite numbers"


def _check_hyperparameters(name: str, declared: Sequence[Hyperparameter], given: Mapping[str, str]) -> None:
    """Those that begin with `_` are the service's own; an algorithm that declares none takes any."""
    known = {one["Name"]: one for one in declared}
    for parameter, text in given.items() if known else ():
        if parameter not in known:
            if parameter.startswith("_"):
                continue
            raise Validation(
                f"Invalid hyperparameter: {parameter} is not supported by {name}. It has {', '.join(sorted(known))}."
            )
        if wrong := _wrong(known[parameter], text):
            raise Validation(f"{wrong} (hyperparameter {parameter} of {name}).")
    for one in declared:
        if one.get("IsRequired") and one["Name"] not in given:
            raise Validation(f"Required hyperparameter: {one['Name']} is not set. {name} needs it.")


def _check_channels(name: str, training: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    known = {one["Name"]: one for one in training.get("TrainingChannels") or ()}
    given = {channel["ChannelName"]: channel for channel in params.get("InputDataConfig") or ()}
    for channel in given.values() if known else ():
        if channel["ChannelName"] not in known:
            raise Validation(
                f"Unknown input channel: {channel['ChannelName']} is not supported by: {name}. "
                f"It has {', '.join(sorted(known))}."
            )
        mode = channel.get("InputMode") or params["AlgorithmSpecification"]["TrainingInputMode"]
        _check_channel(name, known[channel["ChannelName"]], channel, mode)
    for one in known.values():
        if one.get("IsRequired") and one["Name"] not in given:
            raise Validation(f"Required input channel: {one['Name']} was not provided. {name} needs it.")


def _check_channel(name: str, known: Mapping[str, Any], channel: Mapping[str, Any], mode: str) -> None:
    media = str(channel.get("ContentType") or "").partition(";")[0].strip()
    for what, value, member in (
        ("content type", media, "SupportedContentTypes"),
        ("compression type", channel.get("CompressionType"), "SupportedCompressionTypes"),
        ("input mode", mode, "SupportedInputModes"),
    ):
        supported = [str(one) for one in known.get(member) or ()]
        if value and supported and value not in {one.partition(";")[0].strip() for one in supported}:
            raise Validation(
                f"Invalid {what} of input channel {known['Name']}: {value}. {name} only supports: "
                f"{', '.join(supported)}."
            )


def _check_instances(name: str, training: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    supported = training.get("SupportedTrainingInstanceTypes") or ()
    groups = config.get("InstanceGroups") or [config]
    for kind in (group.get("InstanceType") for group in groups):
        if supported and kind not in supported:
            raise Validation(
                f"Invalid instance type: {kind}. {name} supports the following instance types: {', '.join(supported)}."
            )
