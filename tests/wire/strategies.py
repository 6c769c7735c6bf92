"""What hypothesis draws: values of any shape of a model, and documents that are broken in every way we know."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from hypothesis import strategies as st

from emulator import spec

OPERATIONS = [(service, name) for service in spec.SERVICES for name in sorted(spec.load(service).operation_names)]
REST = [(service, name) for service, name in OPERATIONS if spec.load(service).metadata["protocol"] == "rest-json"]
DEEPEST = 5
EXTRA = 4
"""Optional members of a structure that are drawn at most."""

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
HEADER_TEXT = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=","), min_size=1, max_size=12
)
PATH_TEXT = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
WORDS = st.sampled_from(["a", "model-1", "MaxResults", "arn:aws:sagemaker:us-east-1:123456789012:model/m", "s3://b/k"])
TIMES = st.datetimes(datetime(1900, 1, 1), datetime(9999, 12, 30), timezones=st.just(timezone.utc)).map(
    lambda moment: moment.replace(microsecond=0)
)
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "string": TEXT | WORDS,
    "integer": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(allow_nan=False, allow_infinity=False, width=32),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
    "blob": st.binary(max_size=20),
    "timestamp": TIMES,
}
DOCUMENT = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def values(draw: Any, shape: Any) -> Any:
    """A value that botocore's serializer takes for a shape, whatever its constraints say."""
    return _value(draw, shape, 0)


def _value(draw: Any, shape: Any, depth: int) -> Any:
    kind = shape.type_name
    if kind == "structure":
        return (
            draw(DOCUMENT.filter(lambda given: given is not None))
            if shape.is_document_type
            else _structure(draw, shape, depth)
        )
    if kind == "list":
        least = 1 if shape.serialization.get("location") == "querystring" else 0  # none at all cannot be sent
        count = draw(st.integers(least, 2)) if depth < DEEPEST else 0
        return [_value(draw, shape.member, depth + 1) for _ in range(count)]
    if kind == "map":
        keys = draw(st.lists(TEXT, max_size=2, unique=True)) if depth < DEEPEST else []
        return {key: _value(draw, shape.value, depth + 1) for key in keys}
    place = shape.serialization.get("location")
    if kind == "string" and place == "uri":
        return draw(PATH_TEXT)
    if kind == "string" and place in ("header", "headers"):
        return draw(HEADER_TEXT)
    return draw(SCALARS[kind])


def _structure(draw: Any, shape: Any, depth: int) -> dict[str, Any]:
    needed = [n for n, m in shape.members.items() if n in shape.required_members or _always(shape, n, m)]
    others = [name for name in shape.members if name not in needed]
    if shape.is_tagged_union:
        needed, others = [draw(st.sampled_from(others or needed))], []
    chosen = draw(st.lists(st.sampled_from(others), max_size=EXTRA, unique=True)) if others and depth < DEEPEST else []
    return {name: _value(draw, shape.members[name], depth + 1) for name in (*needed, *chosen)}


def _always(shape: Any, name: str, member: Any) -> bool:
    return member.serialization.get("location") == "uri" or name == shape.serialization.get("payload")


# --- what is broken ----------------------------------------------------------------------------------------------

JUNK = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        2**31,
        2**63,
        -(2**64),
        10**400,
        1e308,
        0.1,
        float("nan"),
        float("inf"),
        "",
        " ",
        "x" * 5000,
        "\ud800",
        "\udc00\ud800",
        "\x00\x1b\x7f",
        "NaN",
        "-Infinity",
        "yesterday",
        "0001-01-01T00:00:00-23:59",
        "9999-12-31T23:59:59+00:00",
        "99999-01-01T00:00:00Z",
        "Wed, 99 Foo 2024 99:99:99 GMT",
        1e18,
        -1e18,
        "=not=base64=",
        "é" * 300,
        [],
        {},
        [None],
        [[[[[]]]]],
        {"": None},
        {"a": {"b": [1, {"c": None}]}},
        {"__type": "x"},
        "arn:aws:sagemaker:::",
        "{arn}{0}%s${x}",
    ]
)


@st.composite
def documents(draw: Any, shape: Any) -> Any:
    """A JSON document for a shape, of which a part or two are replaced, left away or not in the model."""
    document = jsonable(draw(values(shape))) if shape is not None else {}
    for _ in range(draw(st.integers(0, 3))):
        document = _spoilt(draw, document)
    return document


def _spoilt(draw: Any, document: Any) -> Any:
    """A copy in which one place, found at random, is something else."""
    inner = (
        list(document)
        if isinstance(document, dict)
        else list(range(len(document)))
        if isinstance(document, list)
        else []
    )
    if not inner or draw(st.integers(0, 3)) == 0:
        return draw(JUNK)
    place = draw(st.sampled_from(inner))
    copy = dict(document) if isinstance(document, dict) else list(document)
    match draw(st.integers(0, 4)) if isinstance(copy, dict) else 0:
        case 1:
            del copy[place]
        case 2:
            copy[draw(st.sampled_from(["Unknown", "", "__class__", "NextToken", "Tags", "\ud800"]))] = draw(JUNK)
        case _:
            copy[place] = _spoilt(draw, copy[place])
    return copy


def jsonable(value: Any) -> Any:
    """A drawn value as JSON has it."""
    if isinstance(value, dict):
        return {key: jsonable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [jsonable(item) for item in value]
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        import base64

        return base64.b64encode(value).decode()
    return value


@st.composite
def bodies(draw: Any, shape: Any) -> bytes:
    """The bytes of a request: a spoilt document, or one that is not even a document."""
    text = json.dumps(draw(documents(shape)), ensure_ascii=draw(st.booleans()))
    body = text.encode("utf-8", "surrogatepass")
    match draw(st.integers(0, 11)):
        case 0:
            return body[: draw(st.integers(0, len(body)))]
        case 1:
            return draw(st.binary(max_size=60))
        case 2:
            return text.encode("utf-16", "surrogatepass")
        case 3:
            return b"\xef\xbb\xbf" + body
        case 4:
            return b'{"MaxResults": 1, "MaxResults": null, ' + body.lstrip()[1:]
        case 5:
            return (
                body[: len(body) // 2]
                + draw(st.sampled_from([b"\xff", b"\xc3", b"\x00", b"\xed\xa0\x80"]))
                + body[len(body) // 2 :]
            )
        case 6:
            depth = draw(st.sampled_from([50, 150, 2000, 60_000]))
            return draw(st.sampled_from([b'{"a":', b"["])) * depth
        case 7:
            return draw(
                st.sampled_from([b"", b" \n", b"null", b"[]", b"0", b'""', b"{}{}", b"{'a': 1}", b'{"a": 1,}', b"NaN"])
            )
        case _:
            return body
