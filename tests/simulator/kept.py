"""Seeds that once showed something wrong, each with the day on which it did, and what it was."""

KEPT: tuple[tuple[int, int, str], ...] = ()
