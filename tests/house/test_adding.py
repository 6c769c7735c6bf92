"""docs/adding.md is executed as it stands."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_worked_example_works():
    # In a process of its own, as a newcomer would try it: nothing that other tests have loaded or changed is there.
    command = [sys.executable, "-m", "doctest", "docs/adding.md"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT)})
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (ROOT / "docs" / "adding.md").read_text().count(">>>") > 20, "there is something to execute"
