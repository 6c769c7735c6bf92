"""Training on several hosts: each brings the records of its shards to the first of them, which trains on all.

The result is that of one host with all the data. A channel that every host holds whole (FullyReplicated) is not sent.
"""

from __future__ import annotations

import io
import socket
import struct
import time
from collections.abc import Sequence
from queue import Queue
from typing import TYPE_CHECKING, Any

from algorithms.common import contract
from algorithms.common.contract import ALGORITHM, CLIENT
from algorithms.common.faults import UserError
from algorithms.common.peers import PeerFailed, Peers, address_of
from algorithms.first_party.data import Table

if TYPE_CHECKING:
    from algorithms.first_party.run import Run

SECONDS = 600.0
"""How long a host may take to send what it has."""


def gather(run: Run) -> bool:
    """Whether this host is to train: it has the records of all hosts then."""
    names = run.layout.hosts
    if len(names) == 1:
        return True
    if not run.definition.several:
        raise UserError(
            f"{run.definition.title} trains on one host, and the job has {len(names)}: set InstanceCount to 1."
        )
    reasons: Queue[str] = Queue()
    peers = Peers(names, run.layout.current_host, lambda fault, why, said: reasons.put(f"{fault}: {why}"))
    try:
        _exchange(run, peers)
    except PeerFailed:
        contract.tell(run.layout, reasons.get())  # It comes a moment later than the news.
        raise SystemExit(1) from None
    except Exception as error:
        mistake = isinstance(error, UserError)
        peers.fail(CLIENT if mistake else ALGORITHM, str(error) if mistake else f"{type(error).__name__}: {error}")
        raise
    peers.leave()
    if not peers.is_first:
        run.log.info(f"The records of this host are with {names[0]}, which trains on those of all hosts.")
    return peers.is_first


def _exchange(run: Run, peers: Peers) -> None:
    sharded = [
        name
        for name, configuration in sorted(run.layout.channels.items())
        if configuration.get("S3DistributionType") == "ShardedByS3Key"
    ]
    mine = {name: run.own_table(name) for name in sharded}
    listening: list[socket.socket] = []

    def prepare(told: Sequence[Any]) -> Any:
        address = address_of(peers.current, time.monotonic())
        listening.append(socket.create_server((address, 0), backlog=len(peers.hosts)))
        return listening[0].getsockname()[:2]

    _, (address, port) = peers.call_roll({"channels": sharded}, prepare)
    if peers.is_first:
        with listening[0]:
            others = _receive(listening[0], peers, sharded)
        for name in sharded:
            parts = [mine[name], *(tables[name] for tables in others)]
            run.put(name, joined([part for part in parts if part is not None]))
        return
    with socket.create_connection((address, port), timeout=SECONDS) as line:
        content = _packed(peers.hosts.index(peers.current), mine)
        line.sendall(struct.pack("<Q", len(content)) + content)
        line.recv(1)  # Gone only when all has arrived.


def joined(parts: Sequence[Table]) -> Table | None:
    """The tables below each other; labels when all have them."""
    import numpy
    from scipy import sparse

    if not parts:
        return None
    if any(part.is_sparse for part in parts):
        width = max(part.width for part in parts)
        for part in parts:
            if part.is_sparse:
                part.features.resize((len(part), width))
        features: Any = sparse.vstack([part.features for part in parts], format="csr")
    else:
        widths = {part.width for part in parts}
        if len(widths) > 1:
            raise UserError(f"The hosts' data differ in their number of features: {sorted(widths)}.")
        features = numpy.concatenate([part.features for part in parts])
    labels = [part.labels for part in parts if part.labels is not None]
    return Table(features, numpy.concatenate(labels) if len(labels) == len(parts) else None)


def _receive(listening: socket.socket, peers: Peers, channels: Sequence[str]) -> list[dict[str, Table | None]]:
    found: dict[int, dict[str, Table | None]] = {}
    listening.settimeout(SECONDS)
    for _ in peers.hosts[1:]:
        line, _ = listening.accept()
        line.settimeout(SECONDS)
        with line, line.makefile("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            number, tables = _unpacked(stream.read(length), channels)
            found[number] = tables
            line.sendall(b".")
    return [found[number] for number in sorted(found)]


def _packed(number: int, tables: dict[str, Table | None]) -> bytes:
    import numpy

    arrays: dict[str, Any] = {"host": numpy.array(number)}
    for name, table in tables.items():
        if table is None:
            continue
        if table.labels is not None:
            arrays[f"{name}/labels"] = table.labels
        if table.is_sparse:
            rows = table.features
            arrays |= {f"{name}/data": rows.data, f"{name}/indices": rows.indices, f"{name}/indptr": rows.indptr}
            arrays[f"{name}/shape"] = numpy.array(rows.shape)
        else:
            arrays[f"{name}/rows"] = table.features
    stream = io.BytesIO()
    numpy.savez(stream, **arrays)
    return stream.getvalue()


def _unpacked(content: bytes, channels: Sequence[str]) -> tuple[int, dict[str, Table | None]]:
    import numpy
    from scipy.sparse import csr_matrix

    arrays = numpy.load(io.BytesIO(content), allow_pickle=False)
    tables: dict[str, Table | None] = {}
    for name in channels:
        labels = arrays.get(f"{name}/labels")
        if f"{name}/rows" in arrays:
            tables[name] = Table(arrays[f"{name}/rows"], labels)
        elif f"{name}/data" in arrays:
            parts = tuple(arrays[f"{name}/{part}"] for part in ("data", "indices", "indptr"))
            tables[name] = Table(csr_matrix(parts, shape=tuple(arrays[f"{name}/shape"])), labels)
        else:
            tables[name] = None
    return int(arrays["host"]), tables
