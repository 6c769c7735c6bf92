"""Serving Seq2Seq: texts or numbers of words in, texts or numbers of words out, in the format of the question."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from algorithms.common import content_types, pytorch, recordio, workers
from algorithms.common.contract import Layout
from algorithms.common.faults import Refusal
from algorithms.common.serving import Invocation, Reply, run_serving
from algorithms.first_party import answers, requests, wording
from algorithms.first_party.definition import JSON, JSONLINES, RECORDIO, Form
from algorithms.seq2seq import artifact, sequences
from algorithms.seq2seq.vocabulary import SOURCE, Vocabulary

if TYPE_CHECKING:
    from algorithms.seq2seq.beam import Found
    from algorithms.seq2seq.network import Network

FORM = Form(reads=(JSON, RECORDIO, JSONLINES), writes=(JSON, RECORDIO, JSONLINES))
MATRIX, BEAM = "attention_matrix", "beam_size"
WIDEST = 1000


@dataclass(frozen=True)
class Asked:
    """One sequence; `matrix` is whether its attention is wanted too."""

    source: list[int]
    matrix: bool = False
    beam: int = 0


class Service:
    """A network behind the image's way of asking and answering."""

    def __init__(self, network: Network, config: Mapping[str, Any], words: tuple[Vocabulary, Vocabulary]) -> None:
        self._network, self._words = network, words
        self._beam, self._longest = int(config["beam_size"]), int(config["max_seq_len_source"])
        self._limits = artifact.limits(config, words[1])

    def answer(self, invocation: Invocation) -> Reply:
        """In the format of the question, unless the caller accepts another one."""
        asked = content_types.parse(invocation.content_type or JSON).media
        if asked not in FORM.reads:
            raise Refusal(415, wording.content_type_refused(asked))
        own = (asked, *(media for media in FORM.writes if media != asked))
        media = answers.accepted(invocation.accept, replace(FORM, writes=own)).media
        if not invocation.body.strip():
            raise Refusal(400, wording.not_evaluated("the body is empty"))
        try:
            told = self._records(invocation.body) if asked == RECORDIO else self._texts(invocation.body, asked)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Refusal(400, wording.not_evaluated(str(error))) from error
        if not told:
            raise Refusal(400, wording.not_evaluated("there are no instances"))
        return Reply(self._encode(told, self._found(told), media), media)

    def _records(self, body: bytes) -> list[Asked]:
        found = []
        for number, (features, _) in enumerate(recordio.read(io.BytesIO(body))):
            if "source" not in features:
                raise ValueError(f"record {number} has no 'source'")
            row = sequences.numbers(features["source"], f"'source' of record {number}", (len(self._words[0]), SOURCE))
            found.append(Asked(row[: self._longest].tolist()))
        return found

    def _texts(self, body: bytes, media: str) -> list[Asked]:
        found = []
        for number, one in enumerate(requests.instances(body, media)):
            text = one.get("data", one.get("source")) if media == JSON else one.get("source", one.get("data"))
            if not isinstance(text, str):
                wanted = "data" if media == JSON else "source"
                raise ValueError(f"instance {number} has no text as '{wanted}'")
            told = one.get("configuration") or {}
            if not isinstance(told, dict):
                raise ValueError(f"the configuration of instance {number} is no object")
            found.append(Asked(self._words[0].encode(text)[: self._longest], _switch(told), _beam(told)))
        return found

    def _found(self, told: list[Asked]) -> list[Found]:
        """Sequences without words become sequences without words."""
        from algorithms.seq2seq.beam import Found, search

        numpy_empty = Found([], pytorch.loaded("Seq2Seq").zeros(0, 0).numpy())
        found = [numpy_empty] * len(told)
        for beam in {one.beam or self._beam for one in told}:
            rows = [n for n, one in enumerate(told) if one.source and (one.beam or self._beam) == beam]
            if rows:
                made = search(self._network, [told[row].source for row in rows], self._limits, beam)
                for row, one in zip(rows, made, strict=True):
                    found[row] = one
        return found

    def _encode(self, told: list[Asked], found: list[Found], media: str) -> bytes:
        if media == RECORDIO:
            return recordio.write_sequences({"target": one.words} for one in found)
        records = []
        for asked, one in zip(told, found, strict=True):
            record: dict[str, Any] = {"target": self._words[1].decode(one.words)}
            records.append(record | ({"matrix": one.matrix.tolist()} if asked.matrix else {}))
        if media == JSONLINES:
            return b"".join(json.dumps(record).encode() + b"\n" for record in records)
        return json.dumps({FORM.envelope: records}).encode()


def _switch(told: Mapping[str, Any]) -> bool:
    """`"true"` in the example of AWS's."""
    return str(told.get(MATRIX, "false")).strip().lower() == "true"


def _beam(told: Mapping[str, Any]) -> int:
    """0 when it is not said."""
    if BEAM not in told:
        return 0
    text = str(told[BEAM]).strip()
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= WIDEST):
        raise ValueError(f"{BEAM} is to be a number from 1 to {WIDEST}, and is {text[:50]!r}")
    return int(text)


def load(folder: Path) -> Service:
    """The model of a folder; UserError when it is none."""
    found = artifact.read(folder)
    pytorch.loaded("Seq2Seq").set_num_threads(1)
    return Service(*found)


def main() -> int:
    """Serve until SIGTERM; the exit status."""
    return run_serving(lambda: load(Layout.from_environment().model), workers.by_cores())
