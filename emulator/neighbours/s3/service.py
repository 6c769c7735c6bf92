"""One S3: the shelf, the checks that every call passes, and the way to the function that answers it."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from emulator.call import Answer, Call, Extent, Scope
from emulator.errors import CallerFault, NotBuilt
from emulator.neighbours.s3 import faults
from emulator.storage.shelf import Shelf

if TYPE_CHECKING:
    from emulator.store.objects import Bucket

Operation = Callable[["S3", Call], Answer]
_READS = ("Get", "Head", "List", "CreateBucket")
"""What changes no bucket that is there already."""
_FULL = (errno.ENOSPC, errno.EDQUOT)


class S3:
    """Answers the calls of service `s3`. Thread safe."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._seen: set[Scope] = set()
        self._functions: dict[str, Operation] = {}

    def answer(self, call: Call) -> Answer:
        """The answer by wire names; a `CallerFault` with S3's code; `NotBuilt` naming the operation."""
        self._welcome(call.scope)
        if not call.operation.startswith(_READS) and self.shelf.public.holds(self.shelf, call.params.get("Bucket", "")):
            raise faults.access_denied()
        if call.params.get("ExpectedBucketOwner") and "Bucket" in call.params and call.operation != "CreateBucket":
            self.bucket(call)
        try:
            return self._function(call.operation)(self, call)
        except OSError as full:
            if full.errno not in _FULL:
                raise
            message = f"The disk that holds the objects is full: {call.operation} was not done. Free some space."
            raise CallerFault(message, "InsufficientStorage") from full

    def forget(self, extent: Extent) -> int:
        """Delete all buckets of a part of the house, and welcome everybody there anew; how many there were."""
        count = self.shelf.drop(extent)
        self._seen = {scope for scope in self._seen if not extent.covers(scope)}
        return count

    def clear(self) -> None:
        """After the index was emptied: delete the bytes, and welcome everybody anew."""
        self.shelf.clear()
        self._seen.clear()

    def bucket(self, call: Call, name: str = "", owner: str = "ExpectedBucketOwner") -> Bucket:
        """The bucket of a call, which must exist, and belong to whom the caller expects."""
        name = name or call.params["Bucket"]
        found = self.shelf.bucket(name)
        if found is None:
            raise faults.no_such_bucket(name)
        if call.params.get(owner, found.account) != found.account:
            raise faults.access_denied()
        return found

    def _function(self, operation: str) -> Operation:
        known = self._functions.get(operation)
        if known is None:
            known = self._functions[operation] = _find(operation)
        return known

    def _welcome(self, scope: Scope) -> None:
        """The SageMaker SDK's default bucket exists before anybody asks (sdk-calls: NoSuchBucket on it is fatal)."""
        if scope in self._seen:
            return
        from emulator.store.objects import Bucket
        from emulator.store.records import DuplicateKey

        name = f"sagemaker-{scope.region}-{scope.account}"
        with contextlib.suppress(DuplicateKey):
            self.shelf.index.create_bucket(Bucket(name, scope.account, scope.region, self.shelf.clock.now()))
        self._seen.add(scope)


def _find(operation: str) -> Operation:
    from emulator.neighbours.s3 import OPERATIONS
    from emulator.neighbours.s3.documents import document_operation

    if operation in OPERATIONS:
        module, _, name = OPERATIONS[operation].partition(":")
        return cast(Operation, getattr(importlib.import_module(module), name))
    function = document_operation(operation)
    if function is None:
        raise NotBuilt(f"S3's {operation} is not built: nothing here would act on it. See docs/coverage.md.")
    return function


def owner(account: str) -> dict[str, str]:
    """The canonical user of an account, as lists and ACLs show it."""
    return {"DisplayName": account, "ID": hashlib.sha256(account.encode()).hexdigest()}


def quoted(etag: str) -> str:
    """An ETag as HTTP and S3's documents show it."""
    return f'"{etag}"'
