"""Channels of documents: how often each word of a vocabulary occurs, a document a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from algorithms.common.faults import UserError
from algorithms.first_party.data import Table

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


def documents(channel: str, table: Table) -> csr_matrix:
    """The documents (n, words) as float32; UserError when a count is negative."""
    from scipy import sparse

    rows = sparse.csr_matrix(table.features)
    if rows.nnz and rows.data.min() < 0:
        found = int(rows.indptr.searchsorted(rows.data.argmin(), side="right")) - 1
        raise UserError(
            f"Channel '{channel}' has a negative count of words in record {found}. "
            "Each feature of a document says how often a word occurs in it."
        )
    rows.eliminate_zeros()
    return rows
