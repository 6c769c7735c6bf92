"""One fixed moment a request: time and chance as moto sees them, so that doing a request again gives the same ids.

moto's modules have `datetime`, `time`, `os.urandom`, `uuid4` and `requests` under many names; `settle` exchanges
them, module by module, for ones that ask the moment first. Where no moment is set, they are the real thing.
"""

from __future__ import annotations

import datetime as real_datetime
import os
import random
import sys
import time
import types
import uuid
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from emulator.errors import NotBuilt
from emulator.neighbours.services import NETWORK


class Moment:
    """When it is, and where chance comes from. `kept` are values that no seed gives (private keys), in order."""

    def __init__(self, now: float, seed: int | None = None, kept: tuple[str, ...] | None = None) -> None:
        self.now = now
        self.random: random.Random = random.SystemRandom() if seed is None else random.Random(seed)
        self.kept = list(kept or ())
        self._again = list(kept) if kept is not None else None

    def keep(self, make: Callable[[], bytes]) -> bytes:
        """What `make` makes; when the request is done again, what it made the first time."""
        if self._again:
            return b64decode(self._again.pop(0))
        made = make()
        self.kept.append(b64encode(made).decode())
        return made


_moment: ContextVar[Moment | None] = ContextVar("moment", default=None)


@contextmanager
def during(moment: Moment) -> Iterator[None]:
    """Everything in this thread happens at `moment`."""
    token = _moment.set(moment)
    try:
        yield
    finally:
        _moment.reset(token)


def _now() -> float:
    moment = _moment.get()
    return time.time() if moment is None else moment.now


def _urandom(size: int) -> bytes:
    moment = _moment.get()
    return os.urandom(size) if moment is None else moment.random.getrandbits(size * 8).to_bytes(size, "big")


def _uuid4() -> uuid.UUID:
    moment = _moment.get()
    return uuid.uuid4() if moment is None else uuid.UUID(int=moment.random.getrandbits(128), version=4)


class _Kin(type):
    """Makes every real datetime an instance: moto asks `isinstance(x, datetime)` of what others have made."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.__mro__[1])

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.__mro__[1])


class _Datetime(real_datetime.datetime, metaclass=_Kin):
    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return real_datetime.datetime(*args, **kwargs)

    @classmethod
    def now(cls, tz: real_datetime.tzinfo | None = None) -> Any:
        return real_datetime.datetime.fromtimestamp(_now(), tz)

    @classmethod
    def utcnow(cls) -> Any:
        return real_datetime.datetime.fromtimestamp(_now(), real_datetime.timezone.utc).replace(tzinfo=None)

    @classmethod
    def today(cls) -> Any:
        return cls.now()


class _Date(real_datetime.date, metaclass=_Kin):
    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return real_datetime.date(*args, **kwargs)

    @classmethod
    def today(cls) -> Any:
        return real_datetime.date.fromtimestamp(_now())


def _no_network(*args: object, **kwargs: object) -> None:
    raise NotBuilt(f"A delivery over the network was asked for: {NETWORK}.")


def _standing_in(module: types.ModuleType, **members: Any) -> types.ModuleType:
    double = types.ModuleType(module.__name__, module.__doc__)
    double.__dict__.update({**vars(module), **members})
    return double


def _exchanges() -> dict[int, tuple[Any, Any]]:
    """The real thing and its double, by identity of the real thing. Modules that nobody has imported need no double."""
    table: list[tuple[Any, Any]] = [
        (real_datetime, _standing_in(real_datetime, datetime=_Datetime, date=_Date)),
        (real_datetime.datetime, _Datetime),
        (real_datetime.date, _Date),
        (time, _standing_in(time, time=_now)),
        (time.time, _now),
        (os, _standing_in(os, urandom=_urandom)),
        (os.urandom, _urandom),
        (uuid, _standing_in(uuid, uuid4=_uuid4)),
        (uuid.uuid4, _uuid4),
    ]
    table += _faster(sys.modules.get("moto.core.utils"))
    if requests := sys.modules.get("requests"):
        ways = ("get", "post", "put", "delete", "request", "Session", "session")
        table.append((requests, _standing_in(requests, **dict.fromkeys(ways, _no_network))))
    for name in ("rsa", "ec"):
        if module := sys.modules.get(f"cryptography.hazmat.primitives.asymmetric.{name}"):
            table.append((module, _standing_in(module, generate_private_key=_kept_key(module))))
    return {id(real): (real, double) for real, double in table}


def _faster(utils: Any) -> list[tuple[Any, Any]]:
    """moto asks the time several times for each message of a queue at every request; its own way there is long."""
    if utils is None or utils.unix_time.__module__ == __name__:
        return []
    unix_time, unix_time_millis = utils.unix_time, utils.unix_time_millis

    def seconds(dt: real_datetime.datetime | None = None) -> float:
        return _now() if dt is None else float(unix_time(dt))

    def milliseconds(dt: real_datetime.datetime | None = None) -> float:
        return _now() * 1000 if dt is None else float(unix_time_millis(dt))

    return [(unix_time, seconds), (unix_time_millis, milliseconds), (utils.utcnow, _Datetime.utcnow)]


def _kept_key(module: types.ModuleType) -> Callable[..., Any]:
    """A private key comes from OpenSSL's own chance, which takes no seed: it is kept whole."""

    def generate_private_key(*args: Any, **kwargs: Any) -> Any:
        from cryptography.hazmat.primitives import serialization as form

        moment = _moment.get()
        if moment is None:
            return module.generate_private_key(*args, **kwargs)
        kind = (form.Encoding.DER, form.PrivateFormat.PKCS8, form.NoEncryption())
        raw = moment.keep(lambda: module.generate_private_key(*args, **kwargs).private_bytes(*kind))
        return form.load_der_private_key(raw, password=None)

    return generate_private_key


_settled: set[str] = set()
_seen = 0


def settle() -> None:
    """Exchange the names in all modules of moto that were imported since the last time."""
    global _seen
    if len(sys.modules) == _seen:
        return
    _seen = len(sys.modules)
    fresh = [name for name in list(sys.modules) if name.startswith("moto.") and name not in _settled]
    if not fresh:
        return
    exchanges = _exchanges()
    for name in fresh:
        _settled.add(name)
        members = vars(sys.modules[name])
        for member, value in list(members.items()):
            if id(value) in exchanges:
                members[member] = exchanges[id(value)][1]
    _forbid_docker()


def _forbid_docker() -> None:
    module = sys.modules.get("moto.utilities.docker_utilities")
    if module is not None:
        module.DockerModel.docker_client = property(_no_docker)


def _no_docker(model: object) -> None:
    raise NotBuilt("A container was asked for: no code of functions runs here.")
