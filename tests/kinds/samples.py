"""Makes requests from the model: enough of every structure, and nothing that only a constraint would ask for."""

from __future__ import annotations

from typing import Any

from botocore.model import Shape

from emulator.kinds.facts import Facts

DEPTH = 3


def sample(shape: Shape, name: str = "x", depth: int = 0) -> Any:
    """A value of a shape: what is required, and at the first levels everything."""
    if shape.type_name == "structure":
        wanted = shape.members if depth < DEPTH else {m: shape.members[m] for m in shape.required_members}
        return {member: sample(inner, member, depth + 1) for member, inner in wanted.items() if depth < 6}
    if shape.type_name == "list":
        return [sample(shape.member, name, depth + 1)]
    if shape.type_name == "map":
        return {"k": sample(shape.value, name, depth + 1)}
    if shape.type_name == "string":
        return shape.enum[0] if getattr(shape, "enum", None) else f"{name.lower()}-1"
    return {"boolean": True, "timestamp": 1.5, "float": 0.5, "double": 0.5}.get(shape.type_name, 7)


def request(facts: Facts, parents: dict[str, str] | None = None) -> dict[str, Any]:
    """A Create request whose every member Describe can show; `parents` are keys of the kinds that it refers to."""
    params = {name: sample(shape, name) for name, shape in facts.derived.inputs("Create").items()}
    params = {name: value for name, value in params.items() if name not in facts.unshown(params)}
    params |= {m: (parents or {})[kind] for m, kind in facts.kind.refers.items() if m in params}
    if "Tags" in params:
        params["Tags"] = [{"Key": "team", "Value": "blue"}]
    return params
