"""What flows through the pipe of a channel: the bytes of one epoch, chunk by chunk, in memory that does not grow."""

from __future__ import annotations

import gzip
import json
import struct
import tempfile
import zlib
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.jobs.inputs.channel import Channel
from emulator.jobs.inputs.objects import CHUNK, UNKNOWN, items, lines
from emulator.jobs.inputs.roll import Roll
from emulator.jobs.recipes.recipe import JobBroken
from emulator.jobs.splitting import RECORDIO_MAGIC
from emulator.ports import Storage
from emulator.storage import uri

RECORD_LIMIT = (1 << 29) - 1
"""Bytes of a RecordIO record: its length has 29 bits."""

SPOOL = 4 << 20
"""Bytes of a record that are kept in memory until its length is known."""

REFERENCE = "-ref"
"""How the names of attributes end whose value is the location of an object."""


@dataclass(frozen=True)
class Turn:
    """This host among those that share the channel."""

    index: int = 0
    count: int = 1


class Stream:
    """The epochs of a channel on one host. Objects are listed once, when it is made."""

    def __init__(self, storage: Storage, channel: Channel, turn: Turn, folder: Path) -> None:
        """`folder` is where lists and records that are too large for memory are kept, in files without a name."""
        self._storage = storage
        self._channel = channel
        self._turn = turn if channel.sharded else Turn()
        self._folder = folder
        self.objects = self.bytes = 0
        """Objects (or lines), and the bytes of those whose size is known, that the first epoch has for this host if
        nothing is shuffled."""
        self._roll = Roll(self._entries(), folder)

    def __len__(self) -> int:
        """Entries of the whole channel, on all hosts."""
        return len(self._roll)

    def epoch(self, number: int) -> Generator[bytes, None, None]:
        """The bytes of an epoch. `JobBroken` for what cannot be read."""
        order = self._roll.order(self._channel.seed, number)[self._turn.index :: self._turn.count]
        attributes = self._channel.source.attributes
        for place, entry in zip(order, self._roll.read(order), strict=True):
            if self._channel.source.kind == "augmented":
                document = self._document(entry, place)
                for name in attributes:
                    yield from self._wrapped(self._attribute(document, name, place))
            else:
                bucket, key = json.loads(entry)
                yield from self._wrapped(self._content(bucket, key))

    def close(self) -> None:
        """Remove the list."""
        self._roll.close()

    def _entries(self) -> Iterator[bytes]:
        source = self._channel.source
        if source.kind == "augmented":
            for number, line in enumerate(lines(self._storage, source)):
                self._count(number, 0)
                yield line
            return
        for number, item in enumerate(items(self._storage, source)):
            self._count(number, 0 if item.size == UNKNOWN else item.size)
            yield json.dumps([item.bucket, item.key]).encode()

    def _count(self, number: int, size: int) -> None:
        if number % self._turn.count == self._turn.index:
            self.objects += 1
            self.bytes += size

    # --- entries ------------------------------------------------------------------------------------------------

    def _document(self, line: bytes, place: int) -> dict[str, Any]:
        try:
            document = json.loads(line)
        except ValueError as error:
            raise self._bad_line(place, f"is not JSON: {error}") from error
        if not isinstance(document, dict):
            raise self._bad_line(place, "is not a JSON object")
        return document

    def _attribute(self, document: dict[str, Any], name: str, place: int) -> Iterator[bytes]:
        """The object that an attribute refers to, or its value as text: a string as it is, everything else as JSON."""
        if name not in document:
            raise self._bad_line(place, f"has no attribute {name!r}, which AttributeNames lists")
        value = document[name]
        if name.endswith(REFERENCE):
            try:
                bucket, key = uri.parse(value)
            except (ValueError, TypeError, AttributeError) as error:
                raise self._bad_line(place, f"has no S3 location in {name!r}: {error}") from error
            yield from self._content(bucket, key)
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            yield text.encode("utf-8", "surrogatepass")

    def _bad_line(self, place: int, what: str) -> JobBroken:
        """Lines are counted from 1, without the blank ones."""
        where = self._channel.source.location
        return JobBroken(f'ClientError: Line {place + 1} of the augmented manifest "{where}" {what}.')

    def _content(self, bucket: str, key: str) -> Iterator[bytes]:
        where = f"{uri.build(bucket, key)} of channel {self._channel.name!r}"
        try:
            with self._storage.open(bucket, key) as stream:
                if self._channel.gzip:
                    with gzip.open(stream) as plain:
                        yield from iter(lambda: plain.read(CHUNK), b"")
                else:
                    yield from iter(lambda: stream.read(CHUNK), b"")
        except FileNotFoundError as error:
            raise JobBroken(f"ClientError: Data download failed: no such object {where}") from error
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise JobBroken(
                f"ClientError: Data download failed: {where} is not gzip, as its compression type says: {error}"
            ) from error

    def _wrapped(self, content: Iterator[bytes]) -> Iterator[bytes]:
        return record(content, self._folder) if self._channel.records else content


def record(content: Iterable[bytes], folder: Path) -> Iterator[bytes]:
    """Content as one RecordIO record. Its length comes first, so that what is large waits in a file."""
    with tempfile.SpooledTemporaryFile(max_size=SPOOL, dir=str(folder)) as spool:
        length = 0
        for chunk in content:
            spool.write(chunk)
            length += len(chunk)
            if length > RECORD_LIMIT:
                raise JobBroken(
                    f"ClientError: An object or attribute exceeds the {RECORD_LIMIT} bytes of a RecordIO record. "
                    "Use RecordWrapperType None, or smaller objects."
                )
        spool.seek(0)
        yield struct.pack("<II", RECORDIO_MAGIC, length)
        yield from iter(lambda: spool.read(CHUNK), b"")
        if length % 4:
            yield bytes(-length % 4)
