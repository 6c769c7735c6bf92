"""What shows that an operation does what docs/coverage.md says: a journey that is marked with it, or a life.

`@pytest.mark.proves("CreateTrainingJob", "sagemaker-runtime.InvokeEndpoint")` stands on a journey that issues the
operations and asserts on what came of them. That it issues them is watched while it runs (tests/journeys/conftest.py);
that it asserts, `marks` sees in its source. `lived` is what the life of every kind has gone through
(tests/journeys/test_life_cycle_journey.py).
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

JOURNEYS = Path(__file__).resolve().parents[1] / "journeys"
LIVES = "test_life_cycle_journey.py"


def link(file: str) -> str:
    """A link from docs/ to a file of journeys."""
    return f"[{file}](../tests/journeys/{file})"


@cache
def marks() -> dict[str, str]:
    """Operations (with the service in front, unless that is `sagemaker`) and the file with the journey of each."""
    found: dict[str, str] = {}
    for path in sorted(JOURNEYS.glob("test_*.py")):
        for operation in shown_in(path.read_text()):
            found.setdefault(operation, path.name)
    return found


def shown_in(source: str) -> Iterator[str]:
    """The operations that journeys in a module are marked with, of those that assert anything."""
    for function, operations in marked(ast.parse(source)):
        if any(map(_asserts, ast.walk(function))):
            yield from operations


def _asserts(node: ast.AST) -> bool:
    """Whether a piece of a test can fail it: `assert`, `numpy.testing.assert_allclose(...)`, `pytest.raises(...)`."""
    called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
    return isinstance(node, ast.Assert) or ".assert_" in called or called == "pytest.raises"


def marked(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef, list[str]]]:
    """The functions of a module that are marked, each with the operations that it is marked with."""
    for node in tree.body:
        for mark in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.proves":
                yield node, [str(ast.literal_eval(argument)) for argument in mark.args]


@cache
def lived() -> frozenset[str]:
    """Operations of the control plane that the lives of records go through."""
    return frozenset(json.loads((JOURNEYS / "life_cycle.json").read_text()))
