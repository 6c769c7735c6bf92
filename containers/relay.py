"""Passes connections to a unix socket on to a port of this network namespace: `relay.py SOCKET PORT`.

Runs beside a server that has no network, in the same (empty) network, so that the host reaches it all the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from pathlib import Path

CHUNK = 1 << 16


async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Copy until the source ends, then say so to the target."""
    with contextlib.suppress(OSError):
        while chunk := await source.read(CHUNK):
            target.write(chunk)
            await target.drain()
    with contextlib.suppress(OSError, RuntimeError):
        if target.can_write_eof():
            target.write_eof()


async def serve(socket: str, port: int) -> None:
    """Answer until SIGTERM."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A server that does not listen yet is a connection that closes at once: the caller tries again.
        with contextlib.suppress(OSError):
            there, back = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(pump(reader, back), pump(there, writer))
            back.close()
        writer.close()

    Path(socket).unlink(missing_ok=True)
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    server = await asyncio.start_unix_server(accept, socket)
    await over.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
