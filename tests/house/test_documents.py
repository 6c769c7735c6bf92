"""Documents that are generated are up to date; settings are documented; the CLI takes what the table says."""

import re
import subprocess
import sys

import pytest

from emulator.settings import SETTINGS
from tests.house.generate import DOCS, DOCUMENTS, OPTIONS


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_generated_document_is_up_to_date(name):
    assert (DOCS / name).read_text() == DOCUMENTS[name](), "run `make docs`"


def test_the_command_line_takes_the_settings_that_the_table_calls_options():
    text = subprocess.run([sys.executable, "-m", "sagelet", "up", "--help"], capture_output=True, text=True, check=True)
    taken = {m.replace("-", "_") for m in re.findall(r"--([a-z][a-z0-9-]+)", text.stdout)} - {"help"}
    assert taken == OPTIONS
    assert {s.name for s in SETTINGS} >= OPTIONS


def test_the_readme_names_every_command():
    text = subprocess.run([sys.executable, "-m", "sagelet", "--help"], capture_output=True, text=True, check=True)
    commands = re.findall(r"^    (\w+) ", text.stdout, re.MULTILINE)
    readme = (DOCS.parent / "README.md").read_text()
    missing = [c for c in commands if f"sagelet {c}" not in readme and c != "version"]
    assert commands and not missing
