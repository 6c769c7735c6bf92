"""The view of the machine that a program gets: namespaces of its own, entered by the process itself without any exec.

The supervisor's parent calls `separate` (a user and a pid namespace), the program's process calls `enter`. What is
seen: a real /opt/ml and the other mounts, a private /tmp, a small /dev, an own /proc, and the rest of the machine
read-only, except /run (sockets of daemons) and the data directory, which are empty.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from emulator.executors.process import linux
from emulator.executors.process.command import bins_mount
from emulator.executors.process.request import SOCKET_FOLDER, Request

OLD = "/old"
_OWN = ("dev", "proc", "run", "tmp", "lost+found")
PRIVATE = ("/tmp/", "/run/", "/var/tmp/")
"""What lies here on the machine is not seen by programs, unless it is mounted."""
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_ACCELERATORS = ("nvidia", "dri", "kfd", "infiniband")
_KERNEL_SWITCHES = ("sys", "sysrq-trigger", "irq", "bus")


def separate(fence: Sequence[int] = ()) -> None:
    """New user and pid namespaces: the next child is process 1 in them. The user and group keep their ids.

    `fence` are the user and the network namespace that an isolated cluster shares, to be entered instead.
    """
    if not fence:
        _own_user(linux.CLONE_NEWPID)
        return
    user, network = fence
    linux.setns(user, linux.CLONE_NEWUSER)
    linux.setns(network, linux.CLONE_NEWNET)
    linux.unshare(linux.CLONE_NEWPID)


def send_fence(handle: int) -> None:
    """Make the user and the network namespace of an isolated cluster, and send them through the socket `handle`.

    They live as long as somebody has them open. What went wrong is sent as a text.
    """
    with socket.socket(fileno=handle) as receiver:
        try:
            _own_user(linux.CLONE_NEWNET)
            _raise_loopback()
            made = [os.open(f"/proc/self/ns/{kind}", os.O_RDONLY) for kind in ("user", "net")]
        except OSError as error:
            receiver.sendall(str(error).encode())
            return
        socket.send_fds(receiver, [b"."], made)


def _own_user(further: int) -> None:
    user, group = os.getuid(), os.getgid()
    linux.unshare(linux.CLONE_NEWUSER | further)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def enter(request: Request) -> None:
    """Leave the machine's view for the program's, and give up every capability. OSError where that is refused."""
    flags = linux.CLONE_NEWNS | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS
    alone = not request.network and not request.fenced
    linux.unshare(flags | linux.CLONE_NEWNET if alone else flags)
    linux.set_host_name(request.hostname)
    if alone:
        _raise_loopback()
    mounts, code, names = all_mounts(request), own_code(request), hosts(request)
    _change_root()
    _show_machine([inside for _, inside, _ in mounts])
    _show_devices()
    _show_proc()
    hidden = _hide(request.hidden)
    for mount in mounts:
        _show(*mount)
    for path in code:
        _show(path, path, read_only=True)
    if os.path.isfile("/etc/hosts"):
        _bind(names, "/etc/hosts", read_only=True)
    _finish(hidden)


def all_mounts(request: Request) -> list[tuple[str, str, bool]]:
    """The folders of the host that the program sees in its own places: RunSpec's, /tmp and the server's socket."""
    private = os.path.join(request.folder, "tmp")
    mounts = [(private, "/tmp", False), (private, "/var/tmp", False), *request.mounts]
    if request.socket:
        mounts.append((os.path.dirname(request.socket), SOCKET_FOLDER, False))
    return [*mounts, *bins_mount(request)]


def hosts(request: Request) -> str:
    """A file for /etc/hosts in which the run's host name is this machine, as the platform writes it.

    Of several hosts each has an address of its own, the run's own one first.
    """
    path = os.path.join(request.folder, "hosts")
    try:
        known = Path("/etc/hosts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        known = ""
    own = f"127.0.0.1 localhost {request.hostname}\n"
    if request.cluster:
        ordered = sorted(request.cluster, key=lambda host: host[0] != request.hostname)
        own = "".join(f"{address} {name}\n" for name, address in ordered) + "127.0.0.1 localhost\n"
    Path(path).write_text(own + known, encoding="utf-8")
    return path


def own_code(request: Request) -> list[str]:
    """The folders of the interpreter and of our code that a private /tmp, /run or data directory would hide."""
    hidden = (*PRIVATE, *([request.hidden + "/"] if request.hidden else []))
    wanted = {os.path.realpath(p) for p in (sys.prefix, sys.base_prefix, *sys.path, *request.path) if p}
    found = sorted(p for p in wanted if p.startswith(hidden) and os.path.isdir(p))
    return [p for p in found if not any(p.startswith(outer + "/") for outer in found)]


def _change_root() -> None:
    """An empty root, with the machine at /old. Nothing that is mounted from here on is seen outside."""
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("tmpfs", "/tmp", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=0755")
    os.mkdir("/tmp" + OLD)
    linux.pivot_root("/tmp", "/tmp" + OLD)
    os.chdir("/")
    for name in ("run", "tmp", "dev", "proc"):
        os.mkdir("/" + name)


def _show_machine(places: Iterable[str]) -> None:
    missing = [place for place in places if not os.path.isdir(OLD + place)]
    _show_children("", [p for p in missing if p.split("/")[1] not in _OWN])
    _show_resolver()


def _show_resolver() -> None:
    """/etc/resolv.conf often leads into /run, which is empty otherwise."""
    link = "/etc/resolv.conf"
    if not os.path.islink(OLD + link):
        return
    folder = os.path.dirname(os.path.normpath(os.path.join("/etc", os.readlink(OLD + link))))
    if folder.startswith("/run/") and os.path.isdir(OLD + folder):
        _show(folder, folder, read_only=True)


def _show_children(folder: str, missing: list[str]) -> None:
    """Bind what is in `folder`; the parent of a missing mount point becomes an own folder of the same content."""
    for name in os.listdir(OLD + folder + "/"):
        path = f"{folder}/{name}"
        if not folder and name in _OWN:
            continue
        if os.path.islink(OLD + path):
            os.symlink(os.readlink(OLD + path), path)
        elif os.path.isdir(OLD + path):
            os.mkdir(path)
            below = [place for place in missing if place.startswith(path + "/")]
            if below:
                _show_children(path, below)
            else:
                _bind(path, path, read_only=True)
        elif folder and os.path.isfile(OLD + path):
            open(path, "x").close()
            _bind(path, path, read_only=True)


def _bind(outside: str, inside: str, read_only: bool) -> None:
    linux.mount(OLD + outside, inside, None, linux.MS_BIND | linux.MS_REC)
    if read_only:
        linux.set_read_only(inside)


def _show(outside: str, inside: str, read_only: bool) -> None:
    os.makedirs(inside, exist_ok=True)
    _bind(outside, inside, read_only)


def _show_devices() -> None:
    for name in _DEVICES:
        _show_device(name)
    for name in os.listdir(OLD + "/dev"):
        if name.startswith(_ACCELERATORS):
            _show_device(name)
    for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(f"/proc/self/{target}", f"/dev/{name}")
    os.mkdir("/dev/shm")
    linux.mount("tmpfs", "/dev/shm", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=1777")


def _show_device(name: str) -> None:
    path = "/dev/" + name
    if os.path.isdir(OLD + path):
        os.mkdir(path)
    elif os.path.exists(OLD + path):
        open(path, "x").close()
    else:
        return
    linux.mount(OLD + path, path, None, linux.MS_BIND | linux.MS_REC)


def _show_proc() -> None:
    linux.mount("proc", "/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    # The files of /proc/sys ask for user 0, not for a capability: under a server run by root they must not be writable.
    for name in _KERNEL_SWITCHES:
        path = f"/proc/{name}"
        if os.path.exists(path):
            linux.mount(path, path, None, linux.MS_BIND | linux.MS_REC)
            linux.set_read_only(path)


def _hide(folder: str) -> list[str]:
    """Cover the data directory with nothing (below a private folder it is not there anyway)."""
    if folder.startswith(PRIVATE) or not os.path.isdir(folder):
        return []
    linux.mount("tmpfs", folder, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=0755,size=64k")
    return [folder]


def _finish(hidden: list[str]) -> None:
    linux.detach(OLD)
    os.rmdir(OLD)
    for path in ("/", *hidden):
        linux.set_read_only(path, recursive=False)
    linux.drop_capabilities()


def _raise_loopback() -> None:
    """A new network namespace has its loopback down."""
    flags_of_interface, up_and_running = 0x8914, 0x41
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, flags_of_interface, struct.pack("16sh14x", b"lo", up_and_running))
