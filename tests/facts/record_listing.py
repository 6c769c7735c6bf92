"""Records what the API reference says of every list call: the defaults of SortBy, SortOrder and MaxResults.

    python -m tests.facts.record_listing

reads the documentation in the installed botocore's model and writes listing.json. What was seen of the service and is
not in its documentation stays as it is there, under `seen`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from botocore.loaders import Loader

FILE = Path(__file__).parent / "listing.json"
WORDS = {"CREATION_TIME": "CreationTime", "CreatedTime": "CreationTime", "DESCENDING": "Descending"}
ORDERS = ("Ascending", "Descending")
DEFAULT = re.compile(r"default (?:value )?is (\w+)")
BY_DEFAULT = re.compile(r"Sorts by ([\w ]+?) by default|by (creation time)\.")
PAGE = re.compile(
    r"default(?: value)?(?: for MaxResults)?(?: is)? (\d+)|defaults to (\d+)|\((\d+) by default\)|returns up to (\d+)"
)


def plain(documentation: str | None) -> str:
    """A member's documentation without markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", documentation or "")).strip()


def sort_by(text: str) -> str:
    """The documented default of SortBy, or ""."""
    if found := BY_DEFAULT.search(text):
        word = next(group for group in found.groups() if group)
        return {"creation time": "CreationTime", "version": "Version"}[word]
    found = DEFAULT.search(text)
    word = WORDS.get(found.group(1), found.group(1)) if found else ""
    return "" if word in ORDERS else word


def order(text: str) -> str:
    """The documented default of SortOrder, or ""."""
    found = re.search(r"\b(Ascending|Descending|DESCENDING)\b(?= (?:order by|order according)|\)?\.|\)?$)", text)
    told = found and re.search(r"default|listed in", text, re.IGNORECASE)
    return WORDS.get(found.group(1), found.group(1)) if found and told else ""


def page(text: str) -> int | None:
    """The documented default of MaxResults, or None."""
    found = PAGE.search(text)
    return int(next(group for group in found.groups() if group)) if found else None


def documented(members: dict[str, Any]) -> dict[str, Any]:
    """What is said of one list call."""
    said = {name: plain(members[name].get("documentation")) for name in members}
    found = {
        "sort_by": sort_by(said.get("SortBy", "") + " " + said.get("SortOrder", "").replace("default is", "")),
        "order": order(said.get("SortOrder", "")),
        "page": page(said.get("MaxResults", "")),
    }
    return {name: value for name, value in found.items() if value}


def main() -> None:
    """Write the file anew."""
    model = Loader().load_service_model("sagemaker", "service-2")
    shapes = model["shapes"]
    known = json.loads(FILE.read_text()) if FILE.exists() else {"seen": {}}
    calls = {
        name: documented(shapes[operation["input"]["shape"]]["members"])
        for name, operation in sorted(model["operations"].items())
        if name.startswith("List") and "input" in operation
    }
    lines = ",\n".join(f"    {json.dumps(name)}: {json.dumps(facts)}" for name, facts in calls.items())
    seen = ",\n".join(f"    {json.dumps(name)}: {json.dumps(facts)}" for name, facts in known["seen"].items())
    FILE.write_text('{\n  "documented": {\n' + lines + '\n  },\n  "seen": {\n' + seen + "\n  }\n}\n")


if __name__ == "__main__":
    main()
