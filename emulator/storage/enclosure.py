"""A folder that nothing written into it can leave: what unpacks somebody else's archive writes only through this."""

from __future__ import annotations

import os
import posixpath
import shutil
from pathlib import Path
from typing import Protocol

CHUNK = 1024 * 1024


class ArchiveRefused(Exception):
    """The archive cannot be unpacked; `reason` names the member and says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Content(Protocol):
    """A stream of bytes."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; none at the end."""
        ...


class Enclosure:
    """Writes files, folders and links below `target`, made when missing; `undo` removes what was not there before."""

    def __init__(self, target: Path) -> None:
        self._there = {entry.name for entry in target.iterdir()} if target.is_dir() else None
        target.mkdir(parents=True, exist_ok=True)
        self._target = target
        self._root = os.path.realpath(target)
        self._links: list[Path] = []
        self._folders: set[Path] = set()
        """Those that are known to be folders: nothing that is written later can take the place of one."""

    def folder(self, name: str) -> None:
        """Make a folder; what is in the way may not be a link, so that nothing is written through one."""
        self._make(self._place(name))

    def file(self, name: str, content: Content, executable: bool) -> None:
        """Write a file. A later member of the same name replaces the earlier one, as tar does."""
        place = self._place(name)
        self._clear(place)
        mode = 0o755 if executable else 0o644
        with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            while data := content.read(CHUNK):
                file.write(data)

    def link(self, name: str, goal: str) -> None:
        """Make a symbolic link whose goal is inside."""
        place = self._place(name)
        clean = posixpath.normpath(posixpath.join(posixpath.dirname(posixpath.normpath(name)), goal))
        if goal.startswith("/") or clean == ".." or clean.startswith("../"):
            raise ArchiveRefused(f"{name!r} is a link that leaves the folder ({goal!r})")
        self._clear(place)
        place.symlink_to(goal)
        self._links.append(place)

    def hard_link(self, name: str, goal: str) -> None:
        """Make another name for a file that is inside already."""
        place, source = self._place(name), self._place(goal)
        if not self._is_inside(source):
            raise ArchiveRefused(f"{name!r} is a link that leaves the folder ({goal!r})")
        if not source.is_file():
            raise ArchiveRefused(f"{name!r} is a link to {goal!r}, which is no file of the archive before it")
        if os.path.realpath(source) != os.path.realpath(place):
            self._clear(place)
            os.link(os.path.realpath(source), place)

    def check_links(self) -> None:
        """Follow every link at the end: two that are harmless alone (`a -> b/..`, `b -> .`) may leave together."""
        for link in self._links:
            if link.is_symlink() and not self._is_inside(link):
                raise ArchiveRefused(f"{link.name!r} is a link that leaves the folder ({str(link.readlink())!r})")

    def undo(self) -> None:
        """Remove everything that was not there before."""
        for entry in list(self._target.iterdir()):
            if self._there is not None and entry.name in self._there:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)
        if self._there is None:
            shutil.rmtree(self._target, ignore_errors=True)

    def _place(self, name: str) -> Path:
        if name.startswith(("/", "\\")) or (len(name) > 1 and name[1] == ":" and name[0].isalpha()):
            raise ArchiveRefused(f"{name!r} is an absolute name")
        clean = posixpath.normpath(name)
        if clean == ".." or clean.startswith("../") or "\0" in name:
            raise ArchiveRefused(f"{name!r} leaves the folder")
        return self._target / clean

    def _is_inside(self, place: Path) -> bool:
        try:
            real = os.path.realpath(place, strict=False)
        except OSError:
            return False
        return real == self._root or real.startswith(self._root + os.sep)

    def _make(self, folder: Path) -> None:
        if folder in self._folders:
            return
        walked = self._target
        for part in folder.relative_to(self._target).parts:
            walked = walked / part
            if walked.is_symlink() or (walked.exists() and not walked.is_dir()):
                name = str(walked.relative_to(self._target))
                raise ArchiveRefused(f"{name!r} is a link or a file, and a folder as well")
            walked.mkdir(exist_ok=True)
        self._folders.add(folder)

    def _clear(self, place: Path) -> None:
        if place == self._target:
            raise ArchiveRefused("a member has no name of its own")
        self._make(place.parent)
        if place.is_dir() and not place.is_symlink():
            raise ArchiveRefused(f"{str(place.relative_to(self._target))!r} is a file and a folder as well")
        place.unlink(missing_ok=True)
