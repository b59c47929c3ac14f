"""How root runs PostgreSQL, which refuses to be root: as another user, without opening any folder to others.

That user often cannot pass the folders above the project (a home is closed). Where it cannot, the server gets
one capability, CAP_DAC_OVERRIDE, which ignores file modes; where it can, it gets none. With it the server can
write any file: good for a trial run, not for a depot. This module must never change the mode of any folder.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import struct
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from stockpile.errors import DatabaseUnavailable
from stockpile.sentences import sentence

NOBODY = 65534
NEEDED = {
    "CAP_CHOWN": 0,
    "CAP_DAC_OVERRIDE": 1,
    "CAP_KILL": 5,
    "CAP_SETGID": 6,
    "CAP_SETUID": 7,
    "CAP_SETPCAP": 8,
}

_PR_SET_PDEATHSIG, _PR_SET_SECUREBITS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 28, 47, 2
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_CAPABILITY_VERSION_3 = 0x20080522
_CLONE_NEWUSER = 0x10000000
_OVERRIDE = 1 << NEEDED["CAP_DAC_OVERRIDE"]

Preparation = Callable[[], None]


@dataclass(frozen=True, slots=True)
class SystemUser:
    """The user and group of the operating system that a server runs as."""

    uid: int
    gid: int


def server_user(data: Path) -> SystemUser | None:
    """Who runs the server: None for whoever asks, or, asked by root, the owner of the data, nobody at first.

    Raises DatabaseUnavailable where this root is not allowed what it needs.
    """
    if os.geteuid() != 0:
        return None
    missing = missing_capabilities()
    if missing:
        raise DatabaseUnavailable(
            sentence(
                "PostgreSQL refuses to run as root, and this root may not start it as another user "
                "(missing: {missing}). Start as an ordinary user, or start a system PostgreSQL and set "
                "STOCKPILE_DATABASE_URL to it.",
                missing=", ".join(missing),
            )
        )
    owner = data.stat() if data.exists() else None
    if owner is None or owner.st_uid == 0:
        return SystemUser(NOBODY, NOBODY)
    return SystemUser(owner.st_uid, owner.st_gid)


def missing_capabilities() -> list[str]:
    """Names of the capabilities that root needs here and does not have; a container may withhold them."""
    if sys.platform != "linux":
        return list(NEEDED)
    status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
    held = int(next(line for line in status.splitlines() if line.startswith("CapEff:")).split()[1], 16)
    return [name for name, bit in NEEDED.items() if not held >> bit & 1]


def give(path: Path, user: SystemUser | None) -> None:
    """Makes a file or folder of the project the server's; does nothing where the server runs as ourselves."""
    if user is not None:
        os.chown(path, user.uid, user.gid)


def give_tree(folder: Path, user: SystemUser | None) -> None:
    """The same for a folder and all in it, e.g. data that root copied back; links are not followed."""
    if user is None or folder.stat().st_uid == user.uid:
        return
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(os.path.join(place, name), user.uid, user.gid, follow_symlinks=False)
    give(folder, user)


def preparation(
    user: SystemUser | None,
    reached: Iterable[Path],
    *,
    needs_name: bool = False,
    ends_with_parent: bool = False,
) -> Preparation | None:
    """What a child does between fork and exec to run as the user and reach the paths; None means nothing.

    With `needs_name` a user without a name on this system (a container's) gets one, as initdb insists on it.
    With `ends_with_parent` the kernel stops the child (SIGQUIT) when the thread that started it is gone.
    """
    nameless = needs_name and user is None and not has_name()
    if sys.platform != "linux" or not (user or nameless or ends_with_parent):
        return None
    override = user is not None and any(_closed(path, user) for path in reached)
    linux = ctypes.CDLL(None, use_errno=True)  # before the fork: afterwards the child should load nothing
    someone = next((each.pw_uid for each in pwd.getpwall() if each.pw_uid != 0), NOBODY)

    def prepare() -> None:
        if override:
            _check(linux.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0))
        if user is not None:
            os.setgroups([])
            os.setgid(user.gid)
            os.setuid(user.uid)
        if override:
            _keep_override(linux)
        if nameless:
            _borrow_name(linux, someone)
        if ends_with_parent:
            _check(linux.prctl(_PR_SET_PDEATHSIG, int(signal.SIGQUIT), 0, 0, 0))

    return prepare


def _keep_override(linux: ctypes.CDLL) -> None:
    """Drops every capability but one, and lets that one survive the exec.

    It needs the secure bit no_setuid_fixup: without it, access() judges by the real user alone.
    """
    effective_permitted_inheritable = struct.pack("6I", _OVERRIDE, _OVERRIDE, _OVERRIDE, 0, 0, 0)
    _check(linux.capset(struct.pack("Ii", _CAPABILITY_VERSION_3, 0), effective_permitted_inheritable))
    _check(linux.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, NEEDED["CAP_DAC_OVERRIDE"], 0, 0))


def has_name() -> bool:
    """Whether the system knows a name for the user we are."""
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return True


def _borrow_name(linux: ctypes.CDLL, someone: int) -> None:
    """Goes by somebody's name in a user namespace of its own; the files it makes are the real user's."""
    uid, gid = os.geteuid(), os.getegid()
    _check(linux.unshare(_CLONE_NEWUSER))
    maps = {"setgroups": b"deny", "uid_map": b"%d %d 1" % (someone, uid), "gid_map": b"%d %d 1" % (gid, gid)}
    for name, line in maps.items():
        file = os.open(f"/proc/self/{name}", os.O_WRONLY)
        os.write(file, line)
        os.close(file)


def _check(failed: int) -> None:
    if failed:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _closed(path: Path, user: SystemUser) -> bool:
    """Whether modes keep the user from passing the path or a folder above it."""
    path = path.resolve()
    for each in (path, *path.parents):
        state = each.stat()
        if not (state.st_mode & 0o001 or (state.st_uid == user.uid and state.st_mode & 0o100)):
            return True
    return False
