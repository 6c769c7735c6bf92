"""Tags of records: AddTags, DeleteTags, ListTags, and tags of the house's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.call import Call
from emulator.errors import Validation
from emulator.resources import tagging, tokens
from emulator.store.records import Record, Store, Transaction


class Tags:
    """The tags of all records."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, arn: str, tags: Mapping[str, str]) -> None:
        """Tags of ours on a record: none where the caller's own leave no room, or the record is gone."""
        with self._store.write() as transaction:
            if transaction.get_by_arn(arn) is not None:
                there = {key for key, _ in transaction.tags(arn)}
                if len(there | set(tags)) <= tagging.LIMIT:
                    transaction.set_tags(arn, dict(tags))

    def of(self, arn: str) -> dict[str, str]:
        """The tags of a record by key."""
        with self._store.read() as transaction:
            return dict(transaction.tags(arn))

    def check(self, arn: str, call: Call) -> None:
        """`Validation` for tags of an Update request that the record cannot have, before anything of it is done."""
        if new := tagging.given(call.params.get("Tags")):
            tagging.within({*self.of(arn), *new})

    def add(self, call: Call) -> dict[str, Any]:
        """AddTags: values of known keys are overwritten; answers all tags."""
        new = tagging.given(call.params["Tags"])
        with self._store.write() as transaction:
            record = _tagged(transaction, call)
            tagging.within({*(key for key, _ in transaction.tags(record.arn)), *new})
            transaction.set_tags(record.arn, new)
            return {"Tags": tagging.answer(transaction.tags(record.arn))}

    def delete(self, call: Call) -> dict[str, Any]:
        """DeleteTags: unknown keys are ignored."""
        with self._store.write() as transaction:
            record = _tagged(transaction, call)
            transaction.drop_tags(record.arn, tuple(call.params["TagKeys"]))
        return {}

    def list(self, call: Call) -> dict[str, Any]:
        """ListTags: there are never more than fit on one page."""
        if call.params.get("NextToken"):
            raise Validation(tokens.INVALID)
        with self._store.read() as transaction:
            record = _tagged(transaction, call)
            return {"Tags": tagging.answer(transaction.tags(record.arn))}


def _tagged(transaction: Transaction, call: Call) -> Record:
    """The record that a request names; one of another account or region is as good as absent."""
    arn = call.params["ResourceArn"]
    record = transaction.get_by_arn(arn)
    if record is None or record.scope != call.scope:
        raise Validation(f"Could not find the resource {arn}. Tags belong to resources that exist.")
    return record
