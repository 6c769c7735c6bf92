"""`make docs`: writes the generated documents anew. Tests compare them with what is checked in."""

from pathlib import Path

from emulator.settings import SETTINGS
from tests.house import algorithm_pages, command_pages, sdk_page

DOCS = Path(__file__).resolve().parents[2] / "docs"


def settings() -> str:
    """docs/settings.md, from the table of settings."""
    lines = ["# Settings", "", "Generated from `emulator/settings.py` (`make docs`).", ""]
    lines += ["| option | variable | default | what it does |", "|---|---|---|---|"]
    for setting in SETTINGS:
        default = "~/.sagelet" if setting.name == "data_dir" else setting.default
        shown = f"`{default}`" if default not in ("", ()) and default is not False else ""
        choices = f" One of {', '.join(setting.choices)}." if setting.choices else ""
        option = f"`--{setting.name.replace('_', '-')}`" if setting.name in OPTIONS else ""
        lines.append(f"| {option} | `SAGELET_{setting.name.upper()}` | {shown} | {setting.help}{choices} |")
    return "\n".join(lines) + "\n"


OPTIONS = frozenset(
    {"host", "port", "data_dir", "executor", "pull", "ready_file", "s3_endpoint", "allow_host"}
    | {
        "check_roles",
        "account_id",
        "region",
        "max_jobs",
        "gpu",
        "quotas",
        "settle_seconds",
        "strict_versions",
        "train_from_scratch",
    }
)
"""Settings that `sagelet up` takes as options; the others are variables only."""

DOCUMENTS = {
    "settings.md": settings,
    "commands.md": command_pages.page,
    "algorithms.md": algorithm_pages.page,
    "sdk.md": sdk_page.page,
}


def main() -> None:
    """Write them all."""
    for name, make in DOCUMENTS.items():
        (DOCS / name).write_text(make())
        print(f"docs/{name}")


if __name__ == "__main__":
    main()
