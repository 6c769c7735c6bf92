"""The extras of pyproject.toml: each that a sentence of ours names is there, and each that is there is documented."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DECLARED = (ROOT / "pyproject.toml").read_text().partition("[project.optional-dependencies]")[2].partition("\n[")[0]
EXTRAS = dict(
    re.findall(r"^(\w+) = \[(.*?)\]", DECLARED.replace("sagelet[", "sagelet ").replace(']"', '"'), re.M | re.S)
)
OWN = {"dev", "docs"}
"""What only work on Sagelet needs."""
APART = {"all", "autogluon", "tensorflow"} | OWN
"""What `all` does not bring: itself, what has libraries of its own versions, and what is ours."""


def named() -> dict[str, str]:
    """Extra -> a file with a sentence that tells somebody to install it."""
    found = {}
    for folder in ("algorithms", "api", "containers", "docs", "emulator", "sagelet"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".json", ".md"):
                for extras in re.findall(r"sagelet\[([a-z, ]+)\]", path.read_text()):
                    found.update({extra.strip(): str(path.relative_to(ROOT)) for extra in extras.split(",")})
    return found


def test_every_extra_that_a_sentence_names_exists():
    missing = {extra: path for extra, path in named().items() if extra not in EXTRAS}
    assert {"onnx", "torch", "spark", "boosting"} <= set(named()) and not missing


def test_all_brings_what_can_be_installed_side_by_side():
    assert set(re.findall(r"\w+", EXTRAS["all"])) - {"sagelet"} == set(EXTRAS) - APART


def test_every_extra_is_in_the_table_of_sizes():
    table = re.findall(r"^\| `\[(\w+)\]` \|", (ROOT / "docs" / "install.md").read_text(), re.M)
    assert sorted(table) == sorted(set(EXTRAS) - OWN)
