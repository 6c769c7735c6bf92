"""What MkDocs does not do by itself: pages and files from outside of this folder, links to them, the list of decisions.

Documents here link to files of the repository as GitHub resolves them. In the site, documents and examples become pages
of it, and other files are copied as texts, so that no link leads out of it.
"""

from __future__ import annotations

import ast
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "containers/contract.md": "contract.md",
    "examples/README.md": "examples.md",
    "examples/pytest_project/README.md": "examples/pytest_project.md",
}
"""Documents of the repository and the pages that they become."""
ORIGINS = {page: origin for origin, page in PAGES.items()}
LINK = re.compile(r"\]\(([^)#\s]+)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Every decision is in the navigation, in its order."""
    decisions = next(section["Decisions"] for section in config.nav if "Decisions" in section)
    decisions[1:] = sorted(f"adr/{path.name}" for path in Path(config.docs_dir, "adr").glob("[0-9]*.md"))
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the documents from outside, and whatever the documents link to."""
    texts = {file.src_uri: Path(file.abs_src_path).read_text() for file in files.documentation_pages()}
    for origin, page in PAGES.items():
        texts[page] = (ROOT / origin).read_text()
        files.append(File.generated(config, page, content=texts[page]))
    linked = {path for page, text in texts.items() for path in _outside(page, text)}
    for path in sorted(linked - PAGES.keys()):
        files.append(File.generated(config, _place(path), content=_content(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links that lead outside into those of the site."""
    origin = _origin(page.file.src_uri)

    def turned(match: re.Match[str]) -> str:
        path = _resolved(origin, match[1])
        if not (ROOT / path).is_file():
            return match[0]
        here = posixpath.dirname(page.file.src_uri)
        return f"]({posixpath.relpath(_place(path), here or '.')}"

    return LINK.sub(turned, markdown)


def _outside(page: str, text: str) -> set[str]:
    """The files of the repository, outside of docs/, that a page links to."""
    found = {_resolved(_origin(page), link) for link in LINK.findall(text) if "://" not in link}
    return {path for path in found if not path.startswith("docs/") and (ROOT / path).is_file()}


def _origin(page: str) -> str:
    return ORIGINS.get(page, f"docs/{page}")


def _resolved(origin: str, link: str) -> str:
    """The path in the repository that a link of a document means."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(origin), link))


def _place(path: str) -> str:
    """Where a file of the repository is in the site."""
    if path in PAGES:
        return PAGES[path]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if path.endswith(".ipynb"):
        return path
    return path.removesuffix(".py") + ".md" if _is_example(path) else f"source/{path}.txt"


def _is_example(path: str) -> bool:
    return path.startswith("examples/") and path.endswith(".py")


def _content(path: str) -> str:
    text = (ROOT / path).read_text()
    if not _is_example(path):
        return text
    told = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
    return f"---\nsearch:\n  exclude: true\n---\n\n# {posixpath.basename(path)}\n\n{told}\n\n````python\n{text}````\n"
