"""DataProcessing of a transform job: what the model sees of a record, and what becomes of its answer. Pure.

https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.jobs.jsonpath import NoMatch, Path, parse
from emulator.jobs.splitting import BadInput

CSV = "text/csv"
JSON = "application/json"
JSON_LINES = "application/jsonlines"
FORMATS = (CSV, JSON, JSON_LINES)
OUTPUT, INPUT = "SageMakerOutput", "SageMakerInput"


def media_type(text: str | None) -> str:
    """A content type without its parameters."""
    return (text or "").split(";")[0].strip().lower()


@dataclass(frozen=True)
class Processing:
    """The filters and the join of a job, and the formats that they read."""

    show: Path
    keep: Path
    join: bool
    input_format: str
    output_format: str

    @property
    def answers_are_records(self) -> bool:
        """Whether the model's answer must be taken apart into one record for each one that it was sent."""
        return self.join or not self.keep.whole

    def shown(self, given: bytes) -> bytes:
        """What the model sees of a record."""
        if self.show.whole:
            return given
        return write(_pick(self.show, read(given, self.input_format), "InputFilter"), self.input_format)

    def shown_document(self, given: bytes) -> bytes:
        """What the model sees of an object that is not split."""
        if self.input_format == JSON:
            return self.shown(given)
        return b"\n".join(self.shown(line) for line in given.splitlines() if line.strip())

    def finished(self, given: bytes, answer: bytes) -> bytes:
        """What is written for a record, given the model's answer to it."""
        value = read(answer, self.output_format)
        if self.join:
            value = joined(read(given, self.input_format), value, self.output_format)
        return write(_pick(self.keep, value, "OutputFilter"), self.output_format)


def processing(data: Mapping[str, Any], content_type: str | None, accept: str | None) -> Processing:
    """The DataProcessing of a job; `ValueError` for a path that is not in the subset."""
    return Processing(
        show=parse(data.get("InputFilter") or "$"),
        keep=parse(data.get("OutputFilter") or "$"),
        join=data.get("JoinSource") == "Input",
        input_format=media_type(content_type),
        output_format=media_type(accept) or media_type(content_type),
    )


def joined(given: Any, answer: Any, form: str) -> Any:
    """Input and answer as one record."""
    if form == CSV:
        return [*given, *answer]
    if isinstance(given, dict):
        return {**given, OUTPUT: answer}
    return {INPUT: given, OUTPUT: answer}


def read(text: bytes, form: str) -> Any:
    """A record as a value: a row of CSV is an array of its fields."""
    try:
        decoded = text.decode("utf-8")
        if form == CSV:
            rows = list(csv.reader(io.StringIO(decoded), strict=True))
            return rows[0] if rows else []
        return json.loads(decoded)
    except (ValueError, csv.Error) as error:
        raise BadInput(f"A record is not {form}: {error}") from error


def write(value: Any, form: str) -> bytes:
    """A value as a record."""
    if form != CSV:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(value if isinstance(value, list) else [value])
    return out.getvalue().encode()


def _pick(path: Path, value: Any, member: str) -> Any:
    try:
        return path.pick(value)
    except NoMatch as error:
        raise BadInput(f"{member} {path.text} does not fit a record: {error}") from error
