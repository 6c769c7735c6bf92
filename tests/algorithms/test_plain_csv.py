"""The quick reader of CSV against `float`, and the tables that are read with it and without it."""

import math

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as some

from algorithms.common import csv_body, csv_table, plain_csv
from algorithms.common.faults import UserError

fields = some.one_of(
    some.text("0123456789.-+eE ;", max_size=8),
    some.floats(allow_nan=False, allow_infinity=False).map(repr),
    some.integers(-(10**25), 10**25).map(str),
    some.sampled_from(
        ["", "nan", "NA", " 1", "1 ", "'1'", '"1"', "true", "null", "[1]", "1_0", "0x1", "inf", "-0", "\ufeff1", "1\r"]
    ),
)
words = ("nan", "NA")


@some.composite
def texts(draw):
    """Mostly rectangular, of one to four columns."""
    columns = draw(some.integers(1, 4))
    plain = draw(some.booleans())
    field = some.floats(allow_nan=False, allow_infinity=False).map(repr) if plain else fields
    rows = draw(some.lists(some.lists(field, min_size=columns, max_size=columns), min_size=1, max_size=5))
    if draw(some.integers(0, 9)) == 0:
        rows[-1].append("1")
    return "\n".join(",".join(row) for row in rows) + draw(some.sampled_from(["", "\n", "\n\n"]))


@given(texts())
def test_each_number_is_what_float_makes_of_it(text):
    found = plain_csv.read(text.encode(), ",", words)
    if found is None:
        return
    lines = text.removesuffix("\n").replace("\r\n", "\n").split("\n")
    expected = [[math.nan if f in ("", *words) else float(f) for f in line.split(",")] for line in lines]
    assert numpy.array_equal(found, expected, equal_nan=True)


@given(some.lists(some.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_numbers_as_python_writes_them_are_read_quickly_and_exactly(numbers):
    text = "".join(f"{number!r};\n" for number in numbers)
    found = plain_csv.read(text.encode(), ";")
    assert found is not None
    assert found[:, 0].tobytes() == numpy.array(numbers).tobytes()
    assert numpy.isnan(found[:, 1]).all()


@given(texts())
def test_tables_are_the_same_as_without_the_quick_reader(text):
    def outcome():
        import io

        try:
            table = csv_table.read_stream(io.BytesIO(text.encode()), "x")
        except UserError as error:
            return str(error)
        return None if table is None else (table.shape, table.tobytes())

    quick = outcome()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_csv, "read", lambda *_: None)
        assert quick == outcome()


def test_pieces_do_not_show(monkeypatch):
    values = numpy.random.default_rng(0).normal(size=(50, 3))
    text = "\n".join(",".join(map(repr, row)) for row in values.tolist()).encode()
    for size in (1, 60, 1000):
        monkeypatch.setattr(plain_csv, "PIECE", size)
        assert numpy.array_equal(plain_csv.read(text, ","), values)
        assert plain_csv.read(text + b"\n1,2", ",") is None
        assert plain_csv.read(text + b"\n1,2,red", ",") is None


def test_gaps_words_and_ends_of_lines():
    nan = math.nan
    text = b",1,NA\r\nnan,,2\r\nNA,nan,\r\n"
    expected = [[nan, 1, nan], [nan, nan, 2], [nan, nan, nan]]
    assert numpy.array_equal(plain_csv.read(text, ",", words), expected, equal_nan=True)
    assert plain_csv.read(text, ",") is None


def test_a_large_body_is_read_as_a_small_one_is():
    values = numpy.random.default_rng(0).normal(size=(500, 3)).astype("f4")
    lines = [",".join(map(repr, row)) for row in values.tolist()]
    assert len("\n".join(lines)) > csv_body.LARGE
    assert numpy.array_equal(csv_body.read("\n".join(lines).encode()), values)
    lines[300] = '"1",,nan'
    found = csv_body.read("\r\n".join(lines).encode())
    assert numpy.array_equal(found[300], [1, math.nan, math.nan], equal_nan=True)
    assert numpy.array_equal(numpy.delete(found, 300, 0), numpy.delete(values, 300, 0))
    with pytest.raises(ValueError, match="'red'"):
        csv_body.read("\n".join([*lines, "1,2,red"]).encode())
    with pytest.raises(ValueError, match="differ in their number of columns"):
        csv_body.read("\n".join([*lines, "1,2"]).encode())
