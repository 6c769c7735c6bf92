"""The examples run as the README says: a shell with the exports, and plain Python."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_an_example_runs(server, client, example):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    ran = subprocess.run(
        [sys.executable, str(example)], env={**environment, **server.env}, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    answer = re.search(r"f\(0\.5, 0\.5\) = \[*(-?[0-9.]+)", ran.stdout)
    assert answer and abs(float(answer.group(1)) - 0.5) < 0.1, ran.stdout
