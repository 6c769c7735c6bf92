"""The one place where an operation meets the function that answers it.

In this order: a behaviour, the generic life of a kind, or a refusal that names the operation. A behaviour's module is
imported when its operation is first called.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.model import OperationModel, ServiceModel

from emulator.call import Answer, Call
from emulator.errors import CallerFault, NotBuilt, Validation
from emulator.operations import constraints

OF_RECORDS = frozenset({"ResourceNotFound", "ResourceInUse", "ConflictException", "ResourceLimitExceeded"})
"""Errors that only some operations model: of the others it is a ValidationException (docs/quirks.md, "Records")."""

VALIDATION = "ValidationException"

Answerer = Callable[[Call], Answer]
Function = Callable[[Any, Call], Answer]


class Dispatch:
    """The table of all operations. `rows` are (service, operation, "module:function"), each function taking
    (rooms, call). `generic` answers operations of `sagemaker` by their names. `services` answers every call of a
    service of another kind (S3), whose parameters are not checked here: it has its own words for what is wrong.
    """

    def __init__(
        self,
        load: Callable[[str], ServiceModel],
        rows: Iterable[tuple[str, str, str]],
        rooms: object,
        generic: Mapping[str, Answerer],
        services: Mapping[str, Answerer] | None = None,
    ) -> None:
        self._load = load
        self._paths = {(service, operation): path for service, operation, path in rows}
        self._rooms = rooms
        self._generic = generic
        self._services = services or {}
        self._functions: dict[tuple[str, str], Function] = {}

    def dispatch(self, call: Call) -> Answer:
        """Check the parameters and answer; `CallerFault` when the model forbids it, `NotBuilt` when nobody does it."""
        other = self._services.get(call.service)
        if other is not None:
            return other(call)
        model = self._model(call)
        try:
            constraints.check(model.input_shape, call.params)
            return self._answer(call)
        except CallerFault as fault:
            code = _known_as(fault.code, model)
            if code != fault.code:
                raise Validation(fault.message, code) from fault
            raise

    def _answer(self, call: Call) -> Answer:
        function = self._function(call.service, call.operation)
        if function is not None:
            return function(self._rooms, call)
        generic = self._generic.get(call.operation) if call.service == "sagemaker" else None
        if generic is None:
            raise NotBuilt(refusal(call.service, call.operation))
        return generic(call)

    def answers(self, service: str, operation: str) -> str:
        """Who answers an operation: `behaviour`, `kind` or an empty string (for the coverage ledger)."""
        if (service, operation) in self._paths:
            return "behaviour"
        return "kind" if service == "sagemaker" and operation in self._generic else ""

    def _function(self, service: str, operation: str) -> Function | None:
        key = (service, operation)
        if key not in self._functions and key in self._paths:
            module, _, name = self._paths[key].partition(":")
            self._functions[key] = getattr(importlib.import_module(module), name)
        return self._functions.get(key)

    def _model(self, call: Call) -> OperationModel:
        try:
            model = self._load(call.service)
        except LookupError:
            model = None
        if model is None or call.operation not in model.operation_names:
            message = f"{call.service} has no operation {call.operation}."
            raise CallerFault(message, code="UnknownOperationException")
        return model.operation_model(call.operation)


def _known_as(code: str, operation: OperationModel) -> str:
    """The code by which typed clients know an error: each service has its own, and not every operation has all."""
    known = {name for shape in operation.error_shapes for name in (shape.name, shape.error_code)}
    if code in OF_RECORDS and code not in known:
        code = f"{code}Exception" if f"{code}Exception" in known else VALIDATION
    return "ValidationError" if code == VALIDATION and code not in known and "ValidationError" in known else code


def refusal(service: str, operation: str) -> str:
    """What a caller is told about an operation that nobody answers."""
    return (
        f"Sagelet does not implement {operation} of {service} yet, and does not pretend to."
        " docs/coverage.md lists what each operation does."
    )
