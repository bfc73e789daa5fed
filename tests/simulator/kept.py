"""Seeds that once showed something wrong, each with how many days it takes and what it was.

A seed tells another story as soon as the simulator or the product draws or asks in another order: what a seed found has
a test of its own as well, next to what was mended.
"""

KEPT: tuple[tuple[int, int, str], ...] = (
    (60, 28, "a key was older than the provider remembers, after the clock was set back by an hour"),
    (162, 6, "a consent that an import took back did not stop what was decided already"),
    (119, 22, "what was heard of a call that is to be repeated was written twice"),
    (3, 2, "a run that began after midnight wrote the next date into the history"),
)
