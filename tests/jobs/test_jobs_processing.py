"""JSONPath, filters, joins and splitting: the documented examples."""

from __future__ import annotations

import io
import json
import struct
from typing import Any

import pytest

from emulator.jobs.jsonpath import NoMatch, parse
from emulator.jobs.processing import processing
from emulator.jobs.splitting import BadInput, Record, lines, packed, recordio, tfrecord

ROW = ["id", 1, 2, 3]
DOC = {"id": 1, "features": [5, 6, 7], "m": {"x": 1, "y": 2}, "list": [{"a": 1}, {"a": 2}]}


@pytest.mark.parametrize(
    ("path", "document", "value"),
    [
        ("$", DOC, DOC),
        ("$.id", DOC, 1),
        ("$.m.x", DOC, 1),
        ("$['id']", DOC, 1),
        ('$["id"]', DOC, 1),
        ("$['id','m']", DOC, {"id": 1, "m": {"x": 1, "y": 2}}),
        ("$[0]", ROW, "id"),
        ("$[-1]", ROW, 3),
        ("$[0,-1]", ROW, ["id", 3]),
        ("$[1:]", ROW, [1, 2, 3]),
        ("$[:2]", ROW, ["id", 1]),
        ("$[1:3]", ROW, [1, 2]),
        ("$[-2:]", ROW, [2, 3]),
        ("$.features[1:]", DOC, [6, 7]),
        ("$.m.*", DOC, [1, 2]),
        ("$[*]", ROW, ROW),
        ("$.list[*].a", DOC, [1, 2]),
    ],
)
def test_paths(path: str, document: Any, value: Any) -> None:
    assert parse(path).pick(document) == value


@pytest.mark.parametrize("path", ["", "id", "$..id", "$[?(@.a)]", "$[::2]", "$.a[", "$[1:2", "$."])
def test_what_leaves_the_subset_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="JSONPath"):
        parse(path)


@pytest.mark.parametrize(
    ("path", "document"), [("$.no", DOC), ("$[9]", ROW), ("$.id", ROW), ("$[0]", DOC), ("$[1:]", DOC)]
)
def test_what_is_not_there_is_told(path: str, document: Any) -> None:
    with pytest.raises(NoMatch):
        parse(path).pick(document)


def test_csv_join_of_the_documentation() -> None:
    work = processing(
        {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}, "text/csv", "text/csv"
    )
    assert work.shown(b"id1,5,6") == b"5,6"
    assert work.finished(b"id1,5,6", b"0.9\n") == b"id1,0.9"


def test_csv_fields_keep_their_spelling_and_quotes() -> None:
    work = processing({"JoinSource": "Input"}, "text/csv", "text/csv")
    assert work.finished(b'"a,b",1.50', b"0.90,x") == b'"a,b",1.50,0.90,x'


def test_json_lines_join_of_the_documentation() -> None:
    form = "application/jsonlines"
    work = processing({"InputFilter": "$.features", "JoinSource": "Input", "OutputFilter": "$"}, form, form)
    given = b'{"id":1,"features":[5,6]}'
    assert work.shown(given) == b"[5,6]"
    assert json.loads(work.finished(given, b"0.9")) == {"id": 1, "features": [5, 6], "SageMakerOutput": 0.9}
    work = processing({"JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"}, form, form)
    assert work.finished(given, b"0.9") == b'{"id":1,"SageMakerOutput":0.9}'


def test_json_that_is_no_object_is_nested() -> None:
    work = processing({"JoinSource": "Input"}, "application/json", "application/json")
    assert json.loads(work.finished(b"[1,2]", b'{"p":1}')) == {"SageMakerInput": [1, 2], "SageMakerOutput": {"p": 1}}


def test_a_record_that_is_not_of_its_type_is_bad() -> None:
    work = processing({"InputFilter": "$.a"}, "application/jsonlines", "application/jsonlines")
    with pytest.raises(BadInput, match="jsonlines"):
        work.shown(b"{no json")
    with pytest.raises(BadInput, match="InputFilter"):
        work.shown(b"{}")


def test_lines_lose_their_ends_and_blank_ones_are_left_out() -> None:
    assert list(lines(io.BytesIO(b"a\r\nb\n\n  \nc"), 10)) == [b"a", b"b", b"c"]
    with pytest.raises(BadInput, match="Too much data"):
        list(lines(io.BytesIO(b"x" * 12), 10))


def frame(payload: bytes, flag: int = 0) -> bytes:
    return struct.pack("<II", 0xCED7230A, flag << 29 | len(payload)) + payload + b"\0" * (-len(payload) % 4)


def test_recordio_frames_and_records_in_parts() -> None:
    single, parts = frame(b"abcde"), frame(b"1234", 1) + frame(b"56", 3)
    assert list(recordio(io.BytesIO(single + parts), 100)) == [single, parts]
    for broken in (single[:-1], b"12345678", frame(b"1", 1)):
        with pytest.raises(BadInput):
            list(recordio(io.BytesIO(broken), 100))


def test_tfrecord_frames() -> None:
    one = struct.pack("<QI", 3, 0) + b"abc" + b"\0\0\0\0"
    assert list(tfrecord(io.BytesIO(one + one), 100)) == [one, one]
    with pytest.raises(BadInput, match="middle"):
        list(tfrecord(io.BytesIO(one[:-1]), 100))


def test_records_are_packed_whole_up_to_the_limit() -> None:
    records = [Record(text, text) for text in (b"aaa", b"bbb", b"cc", b"d")]
    assert [[r.shown for r in g] for g in packed(records, b"\n", 7, False)] == [[b"aaa", b"bbb"], [b"cc", b"d"]]
    assert [len(g) for g in packed(records, b"\n", 7, True)] == [1, 1, 1, 1]
    with pytest.raises(BadInput, match="Too much data for max payload size"):
        list(packed(records, b"", 2, False))
