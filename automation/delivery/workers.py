"""What a worker is called, and whether one that holds a lease still lives."""

import os
import socket


def worker_name() -> str:
    """This process, as leases and rows call it."""
    return f"{socket.gethostname()}:{os.getpid()}"


def is_gone(name: str) -> bool:
    """Whether that worker certainly no longer lives: only processes of this machine can be asked."""
    host, _, number = name.rpartition(":")
    if host != socket.gethostname() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False
