"""What a worker is called, and whether one that holds a lease still lives."""

import os
import socket
from pathlib import Path

STARTED = 19  # the place of `starttime` among the fields after the name, in Linux's /proc/PID/stat (proc_pid_stat(5))


def worker_name() -> str:
    """This process, as leases and rows call it: machine, number, and, where the system tells, when it was born.

    Numbers of processes are given anew: after a restart another program may have that of a dead worker.
    """
    number = os.getpid()
    return f"{socket.gethostname()}:{number}:{_born(number)}".removesuffix(":")


def is_gone(name: str) -> bool:
    """Whether that worker certainly no longer lives: only processes of this machine can be asked."""
    host, number, born = (*name.split(":"), "", "")[:3]
    if host != socket.gethostname() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        pass
    return bool(born) and _born(int(number)) not in ("", born)


def _born(number: int) -> str:
    """In ticks since the machine started, or nothing where the system does not tell."""
    try:
        told = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return told.rpartition(")")[2].split()[STARTED]
