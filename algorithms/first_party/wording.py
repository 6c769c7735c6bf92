"""How the first-party images word what is wrong with a job or a request.

What users have pasted, and where nobody has, what the open sibling of these images says: tests/facts/first_party.json
has each sentence with its source, docs/quirks.md the choices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from algorithms.common.hyperparameters import Categorical, Float, Hyperparameter, Integer, Interval, Words

VALIDATION = "(caused by ValidationError)"
PATTERNS = {Integer: r"^-?[1-9][0-9]*$|^0$", Float: r"^[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?$"}


class SchemaWording:
    """Of hyperparameters: they are checked against a JSON Schema, whose violations are told in sentences."""

    def missing(self, names: Sequence[str]) -> str:
        shown = ", ".join(repr(name) for name in names)
        return f"No value(s) were specified for {shown} which are required hyperparameter(s) {VALIDATION}"

    def extraneous(self, names: Sequence[str]) -> str:
        shown = ", ".join(repr(name) for name in names)
        were = "was" if len(names) == 1 else "were"
        return f"Additional hyperparameters are not allowed ({shown} {were} unexpected) {VALIDATION}"

    def unreadable(self, one: Hyperparameter, text: str, error: Exception) -> str:
        return self._invalid(one, text)

    def outside(self, one: Hyperparameter, value: Any) -> str:
        return self._invalid(one, str(value))

    def _invalid(self, one: Hyperparameter, text: str) -> str:
        said = f"The value {text!r} is not valid for the {one.name!r} hyperparameter which "
        if isinstance(one, Categorical) and not isinstance(one, Words):
            words = (*one.range, "auto") if one.auto else one.range
            return said + f"accepts one of the following: {', '.join(repr(word) for word in words)} {VALIDATION}"
        return said + f"expects one of the following: {'; or '.join(_alternatives(one))} {VALIDATION}"


def _alternatives(one: Hyperparameter) -> list[str]:
    if isinstance(one, Words):
        return [f"a list of {', '.join(repr(word) for word in one.range)}"]
    if not isinstance(one, Float):
        return [f"a value {one.says()}".rstrip()]
    kind = Integer if isinstance(one, Integer) else Float
    found = [f"a string which matches the pattern '{PATTERNS[kind]}'"]
    found.append(("an integer" if kind is Integer else "a number") + _limits(one.range))
    words = (*one.words, "auto") if one.auto else one.words
    return found + [f"a string which matches the pattern '^{word}$'" for word in words]


def _limits(range_: Interval) -> str:
    """As theirs, it does not tell an open end from a closed one."""
    low, high = range_.low, range_.high
    if low == float("-inf"):
        return "" if high == float("inf") else f" less than {high}"
    return f" greater than {low}" if high == float("inf") else f" between {low} and {high}"


SCHEMA = SchemaWording()

# --- channels -------------------------------------------------------------------------------------------------------


def no_channel(name: str) -> str:
    return _inputs(f"{name!r} is a required property")


def unknown_channel(name: str, known: list[str]) -> str:
    found = f"Additional properties are not allowed ({name!r} was unexpected)"
    return _inputs(f"{found}. The channels are {', '.join(known)}")


def wrong_distribution(name: str, given: str, known: list[str]) -> str:
    found = f"{given!r} is not one of {known}"
    return _inputs(f"{found}. It is the S3DataDistributionType of channel '{name}'")


def _inputs(cause: str) -> str:
    return (
        f"Unable to initialize the algorithm. Failed to validate input data configuration. {VALIDATION}"
        f"\n\nCaused by: {cause}"
    )


def unknown_content_type(channel: str, given: str, known: list[str]) -> str:
    return (
        f"No iterator has been registered for ContentType ('{given}', '1.0') of channel '{channel}'. "
        f"It takes {', '.join(known)}."
    )


def unreadable_channel(channel: str, content_type: str, cause: Exception) -> str:
    return (
        f"Unable to read data channel '{channel}'. Requested content-type is '{content_type}'. Please verify the data "
        f"matches the requested content-type. (caused by {type(cause).__name__})\n\nCaused by: {cause}"
    )


def empty_channel(channel: str) -> str:
    return f"No data was found in channel '{channel}'. Please check that the S3 prefix of the channel holds data."


def wrong_width(channel: str, found: int, expected: int, labelled: bool) -> str:
    said = (
        f"Incorrect configuration or {channel} dataset provided. The value of feature_dim hyperparameter '{expected}' "
        f"doesn't match {channel} data dimensionality '{found}'. Please set feature_dim to the number of features in "
        f"{channel} dataset."
    )
    if found == expected - 1 and labelled:
        return said + (
            " The first column was taken for the label, as text/csv says by default: the content type of data without "
            "labels is 'text/csv;label_size=0'."
        )
    if found == expected + 1 and not labelled:
        return said + " If the first column is the label, the content type is 'text/csv;label_size=1'."
    return said


def no_labels(channel: str) -> str:
    return (
        f"Labeled {channel} data required with label size equal 1. Label size on {channel} dataset found to be 0. "
        f"Please provide a properly labeled labeled {channel} dataset."
    )


def not_finite(channel: str, what: str, record: int, missing: bool) -> str:
    kind = "missing (NaN) values" if missing else "infinite floating point values"
    return (
        f"Unable to read data channel '{channel}'. Found {kind}. Please remove any {kind} in the input data. "
        f"(The first is {what} in record {record}.)"
    )


def label_out_of_range(channel: str, value: Any, allowed: str) -> str:
    return f"Label value outside of the expected range in channel '{channel}': {value}. Labels are {allowed}."


# --- requests -------------------------------------------------------------------------------------------------------


def not_evaluated(cause: str) -> str:
    """Theirs ends before the colon, and leaves the cause to the log."""
    return f"unable to evaluate payload provided: {cause}"


def content_type_refused(media: str) -> str:
    return f"content-type {media} not supported"


def accept_refused(given: str, known: list[str]) -> str:
    return f"Accept type {given} not supported. Supported accept types are {', '.join(known)}"


def wrong_request_width(found: int, expected: int) -> str:
    return not_evaluated(f"the records have {found} features, the model was trained with {expected}")
