"""What playbooks did: who entered, what was sent and heard, who met the goal, and whether chance alone would do it."""

from collections.abc import Iterator, Mapping
from typing import Any

from automation.errors import BadInput, suggest
from automation.playbooks.model import HOLDOUT
from automation.reports.arms import Arm, arms_counted
from automation.reports.asked import Asked
from automation.reports.compared import LIFT_COLUMNS, compared, lift_row, place_of, words
from automation.reports.figures import Figure, Money, Report, Share, Table
from automation.reports.goal_revenue import add_revenue

ABOUT = (
    "Everybody who entered a playbook in the period, by arm, whether a message reached them or not: only so can the "
    "holdout be compared. Goals and money count for passages whose time for the goal is over; the others are still "
    "open. Money is that of goal events in this time, without refunds, and of several currencies never added together."
)
GONE = (
    'There is no playbook "{key}" any more: its time for the goal is not known, and its passages count as they stand.'
)
NO_GOAL = 'The playbook "{key}" has no goal, so that there is nothing to compare.'
TOO_EARLY = "Nobody's time for the goal is over yet in {count} of the playbooks, so nothing of theirs is compared."
TOO_MANY = (
    "Of twenty comparisons without any effect behind them, one looks clear by chance: the more you compare, the less a "
    "single clear one tells."
)
HOLDOUT_OF_ALL = (
    "Some in the holdouts get no marketing at all ([holdout] everyone): against them a playbook is measured together "
    "with all others."
)
ARM_COLUMNS = ("playbook", "arm", "entered", "still open", "goal met", "revenue", "revenue for each")
MESSAGE_COLUMNS = ("playbook", "arm", "sent", "delivered", "opened", "clicked", "unsubscribed", "complained")
Arms = Mapping[str, Arm]


def report(asked: Asked) -> Report:
    """`--playbook` narrows it to one. Raises BadInput for one that is neither a file nor was ever entered."""
    counted = arms_counted(asked)
    add_revenue(asked, counted)
    found = _by_playbook(counted)
    _check_known(asked, found)
    lifts = [(key, *one) for key, arms in found.items() if _has_goal(asked, key) for one in compared(arms)]
    tables = [
        Table("arms", ARM_COLUMNS, list(_arm_rows(asked, found)), "Passages and goals"),
        Table("messages", MESSAGE_COLUMNS, list(_message_rows(found)), "Messages, of those sent"),
        Table("lift", LIFT_COLUMNS, [lift_row(*one) for one in lifts], "Goals met, compared"),
        Table("words", ("playbook", "in words"), [words(*one) for one in lifts], "The same in words"),
    ]
    return Report("playbooks", asked.period, ABOUT, _figures(asked, found), tables, list(_notes(asked, found, lifts)))


def _by_playbook(counted: Mapping[tuple[str, str], Arm]) -> dict[str, dict[str, Arm]]:
    """The holdout first, then main, then variants by name."""
    found: dict[str, dict[str, Arm]] = {}
    for playbook, arm in sorted(counted, key=lambda key: (key[0], place_of(key[1]))):
        found.setdefault(playbook, {})[arm] = counted[playbook, arm]
    return found


def _check_known(asked: Asked, found: Mapping[str, Arms]) -> None:
    key = asked.playbook
    if key is not None and key not in found and key not in asked.book.playbooks:
        raise BadInput(f'nobody entered a playbook "{key}" in the period; {suggest(key, asked.book.playbooks)}')


def _has_goal(asked: Asked, key: str) -> bool:
    """One that is gone had a goal perhaps."""
    playbook = asked.book.playbooks.get(key)
    return playbook is None or playbook.model.goal is not None


def _arm_rows(asked: Asked, found: Mapping[str, Arms]) -> Iterator[tuple[Any, ...]]:
    for key, arms in found.items():
        for name, arm in arms.items():
            hopes = _has_goal(asked, key)
            goal = (arm.entered - arm.closed, arm.goal) if hopes else (None, None)
            yield (key, name, arm.entered, *goal, Money(arm.revenue), arm.for_each)


def _message_rows(found: Mapping[str, Arms]) -> Iterator[tuple[Any, ...]]:
    for key, arms in found.items():
        for name, arm in arms.items():
            if name != HOLDOUT or arm.told.sent:
                told = (arm.told.of_sent(outcome) for outcome in MESSAGE_COLUMNS[3:])
                yield (key, name, arm.told.sent, *told)


def _figures(asked: Asked, found: Mapping[str, Arms]) -> dict[str, Figure]:
    every = [(name, arm) for arms in found.values() for name, arm in arms.items()]
    hoping = [(name, arm) for key, arms in found.items() if _has_goal(asked, key) for name, arm in arms.items()]
    return {
        "entered": Figure("Entered", sum(arm.entered for _, arm in every), "Passages that began in the period."),
        "messages_sent": Figure("Messages sent", sum(arm.told.sent for _, arm in every), "To them, so far."),
        "goal_met": Figure(
            "Goal met", _goals(hoping, held_out=False), "Passages of those written to whose time for the goal is over."
        ),
        "goal_met_holdout": Figure("Goal met without", _goals(hoping, held_out=True), "The same of the holdouts."),
    }


def _goals(arms: list[tuple[str, Arm]], *, held_out: bool) -> Share:
    return sum((arm for name, arm in arms if (name == HOLDOUT) == held_out), Arm()).goal


def _notes(asked: Asked, found: Mapping[str, Arms], lifts: list[Any]) -> Iterator[str]:
    for key in found:
        if key not in asked.book.playbooks:
            yield GONE.format(key=key)
        elif not _has_goal(asked, key):
            yield NO_GOAL.format(key=key)
    early = sum(_has_goal(asked, key) and not any(arm.closed for arm in arms.values()) for key, arms in found.items())
    if early:
        yield TOO_EARLY.format(count=early)
    if asked.settings.holdout.everyone and any(HOLDOUT in arms for arms in found.values()):
        yield HOLDOUT_OF_ALL
    if len(lifts) > 1:
        yield TOO_MANY
