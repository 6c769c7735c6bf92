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

    def shelf(self, folder: Path, told: Mapping[str, Any]) -> Shelf:
        """What keeps the best epoch in a folder, with what is told beside it."""
        return Shelf(self, folder, told)

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


@dataclass(frozen=True)
class Shelf:
    """The model of the best epoch so far: a better one takes its place."""

    form: Form
    folder: Path
    told: Mapping[str, Any]

    def put(self, number: int, arrays: Mapping[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / self.form.told).write_text(json.dumps(self.told))
        beside = self.folder / f"{self.form.params}.part"
        beside.write_bytes(ndarray_list.write(arrays))
        beside.replace(self.folder / self.form.params)

    def drop(self, number: int) -> None:
        """Its place is taken already."""
