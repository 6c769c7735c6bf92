"""Content types: the header taken apart, and the one word that the algorithms use for each format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

CSV, LIBSVM, PARQUET, RECORDIO = "csv", "libsvm", "parquet", "recordio-protobuf"
JSON, JSONLINES, NPY, NPZ = "json", "jsonlines", "npy", "npz"

FORMATS = {
    "csv": CSV,
    "libsvm": LIBSVM,
    "parquet": PARQUET,
    "recordio-protobuf": RECORDIO,
    "text/csv": CSV,
    "text/libsvm": LIBSVM,
    "text/x-libsvm": LIBSVM,
    "application/x-parquet": PARQUET,
    "application/x-recordio-protobuf": RECORDIO,
    "application/json": JSON,
    "application/jsonlines": JSONLINES,
    "application/jsonlines+json": JSONLINES,
    "application/x-jsonlines": JSONLINES,
    "application/x-npy": NPY,
    "application/x-npz": NPZ,
}


@dataclass(frozen=True)
class ContentType:
    """`text/csv; label_size=1` is the media type `text/csv` with a parameter."""

    media: str
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def format(self) -> str:
        """The format's word; empty for a media type that nobody here knows."""
        return FORMATS.get(self.media, "")


def parse(header: str) -> ContentType:
    """Take a Content-Type or Accept header apart; names are lower case."""
    media, *rest = header.split(";")
    parameters = {}
    for part in rest:
        name, equals, value = part.partition("=")
        if equals:
            parameters[name.strip().lower()] = value.strip().strip('"')
    return ContentType(media.strip().lower(), parameters)


def choose(accept: str, supported: Sequence[str], default: str) -> str:
    """The media type to answer with: the first that the caller accepts; `default` if any will do; empty for none."""
    if not accept.strip():
        return default
    for part in accept.split(","):
        media = parse(part).media
        if media in ("*/*", ""):
            return default
        if media in supported:
            return media
        if media.endswith("/*"):
            group = [one for one in (default, *supported) if one.startswith(media[:-1])]
            if group:
                return group[0]
    return ""
