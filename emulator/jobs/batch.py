"""The work of a transform job: objects cut into requests, a window of requests under way, one `.out` for each object.

Knows a model only as something that can be asked; nothing is held in memory but the requests of the window.
"""

from __future__ import annotations

import bz2
import gzip
import json
import mmap
import zlib
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from emulator.jobs.inputs.objects import Item
from emulator.jobs.processing import JSON, Processing
from emulator.jobs.splitting import SEPARATORS, SPLITTERS, TOO_MUCH, UNLIMITED, BadInput, Record, packed
from emulator.ports import Storage

UNPACK: dict[str, Callable[..., Any]] = {"Gzip": gzip.open, "Bzip2": bz2.open}
"""By CompressionType."""

CLIENT = "ClientError: See job logs for more information"
ALGORITHM = "AlgorithmError: See job logs for more information"


class BadAnswer(Exception):
    """The model did not answer a request well: the failure of the job, and lines for the data log."""

    def __init__(self, failure: str, *lines: str) -> None:
        super().__init__(failure)
        self.failure = failure
        self.lines = lines


@dataclass(frozen=True)
class Plan:
    """How objects become requests and answers become objects."""

    split: str
    single: bool
    limit: int
    """Bytes of a request; 0 for no limit."""
    assemble_lines: bool
    compression: str
    processing: Processing
    window: int

    @property
    def whole(self) -> bool:
        """Whether an object is one request: it is not split, or there is no limit and nothing to do to its records."""
        plain = self.processing.show.whole and not self.processing.answers_are_records
        return self.split == "None" or (not self.limit and not self.single and plain)


@dataclass
class Output:
    """One object on its way: its answers so far in the file `path`; `failure` once a record was bad."""

    item: Item
    path: Path
    failure: str = ""
    lines: tuple[str, ...] = ()
    sink: BinaryIO | None = field(default=None, repr=False)

    def write(self, data: bytes) -> None:
        """Add to the file."""
        if self.sink is None:
            self.sink = self.path.open("wb")
        self.sink.write(data)

    def spoil(self, failure: str, *lines: str) -> None:
        """The object has no output; the first reason counts."""
        if not self.failure:
            self.failure, self.lines = failure, lines

    def close(self) -> None:
        """Flush the file."""
        if self.sink is not None:
            self.sink.close()


@dataclass(frozen=True)
class Request:
    """A body for the model, or the file that holds it, and its records (only when the answer is taken apart)."""

    body: bytes | Path
    records: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class _Slot:
    """A place in the window: a request and its answer to come, or the end of an object."""

    output: Output
    request: Request | None = None
    answer: Future[bytes | None] | None = None


Ask = Callable[[bytes], Iterator[bytes]]
"""Send a body to the model; its answer as chunks. Raises `BadAnswer`."""


class Batch:
    """Transforms objects one after the other, with up to `plan.window` requests under way at a time."""

    def __init__(self, storage: Storage, plan: Plan, ask: Ask, folder: Path) -> None:
        self._storage = storage
        self._plan = plan
        self._ask = ask
        self._folder = folder
        self._count = 0

    def run(self, items: Iterable[Item], halted: Callable[[], bool]) -> Generator[Output, None, None]:
        """Every object that is done, in order: the caller stores or reports it. Ends early once `halted()`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        under_way: deque[_Slot] = deque()
        try:
            with ThreadPoolExecutor(self._plan.window, thread_name_prefix="transform") as pool:
                for slot in self._slots(items, pool, halted):
                    under_way.append(slot)
                    while len(under_way) > self._plan.window and not halted():
                        yield from self._settle(under_way.popleft())
                while under_way and not halted():
                    yield from self._settle(under_way.popleft())
        finally:
            for slot in under_way:
                slot.output.close()

    def _slots(self, items: Iterable[Item], pool: ThreadPoolExecutor, halted: Callable[[], bool]) -> Iterator[_Slot]:
        """A slot for each request, sent, and one for the end of each object."""
        for item in items:
            output = self._output(item)
            with closing(self._requests(output)) as requests:
                for request in requests:
                    if output.failure or halted():
                        break
                    yield _Slot(output, request, pool.submit(self._answer, output, request))
            if halted():
                output.close()
                return
            yield _Slot(output)

    def _output(self, item: Item) -> Output:
        self._count += 1
        return Output(item, self._folder / f"{self._count}.out")

    def _settle(self, slot: _Slot) -> Iterator[Output]:
        output, request = slot.output, slot.request
        if request is None or slot.answer is None:
            output.close()
            yield output
            return
        try:
            answer = slot.answer.result()
            if answer is not None and not output.failure:
                for part in self._parts(request, answer):
                    output.write(part)
        except BadAnswer as bad:
            output.spoil(bad.failure, *bad.lines)
        except BadInput as bad:
            output.spoil(CLIENT, str(bad))

    def _answer(self, output: Output, request: Request) -> bytes | None:
        """The answer to a request; None when it needs no work and went straight to the object's file."""
        if output.failure:
            return None
        if not isinstance(request.body, Path):
            return b"".join(self._ask(request.body))
        try:
            with (
                request.body.open("rb") as file,
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
                memoryview(mapped) as body,
            ):
                return self._pour(output, self._ask(cast(bytes, body)))
        finally:
            request.body.unlink(missing_ok=True)

    def _pour(self, output: Output, chunks: Iterator[bytes]) -> bytes | None:
        if self._plan.processing.answers_are_records:
            return b"".join(chunks)
        last = b""
        output.write(last)
        for chunk in chunks:
            output.write(chunk)
            last = chunk or last
        if self._plan.assemble_lines and not last.endswith(b"\n"):
            output.write(b"\n")
        return None

    # --- requests -----------------------------------------------------------------------------------------------

    def _requests(self, output: Output) -> Generator[Request, None, None]:
        try:
            if self._plan.whole:
                yield from self._whole(output)
            else:
                with self._opened(output.item) as stream:
                    yield from self._grouped(stream)
        except BadInput as bad:
            output.spoil(CLIENT, str(bad))
        except FileNotFoundError as gone:
            output.spoil(CLIENT, f"Data download failed: {gone}")
        except (EOFError, zlib.error) as bad:
            output.spoil(CLIENT, f"The object is not {self._plan.compression}, as CompressionType says: {bad}")
        except OSError as error:
            if error.errno is not None:  # the disk is full, or the like: no fault of the object
                raise
            output.spoil(CLIENT, f"The object is not {self._plan.compression}, as CompressionType says: {error}")

    def _grouped(self, stream: BinaryIO) -> Iterator[Request]:
        plan = self._plan
        limit = plan.limit or UNLIMITED
        separator = SEPARATORS[plan.split]
        records = (Record(line, plan.processing.shown(line)) for line in SPLITTERS[plan.split](stream, limit))
        for group in packed(records, separator, limit, plan.single):
            body = separator.join(record.shown for record in group)
            given = tuple(record.given for record in group) if plan.processing.answers_are_records else ()
            yield Request(body, given)

    def _whole(self, output: Output) -> Iterator[Request]:
        """The object as one body, in a file and not in memory: it may be larger than that."""
        path = output.path.with_suffix(".in")
        with self._opened(output.item) as stream, path.open("wb") as file:
            self._copy(stream, file)
        if not path.stat().st_size:
            path.unlink()
        elif self._plan.processing.show.whole and not self._plan.processing.join:
            yield Request(path, (b"",))
        else:
            given = path.read_bytes()
            path.unlink()
            yield Request(self._plan.processing.shown_document(given), (given,))

    def _copy(self, stream: BinaryIO, file: BinaryIO) -> None:
        size = 0
        while chunk := stream.read(1 << 20):
            size += len(chunk)
            if self._plan.limit and size > self._plan.limit:
                raise BadInput(TOO_MUCH)
            file.write(chunk)

    @contextmanager
    def _opened(self, item: Item) -> Iterator[BinaryIO]:
        unpack = UNPACK.get(self._plan.compression)
        with self._storage.open(item.bucket, item.key) as stream:
            if unpack is None:
                yield stream
            else:
                with unpack(stream) as plain:
                    yield plain

    # --- answers ------------------------------------------------------------------------------------------------

    def _parts(self, request: Request, answer: bytes) -> Iterator[bytes]:
        processing, end = self._plan.processing, b"\n" if self._plan.assemble_lines else b""
        if not processing.answers_are_records:
            yield answer
            if end and not answer.endswith(end):
                yield end
        elif self._plan.split == "None" and processing.output_format != JSON:
            for line in answer.splitlines():
                yield processing.finished(b"", line) + b"\n"
        else:
            answers = taken_apart(answer, processing.output_format, len(request.records))
            for given, one in zip(request.records, answers, strict=True):
                yield processing.finished(given, one) + end


def taken_apart(answer: bytes, form: str, wanted: int) -> list[bytes]:
    """The records of an answer: one JSON document, the elements of a JSON array, or lines.

    `BadInput` when there are more or less than `wanted`.
    """
    if form == JSON and wanted == 1:
        return [answer]
    found = [line for line in answer.splitlines() if line.strip()]
    if form == JSON and len(found) == 1 and found[0].lstrip().startswith(b"["):
        found = [json.dumps(each).encode() for each in json.loads(found[0])]
    if len(found) != wanted:
        raise BadInput(f"The model answered {len(found)} records to a request of {wanted}")
    return found
