"""Operation -> the one function that answers it: its behaviour, the generic life of its kind, or a typed refusal."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.model import OperationModel, ServiceModel

from emulator.call import Answer, Call
from emulator.errors import CallerFault, NotBuilt
from emulator.operations import constraints

log = logging.getLogger(__name__)

Function = Callable[[Any, Call], Answer]
Generic = Mapping[str, Callable[[Call], Answer]]


class Dispatch:
    """The table of all operations. `rows` are (service, operation, "module:function"), resolved on first use."""

    def __init__(
        self,
        load: Callable[[str], ServiceModel],
        rows: Iterable[tuple[str, str, str]],
        rooms: Any,
        generic: Generic,
    ) -> None:
        self._load = load
        self._paths = {(service, operation): path for service, operation, path in rows}
        self._rooms = rooms
        self._generic = generic
        self._functions: dict[tuple[str, str], Function] = {}

    def dispatch(self, call: Call) -> Answer:
        """Answer one call; `Validation` when the model forbids it, `NotBuilt` when nobody here does it."""
        model = self._model(call)
        constraints.check(model.input_shape, call.params)
        function = self._function(call.service, call.operation)
        if function is not None:
            return function(self._rooms, call)
        if call.service == "sagemaker" and call.operation in self._generic:
            return self._generic[call.operation](call)
        raise NotBuilt(
            f"{call.operation} of {call.service} is not done by Sagelet yet. "
            "docs/coverage.md lists every operation: what runs, what keeps a record, what is refused."
        )

    def _model(self, call: Call) -> OperationModel:
        try:
            return self._load(call.service).operation_model(call.operation)
        except Exception:
            message = f"The service {call.service} has no operation {call.operation}."
            raise CallerFault(message, code="UnknownOperationException") from None

    def _function(self, service: str, operation: str) -> Function | None:
        key = (service, operation)
        if key not in self._functions and key in self._paths:
            module, _, name = self._paths[key].partition(":")
            self._functions[key] = getattr(importlib.import_module(module), name)
        return self._functions.get(key)
