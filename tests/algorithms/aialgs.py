"""Records of `aialgs.data` by protobuf itself, and frames by hand: what the reader and the writer are held against."""

import struct

TENSORS = {"f4": "float32_tensor", "f8": "float64_tensor", "i4": "int32_tensor", "i8": "int32_tensor"}
"""By the type of an array, as `_resolve_type` of the SDK has it."""


def frame(payload, flag=0):
    return struct.pack("<II", 0xCED7230A, flag << 29 | len(payload)) + payload + bytes(-len(payload) % 4)


def uploaded(rows, labels=None):
    """What `write_numpy_to_dense_tensor` and `write_spmatrix_to_sparse_tensor` of the SDK 2.257 write."""
    record = record_class()
    out = []
    for number in range(rows.shape[0]):
        one = record()
        row = rows[number : number + 1]
        sparse = hasattr(row, "tocsr")
        tensor = getattr(one.features["values"], TENSORS[rows.dtype.str[1:]])
        tensor.values.extend((row.data if sparse else row[0]).tolist())
        if sparse:
            tensor.keys.extend(row.indices.tolist())
        if labels is not None:
            getattr(one.label["values"], TENSORS[labels.dtype.str[1:]]).values.extend([labels[number].item()])
        if sparse:
            tensor.shape.extend([rows.shape[1]])
        out.append(frame(one.SerializeToString()))
    return b"".join(out)


def record_class():
    """The Record message of aialgs.data, described to protobuf by hand."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="record.proto", package="aialgs.data", syntax="proto2")

    def field(message, name, number, kind, of="", label=kinds.LABEL_OPTIONAL, packed=False):
        one = message.field.add(name=name, number=number, type=kind, label=label)
        if of:
            one.type_name = of
        if packed:
            one.options.packed = True

    for name, kind in (
        ("Float32Tensor", kinds.TYPE_FLOAT),
        ("Float64Tensor", kinds.TYPE_DOUBLE),
        ("Int32Tensor", kinds.TYPE_INT32),
    ):
        tensor = file.message_type.add(name=name)
        field(tensor, "values", 1, kind, label=kinds.LABEL_REPEATED, packed=True)
        field(tensor, "keys", 2, kinds.TYPE_UINT64, label=kinds.LABEL_REPEATED, packed=True)
        field(tensor, "shape", 3, kinds.TYPE_UINT64, label=kinds.LABEL_REPEATED, packed=True)
    raw = file.message_type.add(name="Bytes")
    field(raw, "value", 1, kinds.TYPE_BYTES, label=kinds.LABEL_REPEATED)
    field(raw, "content_type", 2, kinds.TYPE_STRING)
    value = file.message_type.add(name="Value")
    value.oneof_decl.add(name="value")
    for name, number, of in (
        ("float32_tensor", 2, "Float32Tensor"),
        ("float64_tensor", 3, "Float64Tensor"),
        ("int32_tensor", 7, "Int32Tensor"),
        ("bytes", 9, "Bytes"),
    ):
        field(value, name, number, kinds.TYPE_MESSAGE, f".aialgs.data.{of}")
        value.field[-1].oneof_index = 0
    record = file.message_type.add(name="Record")
    for name, number in (("features", 1), ("label", 2)):
        entry = record.nested_type.add(name=f"{name.capitalize()}Entry")
        entry.options.map_entry = True
        field(entry, "key", 1, kinds.TYPE_STRING)
        field(entry, "value", 2, kinds.TYPE_MESSAGE, ".aialgs.data.Value")
        field(record, name, number, kinds.TYPE_MESSAGE, f".aialgs.data.Record.{entry.name}", label=kinds.LABEL_REPEATED)
    for name, number in (("uid", 3), ("metadata", 4), ("configuration", 5)):
        field(record, name, number, kinds.TYPE_STRING)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("aialgs.data.Record"))
