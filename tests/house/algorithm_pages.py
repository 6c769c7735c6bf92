"""docs/algorithms.md, from the manifests of `algorithms/` and the hyperparameters that each algorithm declares."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from typing import Any

from algorithms.catalog import FOLDER
from algorithms.common.hyperparameters import Hyperparameter
from tests.house import jumpstart_pages

HEAD = """# Built-in algorithms

Generated from the manifests in `algorithms/` (`make docs`). An image is meant by the name of its repository, whatever
the registry's account, the region and the tag. *Faithful* is what computes what the developer guide and the papers that
it names describe; *approximate* says in what it differs, and how far from the oracle it was measured to be; a
*stand-in* computes something else, and its job's log says so.

What the tables say is there for programs, too: `algorithms.catalog.specification(image_uri, instance_types)` is the
`TrainingSpecification` of a built-in algorithm, as CreateAlgorithm takes it (hyperparameters with their ranges,
channels, metrics, objectives, instance types), and `algorithms.specification.tuned` are the ranges that AWS recommends
for tuning.

"""


DECLARING = {"definition", "declares"}
"""Members of a manifest that name a Definition: of Amazon's own algorithms, which are run by it, and of others."""


def page() -> str:
    """The whole document."""
    told = [manifest for manifest in _manifests() if DECLARING & manifest.keys()]
    lines = [HEAD + "| algorithm | repository | library | extra | fidelity |", "|---|---|---|---|---|"]
    for one in told:
        lines.append(
            f"| [{one['title']}](#{anchor(one['title'])}) | {', '.join(f'`{name}`' for name in one['repositories'])} "
            f"| {one['library']} | {one.get('extra', '')} | {one['fidelity']} |"
        )
    sections = [line for one in told for line in _section(one)]
    return "\n".join([*lines, "", *sections, *jumpstart_pages.section()]).rstrip() + "\n"


def anchor(title: str) -> str:
    """GitHub's for a heading."""
    return title.lower().replace(" ", "-")


def _manifests() -> list[Mapping[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*/manifest.json"))]


def _section(told: Mapping[str, Any]) -> list[str]:
    definition = _named(next(told[name] for name in sorted(DECLARING) if name in told))
    lines = [f"## {told['title']}", ""]
    lines += [f"* {sentence}" for sentence in told.get("differs", ())]
    lines += [_channels(definition), *_answers(told), _tuned(told), _interrupted(told), _further(definition), ""]
    lines += ["| hyperparameter | values | default | tuned | |", "|---|---|---|---|---|"]
    return [*lines, *(_row(one) for one in definition.hyperparameters), ""]


def _channels(definition: Any) -> str:
    names = [f"`{one.name}`" + ("" if one.required else " (optional)") for one in definition.channels]
    formats = ", ".join(f"`{media}`" for media in definition.formats)
    hosts = "" if definition.several else " One host."
    return f"* Channels {', '.join(names)}; formats {formats}, the first when none is named.{hosts}"


def _tuned(told: Mapping[str, Any]) -> str:
    ways = [
        f"{', '.join(f'`{name}`' for name in names)} ({direction.lower()})"
        for direction, names in told["objectives"].items()
    ]
    tuned = f"Tuned for {', '.join(ways)}" if ways else "It is not tuned"
    return f"* {tuned}; AWS trains it on instances with {' or '.join(told['instances'])}."


def _interrupted(told: Mapping[str, Any]) -> str:
    first = told.get("checkpoints")
    if not first:
        return (
            "* CheckpointConfig has no effect: an interrupted job begins anew, and a managed spot job may wait 3600 "
            "seconds at most."
        )
    images = "" if first == "1" else f", of an image from {first} on,"
    return f"* With CheckpointConfig an interrupted job{images} goes on from its checkpoint."


def _further(definition: Any) -> str:
    if definition.incremental:
        return "* Incremental training: from the model of an earlier job in the channel `model`."
    return "* No incremental training: a channel `model` is refused."


def _answers(told: Mapping[str, Any]) -> list[str]:
    if "form" not in told:
        return [f"* {told['answers']}"] if "answers" in told else []
    form = _named(told["form"])
    reads, writes = (", ".join(f"`{media}`" for media in given) for given in (form.reads, form.writes))
    return [f"* Asked in {reads}; answers in {writes}, the first when any will do, under `{form.envelope}`."]


def _row(one: Hyperparameter) -> str:
    name = f"`{one.name}`" + (f", `{one.alias}`" if one.alias else "") + (" (required)" if one.required else "")
    kind = type(one).__name__.lower()
    words = (*one.words, "auto") if one.auto else one.words
    allowed = f"{kind} {one.says()}".strip() + "".join(f" or `{word}`" for word in words)
    default = "" if one.default in (None, "") else f"`{_plain(one.default)}`"
    tuned = ""
    if one.tunable:
        tuned = ", ".join(one.tunable.words) or f"{one.tunable.low:g} to {one.tunable.high:g}"
    return f"| {name} | {allowed} | {default} | {tuned} | {one.remark} |"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, list | tuple) else str(value)


def _named(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)
