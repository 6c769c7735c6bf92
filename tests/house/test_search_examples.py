"""docs/search.md is executed as it stands."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_examples_of_search_work():
    command = [sys.executable, "-m", "doctest", "docs/search.md"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT)})
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (ROOT / "docs" / "search.md").read_text().count(">>>") > 15, "there is something to execute"
