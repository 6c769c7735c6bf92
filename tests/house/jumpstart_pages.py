"""The part of docs/algorithms.md that tells JumpStart's models, from the families of `algorithms/jumpstart/`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from algorithms.jumpstart import families
from algorithms.jumpstart.families import Family

HEAD = """## JumpStart's models

Run by their ids, as on AWS: `image_uris`, `script_uris`, `model_uris` and `hyperparameters` find them in
`s3://jumpstart-cache-prod-<region>`, and so does `JumpStartEstimator(model_id=…)`. That bucket is there for every
region, with specifications and scripts of ours; the jobs are ordinary script mode. Channels `training` and `validation`
(or folders of these names in one channel): CSV without header, the target first, `categorical_index.json` beside it;
without validation data a fifth is split off. Asked in `text/csv`; answers in `application/json` or
`application/json;verbose`."""


def section() -> list[str]:
    """Its lines."""
    lines = [HEAD, ""]
    for family in families.every():
        lines += _of(family)
    return lines


def _of(family: Family) -> list[str]:
    ids = ", ".join(f"`{model['model_id']}`" for model in family.models)
    names = dict.fromkeys(map(family.image_name, ("training", "inference")))
    images = ("image " if len(names) == 1 else "images ") + " and ".join(f"`{name}`" for name in names)
    lines = [f"### {family.title}", "", f"* {ids}, with {family.library}, in the {images}."]
    lines += [f"* `{remedy}` brings it." for name, remedy in family.requires.items() if name == family.library]
    lines += [f"* {sentence}" for sentence in family.differs]
    for model in filter(lambda model: model["metrics"], family.models):
        names = ", ".join(f"`{name}`" for name in model["metrics"])
        lines.append(f"* Metrics of `{model['model_id']}`: {names}.")
    lines += ["", "| hyperparameter | values | default | |", "|---|---|---|---|"]
    return [*lines, *(_row(row, family) for row in family.hyperparameters), ""]


def _row(row: Mapping[str, Any], family: Family) -> str:
    without = [model["task"] for model in family.models if row["name"] in model.get("without", ())]
    remark = f"not of {', '.join(without)}" if without else ""
    return f"| `{row['name']}` | {_allowed(row)} | `{row['default']}` | {remark} |"


def _allowed(row: Mapping[str, Any]) -> str:
    if row["type"] == "text":
        return ", ".join(f"`{option}`" for option in row.get("options", ())) or "text"
    low = f"[{row['min']}" if "min" in row else f"({row.get('exclusive_min', '-inf')}"
    high = f"{row['max']}]" if "max" in row else f"{row.get('exclusive_max', '+inf')})"
    return f"{row['type']} {low}, {high}"
