"""How the first-party images word what is wrong with a job or a request: those of python-jsonschema, and their own."""

from __future__ import annotations

from typing import Any

from algorithms.common.hyperparameters import Hyperparameter


class SchemaWording:
    """Their configuration is checked against a JSON Schema, and its words come through."""

    def missing(self, name: str) -> str:
        return f"{name!r} is a required property\n\nFailed validating 'required' in schema"

    def extraneous(self, name: str) -> str:
        return (
            f"Additional properties are not allowed ({name!r} was unexpected)\n\n"
            "Failed validating 'additionalProperties' in schema"
        )

    def unreadable(self, one: Hyperparameter, text: str, error: Exception) -> str:
        return self._invalid(one, text)

    def outside(self, one: Hyperparameter, value: Any) -> str:
        return self._invalid(one, str(value))

    def _invalid(self, one: Hyperparameter, text: str) -> str:
        kind = type(one).__name__.lower()
        allowed = f"{kind} {one.says()}".strip() + (" or 'auto'" if one.auto else "")
        return (
            f"{text!r} is not valid under any of the given schemas\n\n"
            f"Failed validating 'oneOf' in schema['properties'][{one.name!r}]: {allowed}\n\n"
            f"On instance[{one.name!r}]: {text!r}"
        )


SCHEMA = SchemaWording()


def no_channel(name: str) -> str:
    return _inputs(f"{name!r} is a required property\n\nFailed validating 'required' in schema")


def unknown_channel(name: str, known: list[str]) -> str:
    return _inputs(
        f"Additional properties are not allowed ({name!r} was unexpected)\n\n"
        f"Failed validating 'additionalProperties' in schema: the channels are {', '.join(known)}"
    )


def unknown_content_type(channel: str, given: str, known: list[str]) -> str:
    return _inputs(
        f"{given!r} is not one of {known}\n\nFailed validating 'enum' in schema['properties'][{channel!r}]"
        "['properties']['ContentType']"
    )


def _inputs(cause: str) -> str:
    return (
        "Unable to initialize the algorithm. Failed to validate input data configuration. (caused by ValidationError)"
        f"\n\nCaused by: {cause}"
    )


def unreadable_channel(channel: str, content_type: str, cause: str) -> str:
    return (
        f"Unable to read data channel '{channel}'. Requested content-type is '{content_type}'. "
        f"Please verify the data matches the requested content-type. (caused by: {cause})"
    )


def empty_channel(channel: str) -> str:
    return f"No data was found in channel '{channel}'. Please check that the S3 prefix of the channel holds data."


def wrong_width(channel: str, found: int, expected: int, labelled: bool) -> str:
    hint = ""
    if found == expected - 1 and labelled:
        hint = (
            " The first column was taken for the label, as text/csv says by default: the content type of data without "
            "labels is 'text/csv;label_size=0'."
        )
    elif found == expected + 1 and not labelled:
        hint = " If the first column is the label, the content type is 'text/csv;label_size=1'."
    return (
        f"The feature dimension of channel '{channel}' is {found}, but the hyperparameter feature_dim says {expected}."
        f"{hint}"
    )


def no_labels(channel: str) -> str:
    return f"The records of channel '{channel}' have no labels, and this algorithm learns from labels."


def not_finite(channel: str, what: str, record: int) -> str:
    return (
        f"Channel '{channel}' has {what} that is no finite number, in record {record}. "
        "Replace or remove missing values before training."
    )


# Of requests.


def unparsable(content_type: str, cause: str) -> str:
    if content_type.startswith("text/csv"):
        return (
            "Unable to parse payload. Some rows may have more columns than others and/or non-numeric values may be "
            f"present in the csv data. ({cause})"
        )
    return f"Unable to decode payload: Incorrect data format. ({cause})"


def content_type_refused(given: str, known: list[str]) -> str:
    return f"Content-type {given} not supported. Supported content-type is {', '.join(known)}"


def accept_refused(given: str, known: list[str]) -> str:
    return f"Accept type {given} not supported. Supported accept types are {', '.join(known)}"


def wrong_request_width(found: int, expected: int) -> str:
    return (
        f"unable to evaluate payload provided: the records have {found} features, the model was trained with {expected}"
    )
