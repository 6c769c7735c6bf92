"""Model and output archives: `model.tar.gz` and relatives, unpacked safely and packed reproducibly, as streams.

An archive is somebody else's data: nothing in it may land outside the target folder, and nothing may unpack to far
more than it weighs. What a refused archive has written so far is removed again.
"""

from __future__ import annotations

import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from emulator.storage.enclosure import CHUNK, ArchiveRefused, Content, Enclosure

__all__ = ["ArchiveRefused", "Limits", "extract", "pack"]


@dataclass(frozen=True)
class Limits:
    """How much an archive may unpack to: bytes in all, members, and bytes for each byte that it weighs.

    The ratio counts only above `ratio_from` bytes: a small archive of zeros harms nobody.
    """

    total: int = 64 * 1024**3
    members: int = 200_000
    ratio: int = 200
    ratio_from: int = 256 * 1024**2


DEFAULT_LIMITS = Limits()


def extract(archive: Path, target: Path, limits: Limits = DEFAULT_LIMITS) -> None:
    """Unpack a tar (plain, gz, bz2, xz) or zip into `target`, made when missing; a refusal leaves it as it was."""
    if not archive.is_file() or archive.stat().st_size == 0:
        raise ArchiveRefused(f"{archive.name} is empty")
    enclosure = Enclosure(target)
    try:
        unpack = _extract_zip if _is_zip(archive) else _extract_tar
        files = unpack(archive, enclosure, limits)
        enclosure.check_links()
        if not files:
            raise ArchiveRefused("it holds no files")
    except BaseException as reason:
        enclosure.undo()
        refusal = _refusal(archive.name, reason)
        if refusal is None:
            raise
        raise refusal from reason


def pack(folder: Path, target: Path) -> bool:
    """Write everything in `folder` to a tar.gz, names relative to it, links as links; False when there is nothing.

    Owner, group and times are fixed, so that the same content gives the same bytes.
    """
    entries = sorted(_walk(folder)) if folder.is_dir() else []
    if not entries:
        return False
    half = target.with_name(target.name + ".half")
    try:
        with (
            half.open("wb") as raw,
            _gzip(raw) as packed,
            tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT, bufsize=CHUNK) as tar,
        ):
            for name in entries:
                _add(tar, folder, name)
        half.replace(target)
    finally:
        half.unlink(missing_ok=True)
    return True


def _refusal(name: str, reason: BaseException) -> ArchiveRefused | None:
    """The refusal that an error means; None for what is no fault of the archive (the disk is full)."""
    if isinstance(reason, ArchiveRefused):
        return ArchiveRefused(f"{name} is refused: {reason.reason}")
    if isinstance(reason, OSError) and reason.errno is not None:
        return None
    broken = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)
    if isinstance(reason, broken) or type(reason).__name__ == "LZMAError":
        return ArchiveRefused(f"{name} is corrupt or not an archive: {reason}")
    return None


class _Metered:
    """A stream that refuses to give more bytes than the limits allow for an archive of that weight."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen = 0
        self._stream: Content | None = None

    def over(self, stream: Content) -> _Metered:
        self._stream = stream
        return self

    def read(self, size: int) -> bytes:
        assert self._stream is not None
        data = self._stream.read(size)
        self._seen += len(data)
        if self._seen > self._most:
            raise ArchiveRefused(f"it unpacks to more than {self._most} bytes, far more than it weighs")
        return data


def _most(archive: Path, limits: Limits) -> int:
    return min(limits.total, max(limits.ratio_from, limits.ratio * archive.stat().st_size))


def _count(seen: int, limits: Limits) -> None:
    if seen > limits.members:
        raise ArchiveRefused(f"it has more than {limits.members} members")


def _extract_tar(archive: Path, enclosure: Enclosure, limits: Limits) -> int:
    # Two meters: members that are skipped inflate as well, and a sparse member is larger than its stream.
    most, files = _most(archive, limits), 0
    inflated, written = _Metered(most), _Metered(most)
    with _decompressed(archive) as stream:
        inflated.over(stream)
        with tarfile.open(fileobj=cast(IO[bytes], inflated), mode="r|", bufsize=CHUNK) as tar:
            for seen, member in enumerate(tar, 1):
                _count(seen, limits)
                _place(tar, member, enclosure, written)
                files += not member.isdir()
        while inflated.read(CHUNK):  # the checksum is verified at the end of the compressed stream only
            pass
    return files


def _place(tar: tarfile.TarFile, member: tarfile.TarInfo, enclosure: Enclosure, written: _Metered) -> None:
    if member.isdir():
        enclosure.folder(member.name)
    elif member.isreg():
        content = tar.extractfile(member)
        assert content is not None
        enclosure.file(member.name, written.over(content), bool(member.mode & 0o111))
    elif member.issym():
        enclosure.link(member.name, member.linkname)
    elif member.islnk():
        enclosure.hard_link(member.name, member.linkname)
    else:
        raise ArchiveRefused(f"{member.name!r} is a device or a fifo")


def _extract_zip(archive: Path, enclosure: Enclosure, limits: Limits) -> int:
    written, files = _Metered(_most(archive, limits)), 0
    with zipfile.ZipFile(archive) as packed:
        for seen, member in enumerate(packed.infolist(), 1):
            _count(seen, limits)
            mode = member.external_attr >> 16
            if mode & 0o170000 not in (0, 0o100000, 0o040000):
                raise ArchiveRefused(f"{member.filename!r} is a link, a device or a fifo")
            if member.is_dir():
                enclosure.folder(member.filename)
                continue
            with packed.open(member) as content:
                enclosure.file(member.filename, written.over(content), bool(mode & 0o111))
            files += 1
    return files


def _is_zip(archive: Path) -> bool:
    with archive.open("rb") as start:
        return start.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


def _decompressed(archive: Path) -> IO[bytes]:
    with archive.open("rb") as start:
        magic = start.read(6)
    if magic[:2] == b"\x1f\x8b":
        import gzip

        return cast(IO[bytes], gzip.open(archive, "rb"))
    if magic[:3] == b"BZh":
        import bz2

        return cast(IO[bytes], bz2.open(archive, "rb"))
    if magic == b"\xfd7zXZ\x00":
        import lzma

        return cast(IO[bytes], lzma.open(archive, "rb"))
    return archive.open("rb")


def _gzip(raw: IO[bytes]) -> IO[bytes]:
    import gzip

    return cast(IO[bytes], gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0))


def _walk(folder: Path) -> Iterator[str]:
    for here, folders, files in os.walk(folder):
        for name in folders + files:
            yield os.path.relpath(Path(here, name), folder)


def _add(tar: tarfile.TarFile, folder: Path, name: str) -> None:
    info = tar.gettarinfo(folder / name, arcname=name)
    if info is None or not (info.isreg() or info.isdir() or info.issym() or info.islnk()):
        return  # a socket or a fifo that a program left behind
    info.uid = info.gid = 0
    info.uname = info.gname = "root"
    info.mtime = 0
    info.mode = 0o755 if info.isdir() or info.mode & 0o111 else 0o644
    if info.isreg():
        with (folder / name).open("rb") as content:
            tar.addfile(info, content)
    else:
        tar.addfile(info)
