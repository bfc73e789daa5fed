"""A comparison of two groups in one plain sentence."""

from automation.reports.figures import Share
from automation.reports.lift import Lift

TOO_SMALL = "the sample is too small to tell this from chance"
NOBODY = "one of the groups is empty, so there is nothing to compare"


def in_words(lift: Lift, ours: str, theirs: str, did: str) -> str:
    """`Of 1,000 who were written to 80 (8.0 %) ordered, of 111 …: …`. The groups read on after "of 1,000"."""
    counts = f"Of {_counted(lift.ours, ours, did)}, of {_counted(lift.theirs, theirs)}"
    return f"{counts}: {_verdict(lift)}."


def _counted(share: Share, who: str, did: str = "") -> str:
    rate = f" ({100 * share.part / share.whole:.1f} %)" if share.whole else ""
    return f"{share.whole:,} {who} {share.part:,}{rate}{' ' if did else ''}{did}"


def _verdict(lift: Lift) -> str:
    difference, interval = lift.difference, lift.interval
    if difference is None or interval is None:
        return NOBODY
    reach = f"between {points(interval[0])} and {points(interval[1])} points"
    if not lift.is_clear:
        return f"{TOO_SMALL}, the true difference may lie anywhere {reach}"
    more = "more" if difference > 0 else "fewer"
    return f"{abs(100 * difference):.1f} points {more}, and the true difference most likely lies {reach}"


def points(fraction: float) -> str:
    """`+2.6`: of a hundred."""
    return f"{100 * fraction:+.1f}"
