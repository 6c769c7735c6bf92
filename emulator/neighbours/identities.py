"""Who a caller is: which access key stands for which role session or user. Kept in a file, needs nothing of moto."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import string
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from emulator import arns
from emulator.call import Scope
from emulator.clock import Clock
from emulator.neighbours.asked import Asked

DEFAULT_ROLE = "SageletExecutionRole"
"""The role that callers are whose keys nobody has handed out. Path `/`: the SDK falls back to an ARN without one."""

DEFAULT_SESSION = "sagelet"
EXPIRED_SECONDS = 30 * 86_400
"""How long after its time a key is still told that it is over; then nobody knows it any more."""

_KEY_LETTERS = string.ascii_uppercase + "234567"


@dataclass(frozen=True)
class Identity:
    """An access key and whom it stands for. `expires` is 0 for keys that do not. `token` is the digest of the session
    token that belongs to the key; empty for keys without one.
    """

    access_key: str
    account: str
    arn: str
    user_id: str
    expires: float = 0.0
    token: str = ""


@dataclass(frozen=True)
class Credentials:
    """What a caller is given to act as somebody."""

    access_key: str
    secret_key: str
    token: str
    expires: float


class Identities:
    """The keys that were handed out. Thread safe; what `remember` returned from survives the server."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, Identity] | None = None

    def find(self, access_key: str) -> Identity | None:
        """Whom a key stands for; None for a key that was not handed out here."""
        with self._lock:
            return self._load().get(access_key)

    def caller(self, asked: Asked) -> Identity:
        """Who asks: the owner of the key, else a session of the default role in the account of the request."""
        return self.find(asked.access_key) or session(asked.access_key, asked.scope, DEFAULT_ROLE, DEFAULT_SESSION)

    def remember(self, identity: Identity) -> None:
        """Keep an identity, before its key is handed out."""
        with self._lock:
            self._load()[identity.access_key] = identity
            self._write(asdict(identity))

    def forget(self, access_key: str) -> None:
        """A key was deleted."""
        with self._lock:
            if self._load().pop(access_key, None) is not None:
                self._write({"access_key": access_key, "gone": True})

    def hand_out(self, identity: Identity) -> Credentials:
        """Temporary credentials for an identity (its own key is replaced by a new one)."""
        key = "ASIA" + "".join(secrets.choice(_KEY_LETTERS) for _ in range(16))
        given = Credentials(key, secrets.token_urlsafe(30), secrets.token_urlsafe(96), identity.expires)
        self.remember(replace(identity, access_key=key, token=_digest(given.token)))
        return given

    def holds(self, access_key: str, token: str) -> bool:
        """Whether a session token is the one that was handed out with the key."""
        found = self.find(access_key)
        return found is not None and bool(found.token) and hmac.compare_digest(found.token, _digest(token))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._known = None
            self._path.unlink(missing_ok=True)

    def _load(self) -> dict[str, Identity]:
        if self._known is None:
            self._known = {}
            for row in self._rows():
                if row.get("gone") or 0 < float(str(row["expires"])) < self._clock.now() - EXPIRED_SECONDS:
                    self._known.pop(str(row["access_key"]), None)
                else:
                    self._known[str(row["access_key"])] = Identity(**row)  # type: ignore[arg-type]
        return self._known

    def _rows(self) -> Iterator[dict[str, object]]:
        if self._path.exists():
            with self._path.open("rb") as file:
                yield from (json.loads(raw) for raw in file if raw.endswith(b"\n") and len(raw) > 1)

    def _write(self, row: dict[str, object]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            size = os.fstat(file).st_size
            torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
            # A torn last line was never acknowledged; a newline makes it one that cannot be read, not a longer one.
            os.write(file, (b"\n" if torn else b"") + json.dumps(row).encode() + b"\n")
        finally:
            os.close(file)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def session(access_key: str, scope: Scope, role: str, name: str, expires: float = 0.0) -> Identity:
    """A session of a role. The role's id is derived from its name, so that it is the same in every process."""
    digest = hashlib.sha256(f"{scope.account}/{role}".encode()).hexdigest()[:17].upper()
    partition = arns.partition(scope.region)
    arn = f"arn:{partition}:sts::{scope.account}:assumed-role/{role}/{name}"
    return Identity(access_key, scope.account, arn, f"AROA{digest}:{name}", expires)


def home_of(scope: Scope) -> tuple[str, str]:
    """Where IAM keeps roles: one set an account in each partition."""
    return scope.account, arns.partition(scope.region)


def is_default_role(asked: Asked) -> bool:
    """Whether the request makes the default role."""
    if (asked.service, asked.operation) != ("iam", "CreateRole"):
        return False
    return bool(asked.params().get("RoleName") == DEFAULT_ROLE)
