"""Runs a notebook from top to bottom in this very interpreter, and prints what its cells have printed."""

import sys

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient


def main(path: str) -> None:
    """CellExecutionError names the cell that failed."""
    book = nbformat.read(path, as_version=4)
    kernel = AsyncKernelManager()
    kernel.kernel_spec.argv[0] = sys.executable
    NotebookClient(book, km=kernel, timeout=120).execute()
    for cell in book.cells:
        for output in cell.get("outputs", ()):
            print(output.get("text", ""), end="")


if __name__ == "__main__":
    main(sys.argv[1])
