"""Documents that are generated are up to date; settings are documented; the CLI takes what the table says."""

import re
import subprocess
import sys

import pytest

from emulator.settings import SETTINGS
from tests.house import command_pages
from tests.house.generate import DOCS, DOCUMENTS, OPTIONS


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_generated_document_is_up_to_date(name):
    assert (DOCS / name).read_text() == DOCUMENTS[name](), "run `make docs`"


def test_the_command_line_takes_the_settings_that_the_table_calls_options():
    text = subprocess.run([sys.executable, "-m", "sagelet", "up", "--help"], capture_output=True, text=True, check=True)
    taken = {m.replace("-", "_") for m in re.findall(r"--([a-z][a-z0-9-]+)", text.stdout)} - {"help"}
    assert taken == OPTIONS
    assert {s.name for s in SETTINGS} >= OPTIONS


DOCUMENTED = sorted(
    {*DOCS.glob("*.md"), *DOCS.glob("adr/*.md"), *DOCS.parent.glob("*.md")} - {DOCS / "commands.md", DOCS / "plan.md"}
)


@pytest.mark.parametrize("document", DOCUMENTED, ids=lambda path: path.name)
def test_commands_and_options_that_a_document_shows_are_there(document):
    shown = re.findall(
        r"(?:^|(?<!from)[ (/])sagelet (?!sagelet)([a-z]+)((?: [^`\n#&;]*)?)", code(document.read_text()), re.MULTILINE
    )
    known = command_pages.options()
    unknown = [name for name, _ in shown if name not in known]
    assert unknown == []
    options = {(name, one) for name, rest in shown for one in re.findall(r" (--[a-z][a-z-]*)", rest.split(" -- ")[0])}
    assert [(name, one) for name, one in sorted(options) if one not in known[name] | {"--help"}] == []


def code(text: str) -> str:
    """What a document shows as code, a piece a line."""
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    return "\n".join([*blocks, *inline])


def test_the_readme_names_every_command():
    text = subprocess.run([sys.executable, "-m", "sagelet", "--help"], capture_output=True, text=True, check=True)
    commands = re.findall(r"^    (\w+) ", text.stdout, re.MULTILINE)
    readme = (DOCS.parent / "README.md").read_text()
    missing = [c for c in commands if f"sagelet {c}" not in readme and c != "version"]
    assert commands and not missing
