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
    """One operation: the literal segments of its path with their places, and the placeholders' places and names."""

    service: str
    operation: str
    literals: tuple[tuple[int, str], ...]
    places: tuple[int, ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """The operation that a path means, and the values in the path, percent-decoded."""

    service: str
    operation: str
    params: dict[str, str]


def find(signing_name: str, method: str, path: str) -> Found | None:
    """The operation of a path among the services that sign with `signing_name`; a literal first segment wins, then
    more literal ones."""
    segments = path.strip("/").split("/")
    table = _table(signing_name)
    for first in (segments[0], None):
        for route in table.get((method, len(segments), first), ()):
            if all(segments[at] == literal for at, literal in route.literals):
                given = [unquote(segments[at]) for at in route.places]
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
def _table(signing_name: str) -> dict[tuple[str, int, str | None], list[Route]]:
    """By method, number of segments, and the first one where that is literal."""
    table: dict[tuple[str, int, str | None], list[Route]] = {}
    for service in spec.SERVICES:
        model = spec.load(service)
        if model.metadata["protocol"] != "rest-json" or _signing_name(service) != signing_name:
            continue
        for name in model.operation_names:
            http = model.operation_model(name).http
            segments = http["requestUri"].partition("?")[0].strip("/").split("/")
            places = tuple(at for at, s in enumerate(segments) if s.startswith("{"))
            literals = tuple((at, s) for at, s in enumerate(segments) if at not in places)
            names = tuple(segments[at].strip("{}") for at in places)
            key = http["method"], len(segments), None if 0 in places else segments[0]
            table.setdefault(key, []).append(Route(service, name, literals, places, names))
    for routes in table.values():
        routes.sort(key=lambda route: len(route.names))
    return table
