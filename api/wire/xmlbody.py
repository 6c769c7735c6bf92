"""XML documents <-> values, by a shape of the model: names, flattened lists, attributes, namespaces.

Leaves to `restxml` which members are in the body at all.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING, Any, cast

from botocore.model import ListShape, MapShape, Shape, StructureShape

from emulator.errors import CallerFault

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_SPECIAL = re.compile('[&<>"\r\x00-\x08\x0b\x0c\x0e-\x1f]')
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


# --- reading -----------------------------------------------------------------------------------------------------


def read(document: bytes, shape: StructureShape, names: Iterable[str] | None = None) -> dict[str, Any]:
    """The value of a whole document, or only these members of it; `MalformedXML` when it is not of this shape."""
    from xml.etree import ElementTree

    if b"<!DOCTYPE" in document or b"<!ENTITY" in document:
        raise malformed()
    try:
        root = ElementTree.fromstring(document)
    except (ElementTree.ParseError, LookupError, ValueError) as broken:
        raise malformed() from broken
    return _structure(root, shape, shape.members if names is None else names)


def malformed() -> CallerFault:
    """The fault for a body that is no document of the operation's schema."""
    return CallerFault(
        "The XML you provided was not well-formed or did not validate against our published schema", "MalformedXML"
    )


def member_name(shape: Shape, name: str) -> str:
    """The element name of a member: its own, or that of its items when the list is flattened."""
    if isinstance(shape, ListShape) and shape.serialization.get("flattened"):
        inner = shape.member.serialization.get("name")
        if inner:
            return cast(str, inner)
    return cast(str, shape.serialization.get("name", name))


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _value(element: Element, shape: Shape) -> Any:
    if isinstance(shape, StructureShape):
        return _structure(element, shape, shape.members)
    if isinstance(shape, ListShape):
        return [_value(child, shape.member) for child in element]
    if isinstance(shape, MapShape):
        return {entry[0].text or "": _value(entry[1], shape.value) for entry in element if len(entry) == 2}
    return scalar(element.text or "", shape)


def _structure(element: Element, shape: StructureShape, names: Iterable[str]) -> dict[str, Any]:
    children: dict[str, list[Element]] = {}
    for child in element:
        children.setdefault(_local(child.tag), []).append(child)
    found: dict[str, Any] = {}
    for name in names:
        member = shape.members[name]
        key = member_name(member, name)
        if member.serialization.get("xmlAttribute"):
            attribute = element.get(f"{{{_XSI}}}" + key.rpartition(":")[2])
            if attribute is not None:
                found[name] = attribute
        elif key in children:
            found[name] = _member(children[key], member)
    if any(name in shape.required_members and name not in found for name in names):
        raise malformed()
    return found


def _member(elements: list[Element], shape: Shape) -> Any:
    if isinstance(shape, ListShape) and shape.serialization.get("flattened"):
        return [_value(element, shape.member) for element in elements]
    return _value(elements[0], shape)


def scalar(text: str, shape: Shape) -> Any:
    """A number, a boolean, a time, bytes or a string from its text; `MalformedXML` when it is none."""
    try:
        match shape.type_name:
            case "integer" | "long":
                return int(text)
            case "float" | "double":
                return float(text)
            case "boolean":
                return {"true": True, "1": True, "false": False, "0": False}[text.strip().lower()]
            case "timestamp":
                return read_time(text.strip())
            case "blob":
                return base64.b64decode(text)
            case _:
                return text
    except (ValueError, KeyError) as broken:
        raise malformed() from broken


def read_time(text: str) -> datetime:
    """A time in ISO 8601 or as HTTP writes it; aware, UTC where it names no zone. `ValueError` when it is neither."""
    try:
        if text[:1].isdigit():
            when = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text)
        else:
            when = parsedate_to_datetime(text)
    except (TypeError, IndexError) as broken:
        raise ValueError(text) from broken
    return when if when.tzinfo else when.replace(tzinfo=timezone.utc)


# --- writing -----------------------------------------------------------------------------------------------------


def write(root: str, shape: Shape, value: Any, namespace: str) -> bytes:
    """A whole document, with declaration and default namespace."""
    out: list[str] = ['<?xml version="1.0" encoding="UTF-8"?>\n<', root, f' xmlns="{namespace}">']
    _content(out, shape, value)
    out.append(f"</{root}>")
    return "".join(out).encode("utf-8", "surrogateescape")


def members(shape: StructureShape, value: Mapping[str, Any], names: Iterable[str]) -> str:
    """The elements of some members of a structure, without the structure's own."""
    out: list[str] = []
    for name in names:
        if value.get(name) is not None:
            _named(out, member_name(shape.members[name], name), shape.members[name], value[name])
    return "".join(out)


def escape(text: str) -> str:
    """Text as XML shows it. S3 writes control characters as references too, which XML 1.0 parsers refuse."""
    return _SPECIAL.sub(lambda found: _ESCAPES.get(found[0]) or f"&#x{ord(found[0]):x};", text)


def write_iso(when: Any) -> str:
    """A time (aware datetime, or seconds since the epoch) as S3 writes it, with milliseconds."""
    moment = when if isinstance(when, datetime) else datetime.fromtimestamp(when, timezone.utc)
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def write_http(when: Any) -> str:
    """A time (aware datetime, or seconds since the epoch) as HTTP writes it."""
    moment = when if isinstance(when, datetime) else datetime.fromtimestamp(int(when), timezone.utc)
    return format_datetime(moment.astimezone(timezone.utc), usegmt=True)


def _named(out: list[str], name: str, shape: Shape, value: Any) -> None:
    if isinstance(shape, ListShape) and shape.serialization.get("flattened"):
        for item in value:
            _element(out, name, shape.member, item)
    else:
        _element(out, name, shape, value)


def _element(out: list[str], name: str, shape: Shape, value: Any) -> None:
    out.append(f"<{name}{_attributes(shape, value)}>")
    _content(out, shape, value)
    out.append(f"</{name}>")


def _attributes(shape: Shape, value: Any) -> str:
    if not isinstance(shape, StructureShape):
        return ""
    namespace = shape.serialization.get("xmlNamespace") or {}
    text = f' xmlns:{namespace["prefix"]}="{namespace["uri"]}"' if "prefix" in namespace else ""
    for name, member in shape.members.items():
        if member.serialization.get("xmlAttribute") and value.get(name) is not None:
            text += f' {member.serialization["name"]}="{escape(str(value[name]))}"'
    return text


def _content(out: list[str], shape: Shape, value: Any) -> None:
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            if value.get(name) is not None and not member.serialization.get("xmlAttribute"):
                _named(out, member_name(member, name), member, value[name])
    elif isinstance(shape, ListShape):
        for item in value:
            _element(out, shape.member.serialization.get("name", "member"), shape.member, item)
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            out.append(f"<entry><key>{escape(key)}</key>")
            _element(out, "value", shape.value, item)
            out.append("</entry>")
    else:
        out.append(_text(shape, value))


def _text(shape: Shape, value: Any) -> str:
    match shape.type_name:
        case "timestamp":
            return write_http(value) if shape.serialization.get("timestampFormat") == "rfc822" else write_iso(value)
        case "boolean":
            return "true" if value else "false"
        case "blob":
            return base64.b64encode(value).decode()
        case _:
            return escape(str(value))
