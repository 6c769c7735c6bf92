"""The house's sizes: a function stops at 50 lines, a file at 400, parameters at 5; names mean something."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("api", "emulator", "sagelet", "algorithms", "containers", "benchmarks")
FILES = sorted(p for room in ROOMS for p in (ROOT / room).rglob("*.py"))
TABLES = ("emulator/kinds/",)
"""Data: exempt from the length of a file."""

NAMED_BY_OTHERS = "algorithms/script_mode/stand_ins/"
"""Modules of AWS's images, by the names that users' scripts import."""

FORBIDDEN = ("utils", "helpers", "manager", "base_", "_impl")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_file_stops_at_400_lines_and_says_what_it_is_for(path):
    text = path.read_text()
    if not name(path).startswith(TABLES):
        assert len(text.splitlines()) <= 400
    assert ast.get_docstring(ast.parse(text)), "a module begins with what it is for"
    assert name(path).startswith(NAMED_BY_OTHERS) or not any(word in path.stem for word in FORBIDDEN)


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_function_stops_at_50_lines_and_5_parameters(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < 50, f"{node.name} in line {node.lineno}"
            given = [a.arg for a in node.args.posonlyargs + node.args.args + node.args.kwonlyargs]
            counted = [a for a in given if a not in ("self", "cls")]
            assert len(counted) <= 5, f"{node.name}({', '.join(counted)}) in line {node.lineno}"


@pytest.mark.parametrize(
    "room", [p for p in sorted((ROOT / "emulator").iterdir()) if p.is_dir() and p.name[0] != "_"], ids=lambda p: p.name
)
def test_every_room_has_its_sentence(room):
    assert ast.get_docstring(ast.parse((room / "__init__.py").read_text()))
