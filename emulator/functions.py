"""Images that a program of the user's answers for with functions of its own: a test that says what a job does.

Where that program listens is a port of this machine's loopback and nothing else. What is here is kept in memory alone:
a server that is started anew knows none.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from emulator import arns, ids
from emulator.errors import NotFound, Validation

LOOPBACK = "127.0.0.1"

VERBS: Mapping[str, str] = {"train": "train", "serve": "serve", "process": "run"}
"""What a function may be for, and the verb of a RunSpec that it is: training jobs; endpoints and transform jobs;
processing jobs."""

CONNECT_SECONDS = 5.0


@dataclass(frozen=True)
class FunctionImage:
    """Images, named by a pattern that knows `*` and `?`, which the process `pid` answers for at `port` to whoever says
    `token`. `account` is a pattern, too."""

    image: str
    port: int
    token: str = ""
    train: bool = False
    serve: bool = False
    process: bool = False
    account: str = "*"
    pid: int = 0
    id: str = ""

    def does(self, verb: str) -> bool:
        """Whether there is a function for that verb of a RunSpec."""
        return any(getattr(self, word) for word, means in VERBS.items() if means == verb)

    def concerns(self, image: str, arn: str) -> bool:
        """Whether the patterns fit an image, and the account of the ARN whose run it is."""
        return fnmatchcase(image, self.image) and fnmatchcase(arns.parse(arn).account, self.account)

    def shown(self) -> dict[str, Any]:
        """As JSON; the token is nobody's business."""
        return {name: value for name, value in asdict(self).items() if name != "token"}


def made(given: Mapping[str, Any]) -> FunctionImage:
    """What the members say that a caller gave; `Validation` names the first that cannot be."""
    for needed in ("image", "port", "token"):
        if not given.get(needed):
            raise Validation(f"A function image needs {needed}.")
    found = FunctionImage(**given)
    if not 0 < found.port < 65536:
        raise Validation(f"port is {found.port}; it must be from 1 to 65535.")
    if not any(getattr(found, word) for word in VERBS):
        raise Validation(f"A function image answers for something: give one of {', '.join(VERBS)}.")
    return found


@dataclass
class FunctionBook:
    """The function images of a house. Thread safe."""

    _kept: list[FunctionImage] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, given: FunctionImage) -> dict[str, Any]:
        """Keep one, which gets an id; as `all` shows it. `Validation` when nobody listens at its port."""
        try:
            socket.create_connection((LOOPBACK, given.port), CONNECT_SECONDS).close()
        except OSError as error:
            raise Validation(
                f"Nobody answers at port {given.port} of the loopback of this server's machine ({error}). Functions "
                "need a server that runs on the machine of the test, and not in a container."
            ) from error
        kept = replace(given, id=f"function-{ids.short_id(8)}")
        with self._lock:
            self._kept = [*self._kept, kept]
        return kept.shown()

    def all(self) -> list[dict[str, Any]]:
        """All of them as JSON."""
        return [kept.shown() for kept in self._kept]

    def find(self, image: str, verb: str, arn: str) -> FunctionImage | None:
        """Who answers for an image in a run of that ARN; of several, the latest."""
        found = [kept for kept in self._kept if kept.does(verb) and kept.concerns(image, arn)]
        return found[-1] if found else None

    def hint(self, image: str, arn: str) -> str:
        """A sentence for whom `find` found nobody, where there are functions for other work; else nothing."""
        others = [kept for kept in self._kept if kept.concerns(image, arn)]
        words = [word for word in VERBS if any(getattr(kept, word) for kept in others)]
        return f" The functions that answer for this image are for {' and '.join(words)} only." if words else ""

    def remove(self, name: str) -> dict[str, Any]:
        """Forget one by its id; as it was. `NotFound` when there is none."""
        with self._lock:
            found = [kept for kept in self._kept if kept.id == name]
            if not found:
                known = ", ".join(kept.id for kept in self._kept)
                raise NotFound(f"There is no function image {name!r}; there are: {known or 'none'}.")
            self._kept = [kept for kept in self._kept if kept not in found]
            return found[0].shown()

    def clear(self, forgotten: Callable[[FunctionImage], bool] = lambda given: True) -> None:
        """Forget all, or those that the function chooses."""
        with self._lock:
            self._kept = [kept for kept in self._kept if not forgotten(kept)]
