"""Which operation of a rest-xml model a request means: method, depth of the path, flags and members of the query.

Several operations share a method and a path; the one is meant whose literal flags and required query and header
members are all there, and that has the most of them (PUT of a key with `partnumber`, `uploadId` and
`x-amz-copy-source` is UploadPartCopy, without the last one UploadPart).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from urllib.parse import unquote

from botocore.model import OperationModel, ServiceModel

from api.wire import WireRequest
from emulator.errors import CallerFault

_DEPTHS = {"/": 0, "/{Bucket}": 1, "/{Bucket}/{Key+}": 2}


@dataclass(frozen=True)
class _Candidate:
    operation: str
    flags: frozenset[str]
    query: frozenset[str]
    headers: frozenset[str]
    deprecated: bool

    def rank(self) -> tuple[int, bool]:
        return len(self.flags) + len(self.query) + len(self.headers), not self.deprecated


def route(model: ServiceModel, request: WireRequest) -> tuple[OperationModel, dict[str, str]]:
    """The operation and the placeholders of its path (`Bucket`, `Key`); the path is bucket first (path style)."""
    bucket, _, key = request.path.lstrip("/").partition("/") if request.path[1:2] != "/" else ("", "", "")
    depth = 2 if key else 1 if bucket else 0
    best: _Candidate | None = None
    for flag in ("", *request.query):
        for candidate in _table(model).get((request.method, depth, flag), ()):
            if _fits(candidate, request) and (best is None or candidate.rank() > best.rank()):
                best = candidate
    if best is None:
        raise CallerFault(
            "The specified method is not allowed against this resource.",
            "MethodNotAllowed",
            Method=request.method,
            ResourceType="OBJECT" if depth == 2 else "BUCKET" if depth else "SERVICE",
        )
    found = {"Bucket": unquote(bucket), "Key": unquote(key)}
    return model.operation_model(best.operation), dict(list(found.items())[:depth])


def _fits(candidate: _Candidate, request: WireRequest) -> bool:
    return (
        all(flag in request.query for flag in candidate.flags)
        and all(name in request.query for name in candidate.query)
        and all(name in request.headers for name in candidate.headers)
    )


@cache
def _table(model: ServiceModel) -> dict[tuple[str, int, str], list[_Candidate]]:
    """Candidates by method, depth and first flag; operations without a flag are under ''."""
    table: dict[tuple[str, int, str], list[_Candidate]] = {}
    for name in model.operation_names:
        operation = model.operation_model(name)
        path, _, query = operation.http["requestUri"].partition("?")
        if path not in _DEPTHS:
            continue
        flags = [flag.partition("=")[0] for flag in query.split("&") if flag]
        entry = _Candidate(name, frozenset(flags), *_required(operation), operation.deprecated)
        table.setdefault((operation.http["method"], _DEPTHS[path], flags[0] if flags else ""), []).append(entry)
    return table


def _required(operation: OperationModel) -> tuple[frozenset[str], frozenset[str]]:
    shape = operation.input_shape
    names: Iterable[str] = shape.required_members if shape else ()
    found: dict[str, set[str]] = {"querystring": set(), "header": set()}
    for name in names:
        traits = shape.members[name].serialization
        if traits.get("location") in found:
            found[traits["location"]].add(traits.get("name", name))
    return frozenset(found["querystring"]), frozenset(name.lower() for name in found["header"])
