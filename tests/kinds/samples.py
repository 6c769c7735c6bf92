"""Makes requests from the model: valid by all its constraints; the least that it asks for, or nearly everything."""

from __future__ import annotations

from typing import Any

from botocore.model import Shape

from emulator.kinds.facts import Facts
from tests.kinds.texts import text

DEPTH = 3
DEEPEST = 8
TIME = 1_700_000_000.0  # older clients send whole seconds only


def sample(shape: Shape | None, name: str = "x", depth: int = 0, everything: int = DEPTH) -> Any:
    """A value of a shape: what is required, and at the first levels everything; `everything=0` is only the least."""
    if shape is None:
        return {}
    maker = _MAKERS.get(shape.type_name)
    return maker(shape, name, depth, everything) if maker else 7


def least(shape: Shape | None) -> Any:
    """What a request must have, and nothing more."""
    return sample(shape, everything=0)


def _structure(shape: Any, name: str, depth: int, everything: int) -> Any:
    if shape.is_document_type:
        return {"any": "document"}
    wanted = list(shape.members) if depth < everything else list(shape.required_members)
    if shape.is_tagged_union:
        wanted = list(shape.members)[:1]
    members = {member: shape.members[member] for member in wanted if depth < DEEPEST}
    return {member: sample(inner, member, depth + 1, everything) for member, inner in members.items()}


def _list(shape: Any, name: str, depth: int, everything: int) -> Any:
    count = max(shape.metadata.get("min") or 0, 1 if depth <= everything else 0)
    enum = getattr(shape.member, "enum", None) or ()
    if 0 < count <= len(enum):
        return list(enum[:count])
    return [sample(shape.member, f"{name}-{number}", depth + 1, everything) for number in range(1, count + 1)]


def _map(shape: Any, name: str, depth: int, everything: int) -> Any:
    return {text(shape.key, "k"): sample(shape.value, name, depth + 1, everything)}


def _number(shape: Any, name: str, depth: int, everything: int) -> Any:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    wanted = 0.5 if shape.type_name in ("float", "double") else 7
    wanted = wanted if low is None else max(low, wanted)
    return wanted if high is None else min(high, wanted)


_MAKERS: dict[str, Any] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": lambda shape, name, depth, everything: text(shape, f"{name.lower()}-1"),
    "boolean": lambda shape, name, depth, everything: True,
    "timestamp": lambda shape, name, depth, everything: TIME,
    "blob": lambda shape, name, depth, everything: b"bytes",
    **dict.fromkeys(("integer", "long", "float", "double"), _number),
}


def request(facts: Facts, parents: dict[str, str] | None = None) -> dict[str, Any]:
    """A Create request whose every member Describe can show; `parents` are keys of the kinds that it refers to."""
    params = {name: sample(shape, name) for name, shape in facts.derived.inputs("Create").items()}
    params = {name: value for name, value in params.items() if name not in facts.unshown(params)}
    params |= {m: (parents or {})[kind] for m, kind in facts.kind.refers.items() if m in params}
    if "Tags" in params:
        params["Tags"] = [{"Key": "team", "Value": "blue"}]
    return params
