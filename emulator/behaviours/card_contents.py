"""The content of a model card: what the published schemas 0.1.0, of cards and of cards of packages, forbid.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-cards.html, model-registry-details.html. As in those, limits
that a draft-07 validator does not know (`maxContains`) or that stand in the wrong place (`maxItems` of metrics, all of
`objective_function`) are not checked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from emulator.behaviours.documents import Anything, Fields, Flag, Many, Names, Number, OneOf, Shape, Text, violations
from emulator.errors import Conflict, Validation

SHORT, LINE, LONG = Text(63), Text(1024), Text(2048)
NAME = Text(least=1)
LINES = Many(LINE)
IMAGES = Fields({"container_image": LINES})
TRAINING_METRIC = Fields({"name": NAME, "notes": LINE, "value": Number()}, ("name", "value"))
HYPER_PARAMETER = Fields({"name": NAME, "value": NAME}, ("name", "value"))


def _metric(types: tuple[str, ...], value: Shape, x_axis: Shape, y_axis: Shape) -> Fields:
    members: dict[str, Shape] = {"name": NAME, "notes": LINE, "type": Text(options=types), "value": value}
    return Fields({**members, "x_axis_name": x_axis, "y_axis_name": y_axis}, ("name", "type", "value"))


METRIC = OneOf(
    (
        _metric(("number", "string", "boolean"), OneOf((Number(), SHORT, Flag())), SHORT, SHORT),
        _metric(("linear_graph",), Many(Many(Number(), 2, 2), 1), SHORT, SHORT),
        _metric(("bar_chart",), Many(Number(), 1), Many(SHORT), SHORT),
        _metric(("matrix",), Many(Many(Number(), 1, 20), 1, 20), Many(SHORT), Many(SHORT)),
    )
)
METRIC_GROUP = Fields({"name": NAME, "metric_data": Many(METRIC)}, ("name", "metric_data"), open=True)
EVALUATION = Fields(
    {
        "name": NAME,
        "evaluation_observation": Text(2096),
        "evaluation_job_arn": Text(256),
        "datasets": Many(LINE, most=10),
        "metadata": Names(LINE),
        "metric_groups": Many(METRIC_GROUP),
    },
    ("name",),
)
TRAINING_JOB = Fields(
    {
        "training_arn": LINE,
        "training_datasets": LINES,
        "training_environment": IMAGES,
        "training_metrics": Many(TRAINING_METRIC),
        "user_provided_training_metrics": Many(TRAINING_METRIC),
        "hyper_parameters": Many(HYPER_PARAMETER),
        "user_provided_hyper_parameters": Many(HYPER_PARAMETER),
    }
)
SECTIONS: Mapping[str, Shape] = {
    "intended_uses": Fields(
        {
            "purpose_of_model": LONG,
            "intended_uses": LONG,
            "factors_affecting_model_efficiency": LONG,
            "risk_rating": Text(options=("High", "Medium", "Low", "Unknown")),
            "explanations_for_risk_rating": LONG,
        }
    ),
    "business_details": Fields(
        {"business_problem": LONG, "business_stakeholders": LONG, "line_of_business": LONG},
    ),
    "training_details": Fields(
        {"objective_function": Anything(), "training_observations": LINE, "training_job_details": TRAINING_JOB}
    ),
    "evaluation_details": Many(EVALUATION),
    "additional_information": Fields(
        {"ethical_considerations": LONG, "caveats_and_recommendations": LONG, "custom_details": Names(LINE)}
    ),
}
CONTAINER = Fields({"model_data_url": LINE, "image": Text(255), "nearest_model_name": Text()}, ("image",))
PACKAGE_DETAILS = Fields(
    {
        "model_package_description": LINE,
        "model_package_arn": LONG,
        "created_by": Fields({"user_profile_name": SHORT}),
        "model_package_status": Text(options=("Pending", "InProgress", "Completed", "Failed", "Deleting")),
        "model_approval_status": Text(options=("Approved", "Rejected", "PendingManualApproval")),
        "approval_description": LINE,
        "model_package_group_name": SHORT,
        "model_package_name": SHORT,
        "model_package_version": Number(1),
        "domain": Text(),
        "task": Text(),
        "source_algorithms": Many(Fields({"algorithm_name": Text(170), "model_data_url": LINE}, ("algorithm_name",))),
        "inference_specification": Fields({"containers": Many(CONTAINER)}, ("containers",)),
    }
)
OVERVIEW = Fields(
    {
        "model_id": LINE,
        "model_name": LINE,
        "model_description": LINE,
        "model_version": Number(1),
        "problem_type": Text(),
        "algorithm_type": LINE,
        "model_creator": LINE,
        "model_owner": LINE,
        "model_artifact": LINES,
        "inference_environment": IMAGES,
    }
)

CARD = Fields({"model_overview": OVERVIEW, "model_package_details": PACKAGE_DETAILS, **SECTIONS})
PACKAGE = Fields({"model_overview": Fields({"model_creator": LINE, "model_artifact": LINES}), **SECTIONS})
"""The card of a package says less of the model: the package says that."""

SHOWN = (
    ("model_overview", ("model_id", "model_name")),
    ("intended_uses", ("risk_rating",)),
    ("model_package_details", ("model_package_group_name", "model_package_arn")),
)
"""What is left of a content when only metadata is asked for (API_DescribeModelCard)."""


def check(content: str | None, schema: Fields) -> None:
    """`Validation` with all that a content violates; nothing of an absent one."""
    if content is None:
        return
    try:
        document = json.loads(content)
    except ValueError as error:
        raise Validation(f"The content of the model card is not JSON: {error}.") from None
    found = list(violations(schema, document))
    if found:
        raise Validation(f"The content of the model card does not follow its schema: {'; '.join(found[:10])}.")


def check_change(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """`Conflict` for another content of a package's card that is archived (API_ModelPackageModelCard has the words)."""
    if before.get("ModelCardStatus") == "Archived" and "ModelCardContent" in after:
        raise Conflict("Model Card is in Archived state.")


def metadata(content: str) -> str:
    """A content without what only those may see who may decrypt it."""
    document = json.loads(content)
    kept = {
        section: {name: document[section][name] for name in names if name in document[section]}
        for section, names in SHOWN
        if section in document
    }
    return json.dumps({section: members for section, members in kept.items() if members})
