"""Which operation a REST path means. SageMaker's data planes share one signing name and, so far, no path.

S3's own routing, by query and headers, is in `api.wire.xmlroutes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from urllib.parse import unquote

from emulator import spec


@dataclass(frozen=True)
class Route:
    """One operation: the literal segments of its path (None for a placeholder) and the placeholders' names."""

    service: str
    operation: str
    literals: tuple[str | None, ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """The operation that a path means, and the values in the path, percent-decoded."""

    service: str
    operation: str
    params: dict[str, str]


def find(signing_name: str, method: str, path: str) -> Found | None:
    """The operation of a path among the services that sign with `signing_name`; more literal segments win."""
    segments = path.strip("/").split("/")
    for route in _table(signing_name).get((method, len(segments)), ()):
        if all(literal in (None, segment) for literal, segment in zip(route.literals, segments, strict=True)):
            given = [unquote(s) for literal, s in zip(route.literals, segments, strict=True) if literal is None]
            return Found(route.service, route.operation, dict(zip(route.names, given, strict=True)))
    return None


@cache
def signing_names() -> frozenset[str]:
    """The signing names of all SageMaker services."""
    return frozenset(_signing_name(service) for service in spec.SERVICES)


def _signing_name(service: str) -> str:
    metadata = spec.load(service).metadata
    return str(metadata.get("signingName") or metadata["endpointPrefix"])


@cache
def _table(signing_name: str) -> dict[tuple[str, int], list[Route]]:
    table: dict[tuple[str, int], list[Route]] = {}
    for service in spec.SERVICES:
        model = spec.load(service)
        if model.metadata["protocol"] != "rest-json" or _signing_name(service) != signing_name:
            continue
        for name in model.operation_names:
            http = model.operation_model(name).http
            segments = http["requestUri"].partition("?")[0].strip("/").split("/")
            literals = tuple(None if s.startswith("{") else s for s in segments)
            names = tuple(s.strip("{}") for s in segments if s.startswith("{"))
            table.setdefault((http["method"], len(segments)), []).append(Route(service, name, literals, names))
    for routes in table.values():
        routes.sort(key=lambda route: len(route.names))
    return table
