"""Bodies of requests to and answers of a pipeline of transformers."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from algorithms.script_mode.arrays import CSV, JSON, NPY, READERS, WRITERS, UnsupportedFormatError

IMAGES = {f"image/{kind}": kind for kind in ("jpeg", "png", "tiff", "bmp", "gif", "webp")} | {"image/x-image": "png"}
SOUNDS = ("audio/x-flac", "audio/mpeg", "audio/wave", "audio/ogg", "audio/x-audio")
HEADERS = ("question", "context", "inputs")


def decode(body: Any, content_type: str | None) -> Any:
    """What a pipeline is called with."""
    if content_type == JSON:
        return json.loads(body)
    if content_type == CSV:
        return _from_csv(body)
    if content_type == NPY:
        return READERS[NPY](body)
    if content_type in IMAGES:
        from PIL import Image

        with Image.open(io.BytesIO(body)) as image:
            return {"inputs": image.convert("RGB")}
    if content_type in SOUNDS:
        return {"inputs": bytes(body)}
    raise UnsupportedFormatError(content_type)


def encode(prediction: Any, accept: str) -> bytes | str:
    """What a pipeline answered."""
    if accept == JSON:
        return json.dumps(prediction, ensure_ascii=False, allow_nan=False, default=_plain, separators=(",", ":"))
    if accept == CSV:
        return _to_csv(prediction)
    if accept == NPY:
        return WRITERS[NPY](prediction)
    if accept in IMAGES:
        return _image(prediction, IMAGES[accept])
    raise UnsupportedFormatError(accept)


def _from_csv(text: str) -> dict[str, Any]:
    first = text.splitlines()[0].lower() if text.strip() else ""
    if not any(header in first for header in HEADERS):
        raise ValueError(
            "You need to provide the correct CSV with Header columns to use it with the inference toolkit default "
            f"handler: one of {', '.join(HEADERS)}."
        )
    rows = list(csv.DictReader(io.StringIO(text)))
    if rows and "inputs" in rows[0]:
        return {"inputs": [row["inputs"] for row in rows]}
    return {"inputs": rows}


def _to_csv(prediction: Any) -> str:
    rows: list[Mapping[str, Any]] = prediction if isinstance(prediction, list) else [prediction]
    lines = io.StringIO()
    writer = csv.DictWriter(lines, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return lines.getvalue()


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, datetime):
        return str(value)
    if hasattr(value, "save") and hasattr(value, "convert"):
        return base64.b64encode(_image(value, "png")).decode("ascii")
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _image(image: Any, kind: str) -> bytes:
    written = io.BytesIO()
    image.save(written, format=kind.upper())
    return written.getvalue()
