"""A model as arrays in MXNet's file format, and beside them the hyperparameters with which it was trained."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from algorithms.common import ndarray_list
from algorithms.common.faults import UserError


@dataclass(frozen=True)
class Form:
    """How an algorithm calls its files, and what it needs to be told of a model."""

    title: str
    params: str
    told: str
    needed: frozenset[str]

    def write(self, folder: Path, arrays: Mapping[str, Any], told: Mapping[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / self.params).write_bytes(ndarray_list.write(arrays))
        (folder / self.told).write_text(json.dumps(told))

    def read(self, members: Mapping[str, bytes], where: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Arrays and hyperparameters among files by their names; UserError, which says where, when there are none."""
        for name in (self.told, self.params):
            if name not in members:
                raise UserError(f"{where} has no file '{name}' (it has: {', '.join(sorted(members)) or 'nothing'}).")
        try:
            arrays, told = ndarray_list.read(members[self.params]), dict(json.loads(members[self.told]))
            if not isinstance(arrays, dict):
                raise ValueError("its arrays have no names")
            if missing := self.needed - set(told):
                raise ValueError(f"'{self.told}' does not say {', '.join(sorted(missing))}")
        except (ValueError, TypeError) as error:
            raise UserError(f"{where} holds no model of {self.title}: {error!r}") from error
        return arrays, told
