"""The site of the documentation: links lead somewhere, nothing is fetched from elsewhere, quoted sentences are said."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import botocore
import pytest

ROOT = Path(__file__).resolve().parents[2]
SAID = ROOT / "docs" / "troubleshooting.md"
SPLIT_LITERALS = re.compile(r'"\s*\n\s*f?"')


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The built site. `--strict`: links and anchors that lead nowhere fail, and pages out of the navigation.

    (Not with `--quiet`, which hides the warnings from `--strict`, too.)
    """
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-W", "ignore", "-m", "mkdocs", "build", "--strict", "-d", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


def test_the_site_is_built_and_nothing_in_it_is_fetched_from_elsewhere(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 40
    fetched = re.compile(r"""(?:<(?:script|img|iframe)[^>]*\ssrc|<link[^>]*\shref)=["']?(https?://[^"'\s>]+)""")
    assert {found for page in pages for found in fetched.findall(page.read_text())} == set()
    assert (site / "search" / "search_index.json").stat().st_size > 100_000


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "examples/README.md"])
def test_links_of_a_document_outside_of_the_site_lead_somewhere(name):
    document = ROOT / name
    links = re.findall(r"\]\(([^)\s]+)\)", document.read_text())
    assert links
    missing = [link for link in links if "://" not in link and not (document.parent / link.partition("#")[0]).exists()]
    assert missing == []


def sentences(section: str) -> list[str]:
    """What the headings of a section quote, as the parts between what varies."""
    text = re.search(rf"^## {section}$(.*?)(?=^## |\Z)", SAID.read_text(), re.MULTILINE | re.DOTALL)
    assert text, section
    quoted = re.findall(r"^### `(.*)`$", text[1], re.MULTILINE)
    assert quoted
    return [part.strip() for sentence in quoted for part in sentence.split("…") if len(part.strip()) > 2]


def source(*folders: Path) -> str:
    """All Python of the folders, with literals that go on in the next line joined."""
    texts = (path.read_text() for folder in folders for path in sorted(folder.rglob("*.py")))
    return SPLIT_LITERALS.sub("", "\n".join(texts))


def test_what_is_quoted_of_sagelet_is_what_it_says():
    said = source(*(ROOT / room for room in ("api", "emulator", "algorithms", "sagelet")))
    ours = [
        f"{who} says" for who in ("The server", "A job's FailureReason", "An endpoint's FailureReason", "An invocation")
    ]
    assert [part for section in ours for part in sentences(section) if part not in said] == []


def test_what_is_quoted_of_boto3_is_what_it_says():
    folder = Path(botocore.__file__).parent
    said = (folder / "exceptions.py").read_text()
    assert [part for part in sentences("boto3 says") if part not in said] == []
