"""The few system calls that Python lacks, by name, raising OSError. Linux only; elsewhere every call is refused."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_SYS_MOUNT_SETATTR = 442
_MOUNT_ATTR_RDONLY = 1
_MOUNT_ATTR_NOSUID = 2

_PR_SET_PDEATHSIG = 1
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: object) -> int:
    function = getattr(_libc, name, None)
    if function is None:
        raise OSError(errno.ENOSYS, f"{name} does not exist here")
    result = int(function(*arguments))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result


def _prctl(option: int, value: int) -> int:
    zero = ctypes.c_ulong(0)
    return _call("prctl", ctypes.c_int(option), ctypes.c_ulong(value), zero, zero, zero)


def unshare(flags: int) -> None:
    """Leave the namespaces named by `flags` for new ones (a pid namespace: for the children)."""
    _call("unshare", ctypes.c_int(flags))


def setns(handle: int, kind: int) -> None:
    """Enter the namespace that `handle` is open on."""
    _call("setns", ctypes.c_int(handle), ctypes.c_int(kind))


def mount(source: str, target: str, kind: str | None = None, flags: int = 0, data: str | None = None) -> None:
    """mount(2)."""
    try:
        _call(
            "mount",
            os.fsencode(source),
            os.fsencode(target),
            kind.encode() if kind else None,
            ctypes.c_ulong(flags),
            data.encode() if data else None,
        )
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror} ({source} on {target})") from None


def set_read_only(path: str, recursive: bool = True) -> None:
    """Make a mount, with `recursive` also all below it, read-only and without set-user-id (Linux 5.12)."""
    attributes = (ctypes.c_uint64 * 4)(_MOUNT_ATTR_RDONLY | _MOUNT_ATTR_NOSUID, 0, 0, 0)
    _call(
        "syscall",
        ctypes.c_long(_SYS_MOUNT_SETATTR),
        ctypes.c_int(_AT_FDCWD),
        os.fsencode(path),
        ctypes.c_uint(_AT_RECURSIVE if recursive else 0),
        ctypes.byref(attributes),
        ctypes.c_size_t(32),
    )


def punch_hole(handle: int, offset: int, length: int) -> None:
    """Give back a part of a file, which keeps its size and reads as zeros there."""
    keep_size_and_punch = 3
    _call(
        "fallocate",
        ctypes.c_int(handle),
        ctypes.c_int(keep_size_and_punch),
        ctypes.c_int64(offset),
        ctypes.c_int64(length),
    )


def pivot_root(new: str, old: str) -> None:
    """pivot_root(2)."""
    _call("pivot_root", os.fsencode(new), os.fsencode(old))


def detach(path: str) -> None:
    """Unmount lazily what is mounted at `path`, with all below it."""
    _call("umount2", os.fsencode(path), ctypes.c_int(MNT_DETACH))


def set_host_name(name: str) -> None:
    """sethostname(2)."""
    encoded = name.encode()
    _call("sethostname", encoded, ctypes.c_size_t(len(encoded)))


def drop_capabilities() -> None:
    """Give up every capability for good, also across an exec of a set-user-id program."""
    for capability in range(64):
        try:
            _prctl(_PR_CAPBSET_DROP, capability)
        except OSError:
            break
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    _call("capset", (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)())
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def adopt_orphans() -> None:
    """Become the parent of the orphans among one's descendants; without effect where that does not exist."""
    _try_prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(signal: int) -> None:
    """Receive `signal` when the parent dies; without effect where that does not exist."""
    _try_prctl(_PR_SET_PDEATHSIG, signal)


def _try_prctl(option: int, value: int) -> None:
    with contextlib.suppress(OSError):
        _prctl(option, value)
