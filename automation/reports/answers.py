"""Answers to surveys, counted in the database."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Integer, Select, Text, cast, exists, func, literal, select

from automation.customers.facts.compute import same_customer
from automation.database.schema import Shards, events, messages
from automation.reports.asked import Asked
from automation.reports.happened import Happened
from automation.reports.parts import parts
from automation.reports.sent import sent_in_period

SCALES = {"csat": (1, 5), "nps": (0, 10)}


class Answer(NamedTuple):
    """`month` is written `2026-01`; `survey` is empty where the event names none."""

    month: str
    survey: str
    score: int


def answers_counted(asked: Asked, scale: str) -> Counter[Answer]:
    """How often each score was given in the period; off the scale it is no answer."""
    found: Counter[Answer] = Counter()
    for shards in parts(asked):
        for month, survey, score, count in asked.connection.execute(_scores(asked, scale, shards)):
            found[Answer(asked.months.names[month], survey, int(score))] += count
    return found


def surveys_answered(asked: Asked, playbooks: Sequence[str]) -> tuple[int, int]:
    """Of the messages that these playbooks sent in the period: how many were answered, and how many there are."""
    happened = Happened(asked)
    of_message = happened.values.as_text(events.c.properties, "message_id", "text")
    answered = exists().where(
        same_customer(events, messages),
        events.c.name.in_(asked.settings.reports.surveys),
        of_message == cast(messages.c.message_id, Text),
    )
    rows = select(func.count().filter(answered), func.count()).where(
        messages.c.playbook.in_(playbooks), *sent_in_period(asked)
    )
    part, whole = asked.connection.execute(rows).one()
    return part, whole


def _scores(asked: Asked, scale: str, shards: Shards) -> Select[Any]:
    happened = Happened(asked)
    values = happened.values
    score = values.value(events.c.properties, scale, "number")
    given = values.as_text(events.c.properties, "message_id", "text")
    # An answer that came from nowhere stands for itself.
    about = func.coalesce(literal("m") + given, literal("e") + events.c.event_id)
    each = (
        select(
            asked.months.place(events.c.time).label("month"),
            func.coalesce(values.as_text(events.c.properties, "survey", "text"), "").label("survey"),
            cast(score, Integer).label("score"),
            func.row_number()
            .over(
                partition_by=(events.c.shard, events.c.customer_id, about),
                order_by=(events.c.time.desc(), events.c.event_id.desc()),
            )
            .label("newest"),
        )
        .where(*happened.within(asked.settings.reports.surveys, shards), score.between(*SCALES[scale]))
        .where(score == cast(score, Integer))
        .subquery("each")
    )
    key = (each.c.month, each.c.survey, each.c.score)
    return select(*key, func.count()).where(each.c.newest == 1).group_by(*key)
