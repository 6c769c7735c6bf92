"""Vectors of words against people's judgements of how alike words are: WordSim-353, where this machine has it.

The set is not ours to hand on; the library gensim comes with it.
"""

from __future__ import annotations

from importlib import util
from pathlib import Path
from typing import Any

import numpy as np

from algorithms.blazingtext.lookup import Lookup

NAME = "EN-WS-353-ALL.txt"
PLACE = "test/test_data/wordsim353.tsv"


def judgements() -> list[tuple[str, str, float]] | None:
    """Pairs of words and how alike they are (0 to 10); None where the set is not to be had."""
    found = util.find_spec("gensim")
    if found is None or not found.submodule_search_locations:
        return None
    file = Path(found.submodule_search_locations[0]) / PLACE
    if not file.is_file():
        return None
    rows = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [(first.lower(), second.lower(), float(score)) for first, second, score in rows if score[:1].isdigit()]


def evaluate(lookup: Lookup, known: frozenset[str], pairs: list[tuple[str, str, float]]) -> dict[str, Any]:
    """`eval.json`: Spearman's rho over the pairs whose words are both known, 0 when there are none to rank."""
    from scipy.stats import spearmanr

    found = [(first, second, score) for first, second, score in pairs if first in known and second in known]
    rho = 0.0
    if len(found) > 1:
        alike = [_cosine(lookup.vector(first), lookup.vector(second)) for first, second, _ in found]
        rho = float(np.nan_to_num(spearmanr(alike, [score for _, _, score in found]).statistic))
    told = {"not_found": len(pairs) - len(found), "spearmans_rho": rho, "total_pairs": len(pairs)}
    return {NAME: told, "mean_rho": rho}


def _cosine(one: Any, other: Any) -> float:
    return float(one @ other / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-12))
