"""recordio-protobuf against protobuf itself, record by record and in tables, whole and broken."""

import io
import os
import struct
import threading

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy import sparse

from algorithms.common import recordio
from algorithms.common.recordio import blocks, framing, protobuf, reading
from tests.algorithms.aialgs import frame, record_class, uploaded

Record = record_class()
KINDS = ("f4", "f8", "i4")


def dense(rows=20, width=3, kind="f4", seed=0):
    values = numpy.random.default_rng(seed).normal(size=(rows, width)) * 100
    return values.astype(kind)


def scattered(rows=20, width=300, kind="f4", seed=0):
    """Sparse rows of 0 to 6 values, in columns whose numbers take one or two bytes."""
    chance = numpy.random.default_rng(seed)
    counts = chance.integers(0, 7, rows)
    columns = [numpy.sort(chance.choice(width, count, replace=False)) for count in counts]
    starts = numpy.concatenate([[0], numpy.cumsum(counts)])
    values = (chance.normal(size=starts[-1]) * 100).astype(kind)
    return sparse.csr_matrix((values, numpy.concatenate(columns), starts), shape=(rows, width))


def table(data, **how):
    found = recordio.together(recordio.tables(data, **how))
    return None if found is None else (found.features, found.labels)


def same(found, expected):
    """Whether two tables are the same to the last bit."""
    if found is None or expected is None:
        return found is expected
    (features, labels), (others, targets) = found, expected
    if sparse.issparse(features) != sparse.issparse(others) or features.shape != others.shape:
        return False
    if sparse.issparse(features):
        pairs = [(features.data, others.data), (features.indices, others.indices), (features.indptr, others.indptr)]
    else:
        pairs = [(features, others)]
    if (labels is None) != (targets is None):
        return False
    pairs += [] if labels is None else [(labels, targets)]
    return all(a.dtype.kind == b.dtype.kind and a.tobytes() == b.astype(a.dtype).tobytes() for a, b in pairs)


def outcome(data):
    try:
        return table(data)
    except recordio.Malformed:
        return "malformed"


def both_ways(data):
    """Read together and one by one, in small blocks and in large ones: it must come out the same."""
    few, size = reading.FEW, blocks.BLOCK
    found = []
    try:
        for reading.FEW, blocks.BLOCK in ((0, 1 << 16), (1 << 30, 1 << 16), (0, 64)):
            found.append(outcome(data))
    finally:
        reading.FEW, blocks.BLOCK = few, size
    return found


def agree(found):
    return all(
        one == "malformed" if found[0] == "malformed" else one != "malformed" and same(one, found[0]) for one in found
    )


class TestRecords:
    def test_each_is_read_as_it_was_written(self):
        rows = [[1.5, -2.0, 3.25], [0.0, 4.0, 5.0]]
        records = list(recordio.read(recordio.write_features(rows, [1.0, 0.0])))
        assert [features["values"][0].tolist() for features, _ in records] == rows
        assert [label["values"][0].tolist() for _, label in records] == [[1.0], [0.0]]

    def test_tensors_of_every_kind(self):
        one = Record(uid="7", metadata="{}")
        one.features["dense"].float64_tensor.values.extend([0.1, 0.2])
        one.features["sparse"].float32_tensor.values.extend([7.0, 8.0])
        one.features["sparse"].float32_tensor.keys.extend([1, 300])
        one.features["sparse"].float32_tensor.shape.extend([1000])
        one.features["whole"].int32_tensor.values.extend([-1, 5, 2**31 - 1])
        one.features["image"].bytes.value.extend([b"\x89PNG", b""])
        one.features["image"].bytes.content_type = "image/png"
        one.features["nothing"].SetInParent()
        one.label["values"].float32_tensor.values.extend([3.0])
        ((features, label),) = recordio.read(frame(one.SerializeToString()))
        assert features["dense"][0].tolist() == [0.1, 0.2]
        values, keys, width = features["sparse"]
        assert (values.tolist(), keys.tolist(), width) == ([7.0, 8.0], [1, 300], 1000)
        assert features["whole"][0].tolist() == [-1, 5, 2**31 - 1]
        assert features["image"][0].tolist() == [b"\x89PNG", b""]
        assert label["values"][0].tolist() == [3.0]
        assert sorted(features) == ["dense", "image", "sparse", "whole"]

    def test_what_is_not_packed_or_in_several_pieces_belongs_together(self):
        number = struct.pack("<f", 1.5)
        tensor = b"\x0d" + number + b"\x0a\x08" + number * 2 + b"\x10\x05\x12\x02\x06\x07\x18\x63"
        value = b"\x12" + bytes([len(tensor)]) + tensor
        entry = b"\x0a\x06values\x12" + bytes([len(value)]) + value
        ((features, _),) = recordio.read(frame(b"\x0a" + bytes([len(entry)]) + entry))
        values, keys, width = features["values"]
        assert (values.tolist(), keys.tolist(), width) == ([1.5] * 3, [5, 6, 7], 99)

    def test_one_comes_before_the_next_is_there(self):
        data = recordio.write_features([[1.0, 2.0], [3.0, 4.0]], [0.0, 1.0])
        reading, writing = os.pipe()
        with os.fdopen(writing, "wb", buffering=0) as source, os.fdopen(reading, "rb") as stream:
            records = recordio.read(stream)
            source.write(data[: len(data) // 2])
            features, _ = next(records)
            assert features["values"][0].tolist() == [1.0, 2.0]
            source.write(data[len(data) // 2 :])
            source.close()
            assert len(list(records)) == 1


class TestAgainstTheSdk:
    @pytest.mark.parametrize("kind", ["f4", "f8", "i8"])
    @pytest.mark.parametrize("label", [None, "f4", "f8", "i8"])
    @pytest.mark.parametrize("make", [dense, scattered])
    def test_the_bytes_are_the_same(self, make, kind, label):
        rows = make(30, kind=kind)
        labels = None if label is None else numpy.arange(-3, 27).astype(label)
        written = recordio.write_features(rows, labels)
        assert written == uploaded(rows, labels)
        features, found = table(written)
        shown = features.toarray() if sparse.issparse(features) else features
        assert features.dtype == ("f4" if kind == "f4" else "f8")
        assert numpy.array_equal(shown, rows.toarray() if sparse.issparse(rows) else rows)
        assert found is None if label is None else numpy.array_equal(found, labels)

    def test_lists_are_written_as_float32(self):
        rows = [[0.1, 0.2], [0.3, 0.4]]
        assert recordio.write_features(rows, [1, 0]) == uploaded(numpy.float32(rows), numpy.float32([1, 0]))

    def test_answers_are_read_by_protobuf(self):
        written = recordio.write({"score": numpy.float64([0.5, 0.25]), "scores": [[1, 2, 3], [4, 5, 6]]})
        found = [Record.FromString(payload) for payload in recordio.frames(written)]
        assert [list(one.label["score"].float32_tensor.values) for one in found] == [[0.5], [0.25]]
        assert [list(one.label["scores"].float32_tensor.values) for one in found] == [[1, 2, 3], [4, 5, 6]]
        assert recordio.write({"score": []}) == b""

    def test_rows_without_columns_and_no_rows(self):
        assert recordio.write_features(numpy.empty((0, 3), "f4")) == b"" and table(b"") is None
        assert recordio.write_features(numpy.empty((2, 0), "f4")) == uploaded(numpy.empty((2, 0), "f4"))
        assert table(uploaded(sparse.csr_matrix((10, 40), dtype="f4")))[0].shape == (10, 40)

    def test_whole_numbers_must_fit(self):
        edges = numpy.array([[2**31 - 1, -(2**31)]] * 10)
        assert same(table(recordio.write_features(edges)), (edges.astype(float), None))
        with pytest.raises(ValueError, match="32 bits"):
            recordio.write_features(edges + 1)

    def test_labels_must_be_as_many_as_rows(self):
        with pytest.raises(ValueError, match="2 labels for 3 rows"):
            recordio.write_features(dense(3), [1, 2])


class TestTables:
    def test_alike_rows_are_not_read_one_by_one(self, monkeypatch):
        """Dense, sparse and whole numbers; with labels, empty rows, other features, in blocks of some hundred rows."""
        read = []
        monkeypatch.setattr(blocks, "BLOCK", 1 << 16)
        monkeypatch.setattr(protobuf, "record", lambda data, real=protobuf.record: (read.append(1), real(data))[1])
        for rows in (dense(5000, 10), dense(5000, 10, "i4"), scattered(5000)):
            read.clear()
            labels = numpy.arange(5000, dtype="f4")
            features, found = table(recordio.write_features(rows, labels))
            assert same((features, found), (rows.astype(features.dtype), labels))
            assert len(read) <= 12  # Those from which a layout is learned, and the last few of a stream.

    @pytest.mark.parametrize("size", [16, 100, 4096])
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("make", [dense, scattered])
    def test_blocks_do_not_show(self, monkeypatch, make, kind, size):
        rows, labels = make(50, kind=kind), numpy.arange(50, dtype="f4")
        data = recordio.write_features(rows, labels)
        whole = table(data)
        monkeypatch.setattr(blocks, "BLOCK", size)
        assert same(table(data), whole)
        assert same(table(io.BytesIO(data)), whole)

    def test_a_pipe_is_read_to_its_end(self):
        rows = dense(100_000, 10)
        reading, writing = os.pipe()

        def write():
            with os.fdopen(writing, "wb") as stream:
                for block in recordio.feature_blocks(rows):
                    stream.write(block)

        writer = threading.Thread(target=write)
        writer.start()
        with os.fdopen(reading, "rb") as stream:
            assert numpy.array_equal(table(stream)[0], rows)
        writer.join()

    def test_kinds_mix(self):
        data = uploaded(dense(20)) + uploaded(dense(20, kind="f8", seed=1)) + uploaded(dense(20, kind="i8", seed=2))
        features, labels = table(data)
        expected = numpy.concatenate([dense(20), dense(20, kind="f8", seed=1), dense(20, kind="i8", seed=2)])
        assert same((features, labels), (expected, None))

    @pytest.mark.parametrize("size", [64, 1 << 16])
    def test_dense_and_sparse_rows_do_not_mix(self, monkeypatch, size):
        monkeypatch.setattr(blocks, "BLOCK", size)
        for first, second, said in (
            (dense(10), scattered(10), "record 10 is sparse, but the records before are dense"),
            (scattered(10), dense(10), "record 10 is dense, but the records before are sparse"),
        ):
            with pytest.raises(recordio.Malformed, match=said):
                table(uploaded(first) + uploaded(second))

    @pytest.mark.parametrize("size", [64, 1 << 16])
    def test_rows_without_values_may_be_sparse_ones(self, monkeypatch, size):
        monkeypatch.setattr(blocks, "BLOCK", size)
        nothing = numpy.empty((10, 0), "f4")
        features, _ = table(uploaded(nothing) + uploaded(scattered(10)) + uploaded(nothing))
        assert features.shape == (30, 300) and numpy.array_equal(features[10:20].toarray(), scattered(10).toarray())
        assert features[:10].nnz == features[20:].nnz == 0

    def test_sparse_rows_may_differ_in_width(self, monkeypatch):
        monkeypatch.setattr(blocks, "BLOCK", 256)
        features, _ = table(uploaded(scattered(20, 50)) + uploaded(scattered(20, 5000)))
        assert features.shape == (40, 5000)
        assert numpy.array_equal(features[:20, :50].toarray(), scattered(20, 50).toarray())

    def test_labels_count_only_if_all_records_have_one(self):
        rows = dense(10)
        assert table(uploaded(rows, rows[:, 0]) + uploaded(rows))[1] is None

    def test_another_feature_is_asked_for_by_name(self):
        one = Record()
        one.features["source"].int32_tensor.values.extend([1, 2])
        one.features["target"].int32_tensor.values.extend([3, 4, 5])
        data = frame(one.SerializeToString()) * 20
        assert table(data, name="target")[0].tolist() == [[3, 4, 5]] * 20
        with pytest.raises(recordio.Malformed, match=r"record 0 has no features\['values'\]"):
            table(data)

    def test_the_numbers_can_be_written_to(self):
        for rows in (dense(), scattered(), scattered(20, 5000)):
            features, labels = table(recordio.write_features(rows, numpy.arange(20)))
            features *= 2
            labels += 1

    def test_files_are_loaded_and_named(self, tmp_path):
        for name in "ab":
            (tmp_path / name).write_bytes(uploaded(dense(20, kind="f8"), numpy.arange(20.0)))
        found = recordio.load([tmp_path / "a", tmp_path / "b"], single=True)
        assert found.features.shape == (40, 3) and found.features.dtype == "f4" and found.labels.shape == (40,)
        (tmp_path / "b").write_bytes(uploaded(dense(20, 4)))
        with pytest.raises(recordio.Malformed, match="record 20 has 4 features, but the records before have 3"):
            recordio.load([tmp_path / "a", tmp_path / "b"])
        (tmp_path / "b").write_bytes(b"1,2,3,4,5,6\n")
        with pytest.raises(recordio.Malformed, match=r"^b: no RecordIO frame begins at byte 0"):
            recordio.load([tmp_path / "a", tmp_path / "b"])


class TestRecordsInParts:
    """Records that are too long for one frame: `LONGEST` is made short."""

    @pytest.mark.parametrize("make", [dense, scattered])
    def test_what_is_too_long_is_written_and_read_in_parts(self, make, monkeypatch):
        rows, labels = make(30), numpy.arange(30, dtype="f4")
        whole = uploaded(rows, labels)
        monkeypatch.setattr(framing, "LONGEST", 43)
        data = recordio.write_features(rows, labels)
        assert len(data) > len(whole)
        assert list(recordio.frames(data, joint=b"")) == list(recordio.frames(whole))
        for size in (64, 1000, 1 << 20):
            monkeypatch.setattr(blocks, "BLOCK", size)
            assert same(table(data), table(whole))
        assert len(list(recordio.read(data))) == 30

    def test_mxnet_cuts_where_the_magic_number_is_data(self):
        magic = struct.pack("<I", recordio.MAGIC)
        data = frame(b"abcd", 1) + frame(b"", 2) + frame(b"efg", 3) + frame(b"h")
        assert list(recordio.frames(data)) == [b"abcd" + magic + magic + b"efg", b"h"]

    def test_the_magic_number_may_be_data(self):
        number = numpy.frombuffer(struct.pack("<I", recordio.MAGIC), "f4")[0]
        rows = scattered(40)
        rows.data[::3] = number
        for values in (rows, numpy.full((40, 5), number)):
            assert same(table(recordio.write_features(values)), (values, None))

    @pytest.mark.parametrize("flags", [(2,), (3,), (1, 0), (1, 1), (1, 2), (1,), (0, 2), (5,)])
    def test_parts_that_do_not_follow_each_other(self, flags):
        (payload,) = recordio.frames(uploaded(dense(1)))
        data = b"".join(frame(payload, flag) for flag in flags)
        for reader in (recordio.read, recordio.tables, recordio.frames):
            with pytest.raises(recordio.Malformed, match=r"record [01]"):
                list(reader(data))


class TestBroken:
    @pytest.mark.parametrize(
        "data",
        [
            b"1,2,3\n4,5,6\n",
            b"\n\x23\xd7\xce\xff\x00\x00\x00x",
            b"\n\x23\xd7\xce",
            b"\n\x23\xd7\xce\x01\0\0\0\x0a\0\0\0",
        ],
    )
    def test_what_is_no_recordio(self, data):
        for reader in (recordio.read, recordio.tables):
            with pytest.raises(recordio.Malformed):
                list(reader(data))

    @pytest.mark.parametrize("place", [0, 17, 99])
    @pytest.mark.parametrize("make", [dense, scattered])
    def test_one_record_in_the_middle_is_named(self, make, place):
        parts = [bytearray(uploaded(make(1, seed=seed), numpy.float32([seed]))) for seed in range(100)]
        parts[place][8] ^= 0x55  # The first byte of the record: it is no field of one any more.
        for reader in (recordio.read, recordio.tables):
            with pytest.raises(recordio.Malformed, match=f"record {place} is not a protobuf record"):
                list(reader(b"".join(parts)))
        parts[place][:8] = b"\xff" * 8
        at = sum(map(len, parts[:place]))
        for reader in (recordio.read, recordio.tables):
            with pytest.raises(recordio.Malformed, match=f"at byte {at}, where record {place} should be"):
                list(reader(b"".join(parts)))

    def test_a_row_of_another_width_is_named(self):
        data = uploaded(dense(50)) + uploaded(dense(1, 4)) + uploaded(dense(50))
        with pytest.raises(recordio.Malformed, match="record 50 has 4 features, but the records before have 3"):
            table(data)

    def test_keys_must_fit(self):
        def row(keys, values, shape):
            one = Record()
            tensor = one.features["values"].float32_tensor
            tensor.keys.extend(keys)
            tensor.values.extend(values)
            tensor.shape.extend(shape)
            return frame(one.SerializeToString())

        good = row([1, 2], [1.0, 2.0], [3]) * 20
        for bad, said in (
            (row([1, 3], [1.0, 2.0], [3]), "key 3 is not below 3"),
            (row([1], [1.0, 2.0], [3]), "1 keys for 2 values"),
            (row([2**64 - 1, 1], [1.0, 2.0], []), "key 18446744073709551615 is not below"),
            (row([1, 2], [1.0, 2.0], [2**40]), "has more than 2147483647 columns"),
            (row([], [1.0, 2.0], [3]), "2 values do not fill a shape of 3"),
        ):
            with pytest.raises(recordio.Malformed, match=f"record 20 .*{said}"):
                table(good + bad + good)


def row(number, kind="float32_tensor", **parts):
    """A record with these parts of a tensor."""
    one = Record(uid=str(number))
    tensor = getattr(one.features["values"], kind)
    for name, values in parts.items():
        getattr(tensor, name).extend(values)
    one.label["values"].int32_tensor.values.extend([number])
    return frame(one.SerializeToString())


FORMS = {
    "dense": uploaded(dense(12), numpy.arange(12.0)),
    "even sparse": b"".join(row(n, values=[1.5, n], keys=[n, 200 + n], shape=[300]) for n in range(10, 22)),
    "sparse without a shape": b"".join(
        row(n, values=[1.5] * (n % 3 + 1), keys=[n, 200, 300][: n % 3 + 1]) for n in range(12)
    ),
    "sparse": uploaded(scattered(12), numpy.arange(12, dtype="f4")),
    "whole": b"".join(row(n, "int32_tensor", values=[n, -n, 100 * n]) for n in range(12)),
    "dense with a shape": b"".join(row(n, values=[n, n + 1], shape=[2]) for n in range(12)),
}


@pytest.mark.parametrize("form", FORMS)
def test_any_wrong_byte_in_one_record_is_found_or_read_the_same_both_ways(form):
    """Each byte of the sixth record in turn is another one: of the tags, lengths, names, keys, numbers and zeros."""
    data = FORMS[form]
    whole = outcome(data)
    assert whole != "malformed" and agree(both_ways(data))
    starts = [at for at in range(0, len(data), 4) if data[at : at + 4] == framing.MXNET]
    found = set()
    for at in range(starts[5], starts[6]):
        for bits in (0x01, 0x02, 0x80, 0xFF):
            broken = bytearray(data)
            broken[at] ^= bits
            ways = both_ways(bytes(broken))
            assert agree(ways), f"byte {at - starts[5]} of the record as {broken[at]:#x}"
            found.add("malformed" if ways[0] == "malformed" else "same" if same(ways[0], whole) else "other")
    assert found >= {"malformed", "other"}


# --- generated ------------------------------------------------------------------------------------------------------

floats = some.floats(width=32, allow_nan=False)
whole = some.integers(-(2**31), 2**31 - 1)


@some.composite
def tensors(draw, value):
    """Fill a Value: dense or sparse, empty or not, with or without a shape, or bytes, or nothing."""
    kind = draw(some.sampled_from(["float32_tensor", "float64_tensor", "int32_tensor", "bytes", ""]))
    if kind == "bytes":
        value.bytes.value.extend(draw(some.lists(some.binary(max_size=3), max_size=2)))
    elif kind:
        tensor = getattr(value, kind)
        tensor.SetInParent()
        count = draw(some.integers(0, 3))
        tensor.values.extend(
            draw(some.lists(whole if kind == "int32_tensor" else floats, min_size=count, max_size=count))
        )
        if draw(some.booleans()):
            tensor.keys.extend(draw(some.lists(some.integers(0, 300), min_size=count, max_size=count)))
        tensor.shape.extend(draw(some.sampled_from([[], [], [3], [301], [2, 151], [2**31]])))


@some.composite
def messages(draw):
    one = Record()
    for name in draw(some.lists(some.sampled_from(["values", "values", "x", "süß"]), max_size=2)):
        draw(tensors(one.features[name]))
    for name in draw(some.lists(some.sampled_from(["values", "y"]), max_size=2)):
        draw(tensors(one.label[name]))
    if draw(some.booleans()):
        one.uid = draw(some.text(max_size=2))
    return one.SerializeToString()


@some.composite
def regular(draw):
    """Many records of one kind or two, as programs write them."""
    parts = []
    for seed in draw(some.lists(some.integers(0, 3), min_size=1, max_size=2)):
        rows = (
            draw(some.sampled_from([dense, scattered]))(
                draw(some.integers(1, 20)), draw(some.sampled_from([7, 30, 200])), draw(some.sampled_from(KINDS)), seed
            )
            if draw(some.booleans())
            else dense(10)
        )
        labels = draw(some.sampled_from([None, "f4", "f8", "i4"]))
        parts.append(
            recordio.write_features(rows, None if labels is None else numpy.arange(rows.shape[0]).astype(labels))
        )
    return b"".join(parts)


@given(some.lists(messages(), min_size=1, max_size=4), some.integers(1, 4))
def test_records_of_any_form_come_out_the_same_together_and_one_by_one(payloads, times):
    assert agree(both_ways(b"".join(map(frame, payloads)) * times))


@given(messages())
def test_protobuf_and_ours_read_the_same(payload):
    expected = Record.FromString(payload)
    try:
        ((features, label),) = recordio.read(frame(payload))
    except recordio.Malformed:
        return
    for ours, theirs in ((features, expected.features), (label, expected.label)):
        kinds = {name: value.WhichOneof("value") for name, value in theirs.items()}
        assert set(ours) == {name for name, kind in kinds.items() if kind}
        for name, (values, keys, _) in ours.items():
            content = getattr(theirs[name], kinds[name])
            assert values.tolist() == list(content.value if kinds[name] == "bytes" else content.values)
            assert keys is None or keys.tolist() == list(content.keys)


@given(regular(), some.data())
def test_broken_bytes_are_malformed_or_read_the_same_both_ways(data, chance):
    broken = bytearray(data)
    for _ in range(chance.draw(some.integers(1, 3))):
        at = chance.draw(some.integers(0, len(broken) - 1))
        what = chance.draw(some.sampled_from(["flip", "cut", "remove", "insert"]))
        if what == "flip":
            broken[at] ^= chance.draw(some.integers(1, 255))
        elif what == "cut" and at:
            del broken[at:]
        elif what == "remove":
            del broken[at : at + 4]
        else:
            broken[at:at] = chance.draw(some.binary(min_size=1, max_size=5))
        if not broken:
            return
    assert agree(both_ways(bytes(broken)))
    for reader in (recordio.read, recordio.frames):
        try:
            list(reader(bytes(broken)))
        except recordio.Malformed as error:
            assert str(error)


@given(some.binary(max_size=200))
def test_any_bytes_as_a_record_are_malformed_or_a_record(payload):
    assert agree(both_ways(frame(payload) * 10))


@settings(max_examples=100)
@given(some.lists(some.integers(-(2**63), 2**63 - 1), max_size=20))
def test_varints_are_read_as_they_were_written(numbers):
    from algorithms.common.recordio import varints

    data, sizes = varints.encode(numpy.array(numbers, dtype=numpy.int64))
    found, ends = varints.decode(data)
    assert found.tolist() == numbers and numpy.array_equal(numpy.diff(ends, prepend=0), sizes)
    for number, end, size in zip(numbers, ends.tolist(), sizes.tolist(), strict=True):
        assert protobuf.varint(data.tobytes(), end - size, end) == (number & (1 << 64) - 1, end)
