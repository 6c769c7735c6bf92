"""A loaded ONNX model: what it wants by name, shape and type, and its answers for batches of any size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from algorithms.common.faults import Refusal, UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILE = "model.onnx"
NUMPY_TYPES = {
    "tensor(float)": "float32", "tensor(double)": "float64", "tensor(float16)": "float16", "tensor(int8)": "int8",
    "tensor(int16)": "int16", "tensor(int32)": "int32", "tensor(int64)": "int64", "tensor(uint8)": "uint8",
    "tensor(uint16)": "uint16", "tensor(uint32)": "uint32", "tensor(uint64)": "uint64", "tensor(bool)": "bool",
    "tensor(string)": "object",
}  # fmt: skip

Outputs = Mapping[str, Any]
"""By name: an array whose first axis is the batch, or a list with one map per record (a classifier's ZipMap)."""


@dataclass(frozen=True)
class Input:
    """One input: its dimensions, None where any size will do, and its numpy type."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str

    @property
    def batch(self) -> int | None:
        """The number of records that the model takes at once; None for any."""
        return self.shape[0] if self.shape else None

    @property
    def width(self) -> int | None:
        """The number of values of one record; None when a dimension is open."""
        width = 1
        for size in self.shape[1:]:
            if size is None:
                return None
            width *= size
        return width

    def __str__(self) -> str:
        sizes = ", ".join("N" if size is None else str(size) for size in self.shape)
        return f"input '{self.name}' expects {self.dtype} of shape [{sizes}]"

    def fit(self, value: Any) -> NDArray[Any]:
        """`value` as this input wants it, one record made a batch of one; Refusal 400 names both shapes."""
        import numpy

        try:
            found = numpy.asarray(value)
            if found.dtype == object and self.dtype != "object":
                raise ValueError("the rows differ in length, or hold more than numbers")
            found = self._cast(found)
        except (ValueError, TypeError, OverflowError) as error:
            raise Refusal(400, f"The {self}, but the data does not convert: {error}") from error
        return self._shaped(found)

    def _shaped(self, found: NDArray[Any]) -> NDArray[Any]:
        given = list(found.shape)
        if self._matches(found.shape):
            return found
        if self._matches((1, *found.shape)):
            return found[None]
        flat = found.ndim == 2 and len(self.shape) > 2 and self.width == found.shape[1]
        if flat:
            return found.reshape(found.shape[0], *(size or 1 for size in self.shape[1:]))
        raise Refusal(400, f"The {self}, but the data has shape {given}.")

    def _matches(self, shape: tuple[int, ...]) -> bool:
        """The batch may have any size: a fixed one is met by splitting."""
        if len(shape) != len(self.shape) or 0 in shape[:1]:
            return False
        return all(want in (None, size) for want, size in zip(self.shape[1:], shape[1:], strict=True))

    def _cast(self, found: NDArray[Any]) -> NDArray[Any]:
        import numpy

        if self.dtype == "object":
            return found.astype(str).astype(object)
        if found.dtype.kind in "US":
            found = found.astype(numpy.float64)
        cast = found.astype(self.dtype)
        if cast.dtype.kind in "iu" and not numpy.array_equal(cast, found):
            raise ValueError(f"not all values are {self.dtype}")
        return cast


class OnnxModel:
    """A session with what it takes and gives. `run` may be called from several threads at once."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise UserError(f"Model {path} cannot be loaded: {str(error).strip()}") from error
        self.inputs = tuple(_input(one, path) for one in self._session.get_inputs())
        self.outputs = tuple(one.name for one in self._session.get_outputs())

    def run(self, given: Mapping[str, Any]) -> Outputs:
        """Answers for inputs by name. A fixed batch is filled several times over; Refusal 400 for what does not fit."""
        missing = [one.name for one in self.inputs if one.name not in given]
        unknown = [name for name in given if name not in {one.name for one in self.inputs}]
        if missing or unknown:
            named = "; ".join(str(one) for one in self.inputs)
            raise Refusal(400, f"The inputs {list(given)} were given, but the model's are: {named}.")
        fitted = {one.name: one.fit(given[one.name]) for one in self.inputs}
        batches = {one.batch for one in self.inputs if one.batch}
        sizes = {len(fitted[one.name]) for one in self.inputs if one.shape}
        if not batches or sizes == batches:
            return self._run(fitted)
        if len(batches) > 1 or len(sizes) > 1:
            wanted = "; ".join(str(one) for one in self.inputs)
            raise Refusal(400, f"The inputs have {sorted(sizes)} records, but: {wanted}.")
        return self._in_turns(fitted, batches.pop(), sizes.pop())

    def _in_turns(self, fitted: Mapping[str, NDArray[Any]], batch: int, records: int) -> Outputs:
        """As many runs as the fixed batch needs; the last one is filled up with its own last record."""
        import numpy

        turns = []
        for start in range(0, records, batch):
            rows = numpy.minimum(numpy.arange(start, start + batch), records - 1)
            turns.append(self._run({name: value[rows] for name, value in fitted.items()}))
        joined: dict[str, Any] = {}
        for name in self.outputs:
            parts = [turn[name] for turn in turns]
            if isinstance(parts[0], list):
                joined[name] = [record for part in parts for record in part][:records]
            elif parts[0].ndim == 0 or len(parts[0]) != batch:
                raise Refusal(
                    400,
                    f"Output '{name}' is not made per record, so {records} records cannot be answered by a model that "
                    f"takes {batch} at once.",
                )
            else:
                joined[name] = numpy.concatenate(parts)[:records]
        return joined

    def _run(self, fitted: Mapping[str, NDArray[Any]]) -> Outputs:
        try:
            return dict(zip(self.outputs, self._session.run(None, dict(fitted)), strict=True))
        except Exception as error:
            wanted = "; ".join(str(one) for one in self.inputs)
            shapes = ", ".join(f"'{name}' {list(value.shape)}" for name, value in fitted.items())
            raise Refusal(400, f"The model refused {shapes} ({wanted}): {str(error).strip()}") from error


def find(folder: Path) -> Path:
    """The model file: at the top or one folder deeper; UserError when there is none, or not one."""
    found = [path for path in (folder / FILE, *sorted(folder.glob(f"*/{FILE}"))) if path.is_file()]
    if (folder / FILE) in found or len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"Several {FILE} were found below {folder}: {', '.join(str(p) for p in found)}. Keep one.")
    there = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())[:10]
    raise UserError(
        f"No {FILE} was found in {folder}, nor one folder below it; there is: {', '.join(there) or 'nothing'}. "
        f"This image serves ONNX models: convert the model and put it into the model archive as {FILE}."
    )


def _input(told: Any, path: Path) -> Input:
    if told.type not in NUMPY_TYPES:
        raise UserError(f"Model {path} cannot be served: its input '{told.name}' is a {told.type}.")
    shape = tuple(size if isinstance(size, int) and size > 0 else None for size in told.shape)
    return Input(told.name, shape, NUMPY_TYPES[told.type])
