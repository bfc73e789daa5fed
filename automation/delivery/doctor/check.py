"""One look, and what came of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """`told` says what was found, `hint` the next move, where there is one."""

    check: str
    ok: bool
    told: str
    hint: str = ""
