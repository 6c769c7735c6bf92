"""`sagelet clean`: ends and removes what runs of a data directory left behind whose server is gone.

The name plate runs this file as a program: `python -I <rooms>/emulator/executors/clean.py DATA_DIR`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

ROOMS = str(Path(__file__).resolve().parents[2])

if TYPE_CHECKING:
    from docker import DockerClient

DEPTHS = ("*/process", "*/*/process")
"""Where the process executor keeps its files of a run: in the run's own folder."""


class InUse(Exception):
    """A server runs there; the text says what to do."""


def clean(data_dir: Path) -> list[str]:
    """Remove everything; a sentence for each kind of thing that was there. `InUse` when a server uses the folder."""
    data_dir = data_dir.resolve()
    with _locked(data_dir):
        return [*_containers(data_dir), *_processes(data_dir / "work"), *_folders(data_dir / "work")]


@contextlib.contextmanager
def _locked(data_dir: Path) -> Iterator[None]:
    lock: IO[str] | None = None
    if data_dir.is_dir():
        lock = (data_dir / "lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise InUse(
                f"A Sagelet is running in {data_dir}. Stop it first; `sagelet reset` empties one that runs."
            ) from None
    try:
        yield
    finally:
        if lock is not None:
            lock.close()


def _containers(data_dir: Path) -> list[str]:
    from emulator.executors.choose import engine_in_sight

    if not engine_in_sight(os.environ):
        return []
    from emulator.executors.docker_engine import Engine, EngineAway

    engine = Engine(lambda image: None)
    try:
        engine.client()
        mark = engine.place().mark(data_dir)
        return [*_remove_containers(engine.client(), mark), *_remove_networks(engine.client(), mark)]
    except EngineAway as away:
        return [f"Containers were not looked for: {away}"]
    finally:
        engine.forget()


def _remove_containers(client: DockerClient, mark: str) -> list[str]:
    from emulator.executors.docker_labels import DATA_LABEL, SOCKET_LABEL

    names = []
    for container in client.containers.list(all=True, ignore_removed=True, filters={"label": f"{DATA_LABEL}={mark}"}):
        container.remove(v=True, force=True)
        names.append(str(container.name))
        socket = container.labels.get(SOCKET_LABEL)
        if socket:  # it may lie outside the data directory, where paths are shorter
            shutil.rmtree(Path(socket).parent, ignore_errors=True)
    return _told("container", names)


def _remove_networks(client: DockerClient, mark: str) -> list[str]:
    from emulator.executors.docker_labels import DATA_LABEL

    names = []
    for network in client.networks.list(filters={"label": f"{DATA_LABEL}={mark}"}):
        network.reload()
        for member in network.attrs.get("Containers") or ():
            network.disconnect(member, force=True)
        network.remove()
        names.append(str(network.name))
    return _told("network", names)


def _processes(work: Path) -> list[str]:
    """Programs that still run under their supervisors, and sockets that had to lie elsewhere."""
    from emulator.executors.process.executor import ProcessExecutor
    from emulator.executors.process.request import Request
    from emulator.executors.process.state import read_process
    from emulator.ports import RunSpec
    from emulator.settings import Settings

    executor = ProcessExecutor(Settings(data_dir=work.parent), _Nothing())
    names = []
    for folder in sorted(found for depth in DEPTHS for found in work.glob(depth)):
        process = read_process(str(folder))
        if process is not None and process.alive():
            names.append(folder.parent.name)
        spec = RunSpec(str(folder), "", "", "train", folder.parent, folder.parent / "log")
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            scratch = Request.load(str(folder)).scratch
            if executor.adopt(spec):
                executor.release(spec.run_id)
            if scratch:
                shutil.rmtree(scratch, ignore_errors=True)
    executor.close()
    return _told("process", names, "processes")


def _folders(work: Path) -> list[str]:
    names = [folder.name for folder in sorted(work.iterdir())] if work.is_dir() else []
    for name in names:
        target = work / name
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink()
    return _told("folder of a run", names, "folders of runs")


def _told(what: str, names: list[str], several: str = "") -> list[str]:
    if not names:
        return []
    return [f"Removed {len(names)} {what if len(names) == 1 else several or what + 's'}: {', '.join(names)}."]


class _Nothing:
    """A catalogue without algorithms: nothing is started here."""

    def find(self, image: str, /) -> None:
        """No algorithm."""

    def names(self) -> tuple[str, ...]:
        """None."""
        return ()


def main(arguments: list[str]) -> int:
    """Clean one data directory and say what was removed."""
    sys.path[:] = [ROOMS, *(entry for entry in sys.path if entry not in ("", ROOMS))]
    try:
        removed = clean(Path(arguments[0]))
    except (InUse, OSError) as problem:
        print(f"sagelet: {problem}", file=sys.stderr)
        return 1
    print("\n".join(removed) or "Nothing was left.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
