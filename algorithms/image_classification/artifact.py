"""The model as the image keeps it: MXNet's network and arrays, which `mx.mod.Module.load` opens."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from algorithms.common import ndarray_list
from algorithms.common.faults import UserError
from algorithms.common.mxnet_graph import Node
from algorithms.vision import resnet, symbol
from algorithms.vision.symbol import DATA, Symbol

PREFIX = "image-classification"
SYMBOL, SHAPES = f"{PREFIX}-symbol.json", "model-shapes.json"
PARAMS = re.compile(rf"{PREFIX}-(\d{{4,}})\.params")
LAST_LAYER, OUTPUT = "fc1", "softmax"
SINGLE, SEVERAL = "SoftmaxOutput", "LogisticRegressionOutput"
BEST = "best_epoch"
"""The number of the file of parameters that is the model: there may be those of other epochs beside it."""


@dataclass(frozen=True)
class Stored:
    """A model that was read: `arrays` by the names that they have in the network."""

    nodes: list[Node]
    arrays: Mapping[str, Any]
    shape: tuple[int, int, int]


def network(layers: int, shape: tuple[int, int, int], classes: int, several: bool) -> Symbol:
    """The network of so many layers for pictures of a shape."""
    made = Symbol.of_pictures(shape[0])
    made.connected(LAST_LAYER, resnet.layers(made, layers, shape[1]), classes)
    made.output(SEVERAL if several else SINGLE, OUTPUT, LAST_LAYER)
    return made


def params_file(number: int) -> str:
    return f"{PREFIX}-{number:04d}.params"


@dataclass(frozen=True)
class Shelf:
    """The files of epochs in the folder of the model; each is told of."""

    folder: Path
    say: Callable[[str], None]

    def put(self, number: int, arrays: Mapping[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / params_file(number)
        beside = path.with_suffix(".part")
        beside.write_bytes(ndarray_list.write(arrays))
        self.say(f'Saved checkpoint to "{beside.replace(path)}"')

    def drop(self, number: int) -> None:
        (self.folder / params_file(number)).unlink(missing_ok=True)


def describe(folder: Path, made: Symbol, shape: tuple[int, int, int], best: int) -> None:
    """What stands beside the arrays."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SYMBOL).write_text(made.json({BEST: best}))
    (folder / SHAPES).write_text(json.dumps([{"shape": [1, *shape], "name": DATA}]))


def read(members: Mapping[str, bytes], where: str) -> Stored:
    """The model among files by their names; UserError, which says where they are, when there is none."""
    numbers = {int(found[1]): name for name in members if (found := PARAMS.fullmatch(name))}
    for name, there in ((SYMBOL, SYMBOL in members), (SHAPES, SHAPES in members), (params_file(1), bool(numbers))):
        if not there:
            raise UserError(f"{where} has no file '{name}' (it has: {', '.join(sorted(members)) or 'nothing'}).")
    try:
        nodes, told = symbol.read(members[SYMBOL].decode())
        best = dict([told[BEST]] if BEST in told else []).get("int")
        arrays = arrays_of(members[numbers[best] if best in numbers else numbers[max(numbers)]])
        [shape] = [tuple(one["shape"][1:]) for one in json.loads(members[SHAPES]) if one["name"] == DATA]
        if len(shape) != 3:
            raise ValueError(f"pictures have no shape {shape}")
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{where} holds no model of Image Classification: {error!r}") from error
    return Stored(nodes, arrays, shape)


def arrays_of(content: bytes) -> dict[str, Any]:
    """Arrays by the names that they have in the network; ValueError when it is none of MXNet's files."""
    found = ndarray_list.read(content)
    if not isinstance(found, dict):
        raise ValueError("its arrays have no names")
    return {name.partition(":")[2]: value for name, value in found.items()}
